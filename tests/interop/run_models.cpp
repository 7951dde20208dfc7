// Runs models with the native engine over a data set and writes what went in and what came out, so
// that another runtime can be asked about the same numbers:
//   limbeck_interop_run DATA.json SAMPLES FOLDER MODEL...
// leaves FOLDER/0000.npz, 0001.npz, ..., each of at most kChunk samples: `input` (the first input),
// `labels` where the data has them, and `output0`, `output1` ... (the first output of each model).
#include <cstring>
#include <exception>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "lib/base/file.h"
#include "lib/engine/stream.h"
#include "lib/evaluate/npz_writer.h"

namespace limbeck {
namespace {

constexpr size_t kChunk = 64;

/// Batches one after the other, along the first axis.
Tensor joined(const std::vector<Tensor>& parts) {
  Dims dims = parts.at(0).dims();
  dims.at(0) = 0;
  for (const Tensor& part : parts) dims[0] += part.dim(0);
  Tensor result = Tensor::allocate(parts[0].type(), dims);
  std::byte* target = result.mutable_raw();
  for (const Tensor& part : parts) {
    const auto size = static_cast<size_t>(part.count()) * sizeof(float);
    std::memcpy(target, part.raw(), size);
    target += size;
  }
  return result;
}

class ChunkWriter {
 public:
  ChunkWriter(std::filesystem::path folder, size_t models)
      : folder_(std::move(folder)), outputs_(models) {}

  void add(const Batch& batch, const std::vector<std::vector<Tensor>>& outputs) {
    inputs_.push_back(batch.inputs.at(0));
    labels_.insert(labels_.end(), batch.labels.begin(), batch.labels.end());
    for (size_t i = 0; i < outputs.size(); ++i) outputs_[i].push_back(outputs[i].at(0));
    samples_ += batch.indices.size();
    if (samples_ >= kChunk) write();
  }

  void write() {
    if (samples_ == 0) return;
    std::vector<std::pair<std::string, Tensor>> arrays = {{"input", joined(inputs_)}};
    if (!labels_.empty()) {
      arrays.emplace_back("labels",
                          Tensor::from<int64_t>({static_cast<int64_t>(labels_.size())}, labels_));
    }
    for (size_t i = 0; i < outputs_.size(); ++i)
      arrays.emplace_back("output" + std::to_string(i), joined(outputs_[i]));
    std::ostringstream name;
    name << std::setw(4) << std::setfill('0') << chunk_++ << ".npz";
    write_file_atomically(folder_ / name.str(), npz_bytes(arrays));
    inputs_.clear();
    labels_.clear();
    samples_ = 0;
    for (auto& parts : outputs_) parts.clear();
  }

 private:
  std::filesystem::path folder_;
  std::vector<Tensor> inputs_;
  std::vector<int64_t> labels_;
  std::vector<std::vector<Tensor>> outputs_;
  size_t samples_ = 0;
  int chunk_ = 0;
};

void run(const std::vector<std::string>& arguments) {
  const auto dataset = open_dataset(arguments.at(0));
  std::vector<std::shared_ptr<const Engine>> engines;
  std::vector<const Engine*> pointers;
  for (size_t i = 3; i < arguments.size(); ++i) {
    engines.push_back(Engine::compile(load_model(arguments[i])));
    pointers.push_back(engines.back().get());
  }
  ChunkWriter writer(arguments.at(2), engines.size());
  const auto order = sample_order(dataset->size(), std::stoll(arguments.at(1)), 0);
  stream_batches(pointers, *dataset, order, StreamOptions{},
                 [&](const Batch& batch, const std::vector<std::vector<Tensor>>& outputs) {
                   writer.add(batch, outputs);
                 });
  writer.write();
}

}  // namespace
}  // namespace limbeck

int main(int argc, char** argv) {
  try {
    limbeck::run({argv + 1, argv + argc});
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
