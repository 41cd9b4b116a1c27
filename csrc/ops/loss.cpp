#include "ops/loss.h"

namespace nnext::ops {

namespace {

const LossKind& find_loss_kind(std::string_view name) {
  static constexpr LossKind kKinds[] = {
      {.name = "mse", .targets = TargetKind::values},
      {.name = "mae", .targets = TargetKind::values},
      {.name = "huber", .targets = TargetKind::values, .first = {"delta"}},
      {.name = "log_cosh", .targets = TargetKind::values},
      {.name = "quantile", .targets = TargetKind::values, .first = {"q"}},
      {.name = "poisson", .targets = TargetKind::counts},
      {.name = "gamma", .targets = TargetKind::positive},
      {.name = "bce", .targets = TargetKind::probabilities, .weights = "pos_weight"},
      {.name = "bce_with_logits", .targets = TargetKind::probabilities, .weights = "pos_weight"},
      {.name = "focal", .targets = TargetKind::probabilities, .first = {"gamma"}, .second = {"alpha", -1}},
      {.name = "hinge", .targets = TargetKind::signs},
      {.name = "cross_entropy",
       .targets = TargetKind::classes,
       .first = {"label_smoothing", 0},
       .weights = "class_weight"},
      {.name = "kl_div", .targets = TargetKind::distributions},
  };
  return find_named<LossKind>(kKinds, "loss", name);
}

template <class T>
T read(const LossNumber& number, const core::Config& config) {
  if (number.field == nullptr) return 0;
  const bool is_absent = number.otherwise && !config.has(number.field);
  return static_cast<T>(is_absent ? *number.otherwise : config.number(number.field));
}

}  // namespace

template <class T>
Loss<T> make_loss(const kernels::KernelTable<T>& kernels, const core::Config& config) {
  const LossKind& kind = find_loss_kind(config.type());
  Loss<T> loss{&kind, &find_loss(kernels, kind.name), read<T>(kind.first, config), read<T>(kind.second, config)};
  if (kind.weights == nullptr || !config.has(kind.weights)) return loss;
  if (!config.is_list(kind.weights)) {
    loss.weights = {static_cast<T>(config.number(kind.weights))};
    return loss;
  }
  for (const double weight : config.numbers(kind.weights)) loss.weights.push_back(static_cast<T>(weight));
  return loss;
}

template <class T>
void loss_rows(const Loss<T>& loss, core::ConstMatrix<T> y, const Targets<T>& targets, const T* scale, T* row_loss,
               core::Matrix<T> dy) {
  const kernels::LossKernel<T>& kernel = *loss.kernel;
  if (targets.indices != nullptr)
    kernel.indexed(y.rows, y.cols, loss.settings(), y.data, targets.indices, scale, row_loss, dy.data);
  else
    kernel.dense(y.rows, y.cols, loss.settings(), y.data, targets.dense.data, scale, row_loss, dy.data);
}

template <class T>
double total_loss(core::Size rows, const T* scale, const T* row_loss) {
  double total = 0;
  for (core::Size i = 0; i < rows; ++i) total += static_cast<double>(scale[i]) * static_cast<double>(row_loss[i]);
  return total;
}

template Loss<float> make_loss(const kernels::KernelTable<float>&, const core::Config&);
template Loss<double> make_loss(const kernels::KernelTable<double>&, const core::Config&);
template void loss_rows(const Loss<float>&, core::ConstMatrix<float>, const Targets<float>&, const float*, float*,
                        core::Matrix<float>);
template void loss_rows(const Loss<double>&, core::ConstMatrix<double>, const Targets<double>&, const double*, double*,
                        core::Matrix<double>);
template double total_loss(core::Size, const float*, const float*);
template double total_loss(core::Size, const double*, const double*);

}  // namespace nnext::ops
