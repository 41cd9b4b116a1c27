// Losses by name, and the targets they compare with.
//
// A loss's kernel is a row of kernels/loss.kernel.cpp; what its caller must know is the row of the same name in
// loss.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/config.h"
#include "core/view.h"
#include "kernels/kernel_table.h"
#include "ops/named.h"

namespace nnext::ops {

// What a loss takes as targets.
enum class TargetKind {
  values,         // any finite numbers, one for each output
  counts,         // numbers of at least 0
  positive,       // numbers above 0
  probabilities,  // numbers in [0, 1]
  signs,          // -1 and 1, or 0 and 1 that stand for them
  distributions,  // rows of probabilities that add up to 1
  classes,        // a class label a row, or such rows
};
// Whether a row's loss is the mean over its outputs, each with a target of its own.
constexpr bool is_mean_of_outputs(TargetKind kind) {
  return kind != TargetKind::classes && kind != TargetKind::distributions;
}

// A field that is a number beside outputs and targets, as Huber's delta.
struct LossNumber {
  const char* field = nullptr;
  std::optional<double> otherwise{};  // where it is not given; none: it must be
};
struct LossKind {
  const char* name;
  TargetKind targets;
  LossNumber first{}, second{};
  const char* weights = nullptr;  // the field that is a number for each output, or one for all unless they are classes

  bool weighs_classes() const { return weights != nullptr && targets == TargetKind::classes; }
};

// A loss and its settings.
template <class T>
struct Loss {
  const LossKind* kind = nullptr;  // null, and so is kernel: a function of the host's
  const kernels::LossKernel<T>* kernel = nullptr;
  T first = 0, second = 0;
  std::vector<T> weights{};  // none: all are 1

  kernels::LossSettings<T> settings() const { return {first, second, weights.data(), weights.size()}; }
  bool weighs_classes() const { return kind != nullptr && kind->weighs_classes() && !weights.empty(); }
  // Whether there are as many weights as it takes for so many outputs.
  bool has_weights_for(core::Size outputs) const {
    const bool one_for_all = kind != nullptr && !kind->weighs_classes() && weights.size() == 1;
    return weights.empty() || one_for_all || weights.size() == outputs;
  }
};
// By the description's type. Throws std::invalid_argument, with the known names.
template <class T>
Loss<T> make_loss(const kernels::KernelTable<T>& kernels, const core::Config& config);
template <class T>
const kernels::LossKernel<T>& find_loss(const kernels::KernelTable<T>& kernels, std::string_view name) {
  return find_named<kernels::LossKernel<T>>({kernels.loss.losses, kernels.loss.loss_count}, "loss", name);
}

// Class indices (cross_entropy), one a place, or one row of targets a sample; exactly one of the two is set.
template <class T>
struct Targets {
  const std::int32_t* indices = nullptr;
  core::ConstMatrix<T> dense;
  core::Size places = 1;    // of a sample
  core::Size channels = 1;  // outputs at a place

  Targets rows_from(core::Size first, core::Size count) const {
    if (indices != nullptr) return {indices + first * places, {}, places, channels};
    return {nullptr, dense.rows_from(first, count), places, channels};
  }
};

// loss[i] of each row of y against its targets, and dy = scale[i] * gradient unless dy is empty. Rows without gaps.
// Class indices are for losses that have `indexed` only.
template <class T>
void loss_rows(const Loss<T>& loss, core::ConstMatrix<T> y, const Targets<T>& targets, const T* scale, T* row_loss,
               core::Matrix<T> dy);

// sum of scale[i] * loss[i] in increasing order of i, in double.
template <class T>
double total_loss(core::Size rows, const T* scale, const T* row_loss);

}  // namespace nnext::ops
