// Globs over names of nodes, tensors and weights.
#pragma once

#include <string>

namespace limbeck {

/// `*`, `?` and `[...]` as fnmatch(3) reads them without flags: they match slashes too. A name
/// always matches itself.
bool matches_glob(const std::string& glob, const std::string& name);

}  // namespace limbeck
