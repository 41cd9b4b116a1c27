// Losses by name, and the targets they compare with.
//
// A loss's kernel is a row of kernels/loss.kernel.cpp; what its caller must know is the row of the same name in
// loss.cpp.
#pragma once

#include <cstdint>

#include "core/view.h"
#include "kernels/kernel_table.h"
#include "ops/named.h"

namespace nnext::ops {

// What a loss takes as targets.
enum class TargetKind {
  values,         // any finite numbers, one for each output
  probabilities,  // numbers in [0, 1], one for each output
  classes,        // a class label a row, or rows of probabilities that add up to 1
};
// Whether a row's loss is the mean over its outputs, each with a target of its own.
constexpr bool is_mean_of_outputs(TargetKind kind) { return kind != TargetKind::classes; }

struct LossKind {
  const char* name;
  TargetKind targets;
  const char* argument = nullptr;  // the field that is a number beside outputs and targets, as Huber's delta
};
const LossKind& find_loss_kind(std::string_view name);  // throws std::invalid_argument, with the known names

template <class T>
const kernels::LossKernel<T>& find_loss(const kernels::KernelTable<T>& kernels, std::string_view name) {
  return find_named<kernels::LossKernel<T>>({kernels.loss.losses, kernels.loss.loss_count}, "loss", name);
}

// Class indices (cross_entropy), one a place, or one row of targets a sample; exactly one of the two is set.
template <class T>
struct Targets {
  const std::int32_t* indices = nullptr;
  core::ConstMatrix<T> dense;
  core::Size places = 1;  // of a sample

  Targets rows_from(core::Size first, core::Size count) const {
    if (indices != nullptr) return {indices + first * places, {}, places};
    return {nullptr, dense.rows_from(first, count), places};
  }
};

// loss[i] of each row of y against its targets, and dy = scale[i] * gradient unless dy is empty. Rows without gaps.
// Class indices are for losses that have `indexed` only.
template <class T>
void loss_rows(const kernels::LossKernel<T>& loss, T argument, core::ConstMatrix<T> y, const Targets<T>& targets,
               const T* scale, T* row_loss, core::Matrix<T> dy);

// sum of scale[i] * loss[i] in increasing order of i, in double.
template <class T>
double total_loss(core::Size rows, const T* scale, const T* row_loss);

}  // namespace nnext::ops
