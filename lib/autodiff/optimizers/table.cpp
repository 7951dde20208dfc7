#include <array>

#include "lib/autodiff/optimizers/method.h"

namespace limbeck {
namespace {

constexpr std::array<OptimizerRow, 3> kTable = {{
    {"sgd", 1, update_sgd},
    {"adam", 2, update_adam},
    {"adamw", 2, update_adamw},
}};

}  // namespace

std::span<const OptimizerRow> optimizer_table() { return kTable; }

}  // namespace limbeck
