#include "train/batch.h"

namespace nnext::train {

using runtime::Range;

template <class T>
std::vector<GradientTask<T>> gradient_tasks(const nn::Network<T>& network, const Plan<T>& plan) {
  std::vector<GradientTask<T>> tasks;
  Size parameter = 0;
  for (const auto& layer : network.layers) parameter += layer->parameters.size();
  for (auto layer = network.layers.rbegin(); layer != network.layers.rend(); ++layer) {
    parameter -= (*layer)->parameters.size();
    if (!(*layer)->trainable) continue;
    for (const Stage<T>& stage : plan.stages())
      if (stage.layer == layer->get())
        for (const nn::Piece& piece : stage.layer->pieces())
          tasks.push_back({stage, parameter + piece.parameter, piece});
  }
  return tasks;
}

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
Size first_trainable_stage(const Plan<T>& plan) {
  Size i = 0;
  for (; i < plan.stages().size(); ++i) {
    const nn::Layer<T>& layer = *plan.stages()[i].layer;
    if (layer.trainable && !layer.parameters.empty()) break;
  }
  return i;
}

template <class T>
void compute_gradient(Plan<T>& plan, const nn::Pass<T>& pass, ConstMatrix<T> x, const GradientTask<T>& task, T* out) {
  const Stage<T>& stage = task.stage;
  stage.layer->gradient(pass, task.piece, stage_input(plan, x, stage, {0, x.rows}), plan.gradient(stage.y, 0, x.rows),
                        out);
}

template <class T>
std::vector<Range> share_tasks(const std::vector<GradientTask<T>>& tasks, int shares) {
  Size total = 0, seen = 0, task = 0;
  for (const auto& t : tasks) total += t.piece.count;
  std::vector<Range> cut;
  for (int i = 1; i <= shares; ++i) {
    const Size first = task, goal = total * static_cast<Size>(i) / static_cast<Size>(shares);
    while (task < tasks.size() && seen < goal) seen += tasks[task++].piece.count;
    cut.push_back({first, task});
  }
  return cut;
}

template <class T>
std::vector<core::Buffer<T>> gradient_buffers(const nn::Network<T>& network) {
  std::vector<core::Buffer<T>> gradients;
  for (const auto& layer : network.layers)
    for (const nn::Parameter<T>& parameter : layer->parameters) gradients.emplace_back(parameter.values.size());
  return gradients;
}

template std::vector<GradientTask<float>> gradient_tasks(const nn::Network<float>&, const Plan<float>&);
template std::vector<GradientTask<double>> gradient_tasks(const nn::Network<double>&, const Plan<double>&);
template void forward_rows(Plan<float>&, nn::Pass<float>, ConstMatrix<float>, Range, Stages);
template void forward_rows(Plan<double>&, nn::Pass<double>, ConstMatrix<double>, Range, Stages);
template void backward_rows(Plan<float>&, nn::Pass<float>, Range, Stages);
template void backward_rows(Plan<double>&, nn::Pass<double>, Range, Stages);
template Size first_trainable_stage(const Plan<float>&);
template Size first_trainable_stage(const Plan<double>&);
template void compute_gradient(Plan<float>&, const nn::Pass<float>&, ConstMatrix<float>, const GradientTask<float>&,
                               float*);
template void compute_gradient(Plan<double>&, const nn::Pass<double>&, ConstMatrix<double>, const GradientTask<double>&,
                               double*);
template std::vector<Range> share_tasks(const std::vector<GradientTask<float>>&, int);
template std::vector<Range> share_tasks(const std::vector<GradientTask<double>>&, int);
template std::vector<core::Buffer<float>> gradient_buffers(const nn::Network<float>&);
template std::vector<core::Buffer<double>> gradient_buffers(const nn::Network<double>&);

}  // namespace nnext::train
