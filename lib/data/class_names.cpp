#include "lib/data/class_names.h"

#include <sstream>

#include "lib/base/error.h"
#include "lib/base/file.h"

namespace limbeck {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, int64_t line,
                       const std::string& received) {
  throw_error(Category::kData, path.string() + ", line " + std::to_string(line + 1),
              "each line must name one class, all different", received,
              "correct the class list; the line number is the class index");
}

}  // namespace

ClassNames read_class_names(const std::filesystem::path& path) {
  std::istringstream lines(read_file(path));
  ClassNames classes;
  std::string line;
  for (int64_t number = 0; std::getline(lines, line); ++number) {
    std::string name;
    std::istringstream(line) >> name;
    // An index that shifts silently would be worse than this error; empty lines at the end do no
    // harm.
    if (name.empty() && (lines >> std::ws).eof()) break;
    if (name.empty()) fail(path, number, "an empty line");
    if (!classes.emplace(name, number).second) fail(path, number, "'" + name + "' again");
  }
  if (classes.empty()) fail(path, 0, "an empty file");
  return classes;
}

}  // namespace limbeck
