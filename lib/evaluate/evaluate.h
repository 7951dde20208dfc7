// evaluate(model, reference, dataset) -> Evaluation: what a model answers on real data, and how far
// from its FP32 reference.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lib/data/dataset.h"
#include "lib/model/model.h"

namespace limbeck {

/// 95 % confidence interval, in the unit of the figure it belongs to.
struct Interval {
  double low = 0;
  double high = 0;
};

/// One sample of a classifier with labels. Never the sample itself.
struct SampleRecord {
  int64_t index = 0;  ///< data set index
  bool correct = false;
  double loss = 0;  ///< cross-entropy in nats
};

/// Absent figures could not be computed: without labels, reference or class scores.
/// Class scores are a float output of shape [n, k], k > 1 or [n, k, 1, 1] (the first such output);
/// when every row is non-negative and sums to one they are taken as probabilities, otherwise as
/// logits.
struct Metrics {
  int64_t samples = 0;
  std::string scores;               ///< name of the output that holds class scores; empty: none
  std::optional<double> top1;       ///< percent; ties go to the lowest class
  std::optional<double> top5;       ///< percent; absent below six classes
  std::optional<double> loss;       ///< mean cross-entropy in nats
  std::optional<double> agreement;  ///< percent of samples with the reference's top class
  std::optional<double>
      sqnr_db;  ///< 10 log10(sum r^2 / sum (r - y)^2) over float outputs; 200 at most
  std::optional<double> cosine;  ///< mean over samples of the cosine of first float outputs
  std::optional<double> kl;      ///< mean KL(reference || model) of the class scores, nats
  std::optional<Interval> top1_interval;       ///< Wilson score interval (E. B. Wilson 1927)
  std::optional<Interval> agreement_interval;  ///< same
  std::map<std::string, double> user;          ///< what the metric command answered
};

/// Error of one activation of the quantized model against its float counterpart, over the layer
/// samples.
struct LayerError {
  std::string tensor;   ///< in the reference
  std::string value;    ///< in the model
  std::string op_type;  ///< of the node that makes it in the reference; "input" for graph inputs
  double sqnr_db = 0;   ///< 200 at most
  double cosine = 0;
  double max_abs = 0;  ///< largest absolute difference
};

struct Evaluation {
  Metrics metrics;
  double integer_mac_share = 0;  ///< of the model, Engine::integer_mac_share()
  std::optional<Metrics>
      reference;  ///< top1, top5, loss, samples, user of the reference on the same samples
  std::vector<SampleRecord> records;  ///< empty without labels
  std::vector<SampleRecord> reference_records;
  std::vector<LayerError> layers;
};

struct EvaluateOptions {
  /// Data set indices to use, in this order; empty: `samples` by sample_order.
  std::vector<int64_t> indices;
  int64_t samples = 0;  ///< 0: all
  uint64_t seed = 0;
  int threads = 0;
  bool quiet = false;
  /// Pairs (tensor of the reference, value of the model) to compare layer by layer; see
  /// AppliedPlan::layers and matching_layers().
  std::vector<std::pair<std::string, std::string>> layers;
  int64_t layer_samples = 64;  ///< first samples used for the per-layer comparison
  /// Program (run by /bin/sh -c) that receives outputs as .npz batches
  /// (docs/formats/metric_command.md). It runs once a model, both runs at the same time.
  std::string metric_command;
  int64_t metric_patience = 600;  ///< seconds that the command may do nothing at all; 0: for ever
};

/// Runs `model` (and `reference`, may be null) over the data set on the native engine. Results do
/// not depend on threads. Raises kData when the outputs hold NaN or Inf (naming output and sample),
/// when labels do not fit the classes (Dataset::numbered_folders() too), when the two models'
/// outputs differ in number or shape, when the metric command fails or answers no numbers; and what
/// Engine::compile and Dataset::read raise.
Evaluation evaluate(const Model& model, const Model* reference, const Dataset& dataset,
                    const EvaluateOptions& options);

/// Activations that carry the same name in both models, or `NAME` in the reference and what stands
/// for it in the model after its QuantizeLinear/DequantizeLinear pair, or the codes NAME_quantized
/// of a QOperator model: for models quantized earlier or elsewhere. In the reference's order.
std::vector<std::pair<std::string, std::string>> matching_layers(const Model& model,
                                                                 const Model& reference);

}  // namespace limbeck
