// Residual blocks, and which of them matter little. Internal to lib/distill/shrink.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/distill/shrink/shrink.h"

namespace limbeck {

/// x + f(x), with f(x) of x's dimensions, read by the sum alone and computed from nothing but x:
/// without f the model goes on with x.
struct ResidualBlock {
  std::string add;     ///< node
  std::string input;   ///< value x
  std::string output;  ///< value of the sum
  int64_t macs = 0;    ///< of f, for one sample; above 0
};

/// In the order of the graph. Shapes must be inferred.
std::vector<ResidualBlock> find_residual_blocks(const Model& model);

/// Readers of the sum read x. Everything that nothing reads any more goes.
void bypass_block(Model& model, const ResidualBlock& block);

/// The change of the model's outputs without each block in turn, on data: the mean of
/// KL(teacher || without) in nats where the model gives class scores, else the error of the first
/// output relative to its power.
std::vector<double> block_divergences(const Model& teacher, const Model& model,
                                      const std::vector<ResidualBlock>& blocks,
                                      const ShrinkData& data, int64_t samples);

/// Removes, one after the other, the block whose absence changes the teacher's outputs least, each
/// time measured anew:
/// - options.blocks of them where that is given. Raises kUsage when there are not as many, and
///   without data when it is above 0;
/// - else none without data, and with data as long as the divergence stays below 0.1 and no more
///   than half of the wanted saving comes from blocks, so that both depth and width are used, and
///   depth only where it costs little.
std::vector<ShrunkBlock> remove_blocks(Model& model, const ShrinkOptions& options,
                                       const ShrinkData* data);

}  // namespace limbeck
