#include "train/batch.h"

namespace nnext::train {

using runtime::Member;
using runtime::Range;

namespace {

template <class T>
ConstMatrix<T> stage_input(Plan<T>& plan, ConstMatrix<T> x, const Stage<T>& stage, Range rows) {
  return stage.x == kInput ? x.rows_from(rows.begin, rows.size())
                           : ConstMatrix<T>(plan.value(stage.x, rows.begin, rows.size()));
}

}  // namespace

template <class T>
void forward_rows(Plan<T>& plan, nn::Pass<T> pass, ConstMatrix<T> x, Range rows, Stages stages) {
  pass.first_row = rows.begin;
  for (Size i = stages.first; i < stages.last && !pass.me.stop(); ++i) {
    const Stage<T>& stage = plan.stages()[i];
    stage.layer->forward(pass, stage_input(plan, x, stage, rows), plan.value(stage.y, rows.begin, rows.size()));
  }
}

template <class T>
void backward_rows(Plan<T>& plan, nn::Pass<T> pass, Range rows, Stages stages) {
  pass.first_row = rows.begin;
  for (Size i = stages.last; i-- > stages.first && !pass.me.stop();) {
    const Stage<T>& stage = plan.stages()[i];
    stage.layer->backward(pass, plan.value(stage.y, rows.begin, rows.size()),
                          plan.gradient(stage.y, rows.begin, rows.size()),
                          plan.gradient(stage.x, rows.begin, rows.size()));
  }
}

template <class T>
void prepare_gradients(Plan<T>& plan, const nn::Pass<T>& pass, Member& me, ConstMatrix<T> x) {
  if (!plan.has_scratch()) return;
  for (const Stage<T>& stage : plan.stages())
    if (plan.scratch(stage) != nullptr && !me.stop())
      stage.layer->prepare_gradient(pass, stage_input(plan, x, stage, {0, x.rows}), plan.gradient(stage.y, 0, x.rows),
                                    plan.scratch(stage));
  me.barrier();
}

template <class T>
void compute_gradient(Plan<T>& plan, const nn::Pass<T>& pass, ConstMatrix<T> x, const GradientTask<T>& task, T* out) {
  const Stage<T>& stage = task.stage;
  stage.layer->gradient(pass, task.piece, stage_input(plan, x, stage, {0, x.rows}), plan.gradient(stage.y, 0, x.rows),
                        plan.scratch(stage), out);
}

template <class T>
std::vector<core::Buffer<T>> gradient_buffers(const nn::Network<T>& network) {
  std::vector<core::Buffer<T>> gradients;
  for (const auto& layer : network.layers)
    for (const nn::Parameter<T>& parameter : layer->parameters) gradients.emplace_back(parameter.values.size());
  return gradients;
}

template void forward_rows(Plan<float>&, nn::Pass<float>, ConstMatrix<float>, Range, Stages);
template void forward_rows(Plan<double>&, nn::Pass<double>, ConstMatrix<double>, Range, Stages);
template void backward_rows(Plan<float>&, nn::Pass<float>, Range, Stages);
template void backward_rows(Plan<double>&, nn::Pass<double>, Range, Stages);
template void prepare_gradients(Plan<float>&, const nn::Pass<float>&, Member&, ConstMatrix<float>);
template void prepare_gradients(Plan<double>&, const nn::Pass<double>&, Member&, ConstMatrix<double>);
template void compute_gradient(Plan<float>&, const nn::Pass<float>&, ConstMatrix<float>, const GradientTask<float>&,
                               float*);
template void compute_gradient(Plan<double>&, const nn::Pass<double>&, ConstMatrix<double>, const GradientTask<double>&,
                               double*);
template std::vector<core::Buffer<float>> gradient_buffers(const nn::Network<float>&);
template std::vector<core::Buffer<double>> gradient_buffers(const nn::Network<double>&);

}  // namespace nnext::train
