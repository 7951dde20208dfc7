#include "lib/base/glob.h"

#include <fnmatch.h>

namespace limbeck {

bool matches_glob(const std::string& glob, const std::string& name) {
  return glob == name || ::fnmatch(glob.c_str(), name.c_str(), 0) == 0;
}

}  // namespace limbeck
