// Losses by name, and the targets they compare with.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/view.h"
#include "kernels/kernel_table.h"

namespace nnext::ops {

enum class Loss { mse, bce, bce_with_logits, cross_entropy };

Loss parse_loss(std::string_view name);  // throws std::invalid_argument

// Class indices (cross_entropy) or one row of targets a sample; exactly one of the two is set.
template <class T>
struct Targets {
  const std::int32_t* indices = nullptr;
  core::ConstMatrix<T> dense;

  Targets rows_from(core::Size first, core::Size count) const {
    if (indices != nullptr) return {indices + first, {}};
    return {nullptr, dense.rows_from(first, count)};
  }
};

// loss[i] of each row of y against its targets, and dy = scale[i] * gradient unless dy is empty. Rows without gaps.
template <class T>
void loss_rows(const kernels::KernelTable<T>& kernels, Loss loss, core::ConstMatrix<T> y, const Targets<T>& targets,
               const T* scale, T* row_loss, core::Matrix<T> dy);

// scale[i] = w[i] / sum(w), or 1 / rows without weights: what makes a sum of row losses their (weighted) mean.
template <class T>
void loss_scale(const T* weights, core::Size rows, T* scale);

// sum of scale[i] * loss[i] in increasing order of i, in double.
template <class T>
double total_loss(core::Size rows, const T* scale, const T* row_loss);

}  // namespace nnext::ops
