#include "lib/distill/losses/table.h"

#include <array>

#include "lib/distill/losses/attention.h"
#include "lib/distill/losses/decoupled.h"
#include "lib/distill/losses/hint.h"
#include "lib/distill/losses/label_cross_entropy.h"
#include "lib/distill/losses/logits_cosine.h"
#include "lib/distill/losses/logits_mse.h"
#include "lib/distill/losses/relation_angle.h"
#include "lib/distill/losses/relation_distance.h"
#include "lib/distill/losses/soft_targets.h"

namespace limbeck {
namespace {

constexpr std::array<LossRow, 9> kTable = {{
    {"label_cross_entropy", "-sum q log p, q the (smoothed, mixed) label",
     make_label_cross_entropy},
    {"soft_targets", "T^2 KL(teacher || student), both softened by T", make_soft_targets},
    {"logits_mse", "mean of (student - teacher)^2 over the classes", make_logits_mse},
    {"logits_cosine", "1 - cos(student, teacher)", make_logits_cosine},
    {"decoupled", "T^2 (alpha TCKD + beta NCKD)", make_decoupled},
    {"hint", "mean of (adapter(student) - teacher)^2", make_hint},
    {"attention", "mean of (Q/|Q| of student - Q/|Q| of teacher)^2, Q = sum_c |A_c|^power",
     make_attention},
    {"relation_distance", "huber(distances of student - those of teacher), relative to their mean",
     make_relation_distance},
    {"relation_angle", "huber(cosines of angles of student - those of teacher)",
     make_relation_angle},
}};

}  // namespace

std::span<const LossRow> loss_table() { return kTable; }

}  // namespace limbeck
