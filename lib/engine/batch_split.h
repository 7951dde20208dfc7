// May a batch be computed in parts? Parts stay in the caches, and threads can take one each.
#pragma once

#include <cstdint>
#include <vector>

#include "lib/model/model.h"

namespace limbeck {

/// True when it follows from operators and shapes that sample i of every returned value depends on
/// sample i of the inputs alone: all inputs and returned values begin with one common symbol.
/// `model` has inferred shapes.
bool samples_are_independent(const Model& model, const std::vector<const Value*>& returned);

/// Samples computed together, so that the largest activation stays in a second-level cache. Depends
/// on the model alone, never on the threads: it is part of what is computed.
int64_t samples_together(const Model& model);

}  // namespace limbeck
