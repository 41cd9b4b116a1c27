#include "ops/loss.h"

#include "core/errors.h"

namespace nnext::ops {

Loss parse_loss(std::string_view name) {
  if (name == "mse") return Loss::mse;
  if (name == "bce") return Loss::bce;
  if (name == "bce_with_logits") return Loss::bce_with_logits;
  if (name == "cross_entropy") return Loss::cross_entropy;
  core::fail_value("[loss] unknown loss '", name, "'; use mse, bce, bce_with_logits or cross_entropy");
}

template <class T>
void loss_rows(const kernels::KernelTable<T>& kernels, Loss loss, core::ConstMatrix<T> y, const Targets<T>& targets,
               const T* scale, T* row_loss, core::Matrix<T> dy) {
  const auto& table = kernels.loss;
  if (targets.indices != nullptr)
    return table.cross_entropy_indexed(y.rows, y.cols, y.data, targets.indices, scale, row_loss, dy.data);
  const auto dense = [&] {
    switch (loss) {
      case Loss::mse:
        return table.mse;
      case Loss::bce:
        return table.bce;
      case Loss::bce_with_logits:
        return table.bce_with_logits;
      case Loss::cross_entropy:
        break;
    }
    return table.cross_entropy;
  }();
  dense(y.rows, y.cols, y.data, targets.dense.data, scale, row_loss, dy.data);
}

template <class T>
void loss_scale(const T* weights, core::Size rows, T* scale) {
  double sum = 0;
  for (core::Size i = 0; i < rows; ++i) sum += weights == nullptr ? 1.0 : static_cast<double>(weights[i]);
  for (core::Size i = 0; i < rows; ++i)
    scale[i] = static_cast<T>((weights == nullptr ? 1.0 : static_cast<double>(weights[i])) / (sum > 0 ? sum : 1));
}

template <class T>
double total_loss(core::Size rows, const T* scale, const T* row_loss) {
  double total = 0;
  for (core::Size i = 0; i < rows; ++i) total += static_cast<double>(scale[i]) * static_cast<double>(row_loss[i]);
  return total;
}

template void loss_rows(const kernels::KernelTable<float>&, Loss, core::ConstMatrix<float>, const Targets<float>&,
                        const float*, float*, core::Matrix<float>);
template void loss_rows(const kernels::KernelTable<double>&, Loss, core::ConstMatrix<double>, const Targets<double>&,
                        const double*, double*, core::Matrix<double>);
template void loss_scale(const float*, core::Size, float*);
template void loss_scale(const double*, core::Size, double*);
template double total_loss(core::Size, const float*, const float*);
template double total_loss(core::Size, const double*, const double*);

}  // namespace nnext::ops
