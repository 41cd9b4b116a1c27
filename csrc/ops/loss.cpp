#include "ops/loss.h"

namespace nnext::ops {

const LossKind& find_loss_kind(std::string_view name) {
  static constexpr LossKind kKinds[] = {
      {.name = "mse", .targets = TargetKind::values},
      {.name = "bce", .targets = TargetKind::probabilities},
      {.name = "bce_with_logits", .targets = TargetKind::probabilities},
      {.name = "huber", .targets = TargetKind::values, .argument = "delta"},
      {.name = "cross_entropy", .targets = TargetKind::classes},
  };
  return find_named<LossKind>(kKinds, "loss", name);
}

template <class T>
void loss_rows(const kernels::LossKernel<T>& loss, T argument, core::ConstMatrix<T> y, const Targets<T>& targets,
               const T* scale, T* row_loss, core::Matrix<T> dy) {
  if (targets.indices != nullptr)
    loss.indexed(y.rows, y.cols, argument, y.data, targets.indices, scale, row_loss, dy.data);
  else
    loss.dense(y.rows, y.cols, argument, y.data, targets.dense.data, scale, row_loss, dy.data);
}

template <class T>
double total_loss(core::Size rows, const T* scale, const T* row_loss) {
  double total = 0;
  for (core::Size i = 0; i < rows; ++i) total += static_cast<double>(scale[i]) * static_cast<double>(row_loss[i]);
  return total;
}

template void loss_rows(const kernels::LossKernel<float>&, float, core::ConstMatrix<float>, const Targets<float>&,
                        const float*, float*, core::Matrix<float>);
template void loss_rows(const kernels::LossKernel<double>&, double, core::ConstMatrix<double>, const Targets<double>&,
                        const double*, double*, core::Matrix<double>);
template double total_loss(core::Size, const float*, const float*);
template double total_loss(core::Size, const double*, const double*);

}  // namespace nnext::ops
