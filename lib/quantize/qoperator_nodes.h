// Which operators have an integer form, and what carries over. Internal to lib/quantize.
#pragma once

#include <string_view>

#include "lib/model/graph.h"

namespace limbeck {

/// The com.microsoft operator that computes a two- or one-operand operator over integers; empty
/// when there is none.
std::string_view binary_name(std::string_view op_type);
std::string_view unary_name(std::string_view op_type);

/// May the node read 8-bit integers in place of floats as it stands? Only operators that runtimes
/// implement for both int8 and uint8.
bool moves_integers(const Node& node);

/// Integers, floats, strings and lists of integers; attributes of other types do not occur in the
/// operators concerned.
void copy_attributes(const Node& from, Node* to);

}  // namespace limbeck
