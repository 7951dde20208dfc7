// com.microsoft QLinearAveragePool, QLinearGlobalAveragePool (version 1).
#include "lib/ops/qlinear_common.h"
#include "lib/ops/rows.h"

namespace limbeck {
namespace {

void check_order(const Node& node) {
  if (node.int_attribute("channels_last", 0) != 0)
    fail_unsupported(node.place(), "channels_last must be 0", "1");
}

}  // namespace

std::unique_ptr<Kernel> qlinear_average_pool_kernel(const Node& node, int64_t opset) {
  check_order(node);
  return make_qlinear_kernel(node, average_pool_kernel(node, opset), {{0}, 3});
}

std::unique_ptr<Kernel> qlinear_global_average_pool_kernel(const Node& node, int64_t opset) {
  check_order(node);
  return make_qlinear_kernel(node, global_average_pool_kernel(node, opset), {{0}, 3});
}

}  // namespace limbeck
