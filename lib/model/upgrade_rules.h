// The rewrites of the opset upgrade: one function for every incompatible change of an operator.
// Internal to lib/model.
#pragma once

#include <string>
#include <vector>

#include "lib/model/graph.h"

namespace limbeck {

/// Rewrites `node` for the opset of its table entry. May insert nodes before it and may replace it;
/// may remove no other.
using UpgradeRule = void (*)(Graph& graph, Node* node);

// Attributes that became inputs.
void upgrade_axes_to_input(Graph& graph,
                           Node* node);  // Squeeze, Unsqueeze, ReduceSum 13; the other Reduce* 18
void upgrade_split_13(Graph& graph, Node* node);
void upgrade_split_18(Graph& graph, Node* node);  // num_outputs became mandatory without `split`
void upgrade_slice_10(Graph& graph, Node* node);
void upgrade_top_k_10(Graph& graph, Node* node);
void upgrade_pad_11(Graph& graph, Node* node);
void upgrade_clip_11(Graph& graph, Node* node);
void upgrade_dropout_10(Graph& graph, Node* node);  // the mask became boolean
void upgrade_dropout_12(Graph& graph, Node* node);
void upgrade_dft_20(Graph& graph, Node* node);

// Resampling.
void upgrade_upsample_9(Graph& graph, Node* node);
void upgrade_upsample_10(Graph& graph, Node* node);  // became Resize
void upgrade_resize_11(Graph& graph, Node* node);
void upgrade_resize_13(Graph& graph, Node* node);
void upgrade_roi_align_16(Graph& graph, Node* node);
void upgrade_grid_sample_20(Graph& graph, Node* node);

// Normalisation.
void upgrade_batch_norm_9(Graph& graph, Node* node);
void upgrade_batch_norm_14(Graph& graph, Node* node);
void upgrade_softmax_13(Graph& graph, Node* node);  // also LogSoftmax and Hardmax
void upgrade_group_norm_21(Graph& graph, Node* node);

// Others.
void upgrade_scatter_11(Graph& graph, Node* node);  // became ScatterElements
void upgrade_scan_9(Graph& graph, Node* node);      // always an error

/// Raises kUnsupported for a node that a newer opset cannot express.
[[noreturn]] void throw_no_upgrade(const Node& node, const std::string& rule,
                                   const std::string& received, const std::string& next_step);

/// A new initializer "<first output>_<suffix>" becomes input `index` of the node.
void add_constant_input(Graph& graph, Node* node, size_t index, const std::string& suffix,
                        Tensor tensor);

/// A one-dimensional int64 tensor.
Tensor int_vector(const std::vector<int64_t>& values);

}  // namespace limbeck
