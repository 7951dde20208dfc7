// The version of the program, told by `limbeck --version` and written into what it makes.
#pragma once

namespace limbeck {

inline constexpr const char* kVersion = "0.1.0";

}  // namespace limbeck
