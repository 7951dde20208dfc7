// The widths of a model's layers. Internal to lib/distill/shrink.
#pragma once

#include <vector>

#include "lib/distill/shrink/shrink.h"

namespace limbeck {

/// Nodes with stored weights in execution order; only the fields `..._before` are set.
std::vector<ShrunkLayer> layers_of(const Model& model);

/// The layers of the first list with the figures of the second, by name, as `..._after`; 0 where
/// the second has none.
std::vector<ShrunkLayer> compare_layers(std::vector<ShrunkLayer> before,
                                        const std::vector<ShrunkLayer>& after);

}  // namespace limbeck
