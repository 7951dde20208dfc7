#include "lib/data/npy_header.h"

#include <charconv>
#include <set>

#include "lib/base/error.h"

namespace limbeck {
namespace {

/// Reads exactly the subset of Python literals that NumPy writes: strings, booleans and tuples of
/// whole numbers.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, const std::string& place) : rest_(text), place_(place) {}

  NpyHeader run() {
    NpyHeader header;
    expect('{');
    std::set<std::string> found;
    while (!accept('}')) {
      const std::string key = quoted();
      expect(':');
      if (key == "descr") {
        header.descr = descr();
      } else if (key == "fortran_order") {
        header.fortran_order = boolean();
      } else if (key == "shape") {
        header.shape = shape();
      } else {
        fail("the key '" + key + "'");
      }
      if (!found.insert(key).second) fail("the key '" + key + "' twice");
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    if (found.size() != 3) fail(std::to_string(found.size()) + " keys");
    return header;
  }

 private:
  void skip_space() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\n'))
      rest_.remove_prefix(1);
  }

  bool accept(char wanted) {
    skip_space();
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void expect(char wanted) {
    if (!accept(wanted)) fail("'" + std::string(rest_.substr(0, 20)) + "'");
  }

  std::string quoted() {
    skip_space();
    const char quote = !rest_.empty() && rest_.front() == '"' ? '"' : '\'';
    expect(quote);
    const size_t end = rest_.find(quote);
    if (end == std::string_view::npos) fail("a string without end");
    std::string text(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    return text;
  }

  std::string descr() {
    skip_space();
    if (rest_.starts_with("[")) {
      throw_error(Category::kData, place_, "the elements must be plain numbers",
                  "a structured type with named fields", "save each field as an array of its own");
    }
    return quoted();
  }

  bool boolean() {
    skip_space();
    const bool value = rest_.starts_with("True");
    if (!value && !rest_.starts_with("False")) fail("'" + std::string(rest_.substr(0, 20)) + "'");
    rest_.remove_prefix(value ? 4 : 5);
    return value;
  }

  Dims shape() {
    Dims dims;
    expect('(');
    while (!accept(')')) {
      skip_space();
      int64_t dim = 0;
      const auto parsed = std::from_chars(rest_.data(), rest_.data() + rest_.size(), dim);
      if (parsed.ec != std::errc() || dim < 0) fail("'" + std::string(rest_.substr(0, 20)) + "'");
      rest_.remove_prefix(static_cast<size_t>(parsed.ptr - rest_.data()));
      dims.push_back(dim);
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return dims;
  }

  [[noreturn]] void fail(const std::string& received) const {
    throw_error(Category::kData, place_,
                "the .npy header must be a dictionary of 'descr', 'fortran_order' and 'shape'",
                received, "save the array again with numpy.save");
  }

  std::string_view rest_;
  const std::string& place_;
};

}  // namespace

NpyHeader parse_npy_header(std::string_view text, const std::string& place) {
  return HeaderParser(text, place).run();
}

}  // namespace limbeck
