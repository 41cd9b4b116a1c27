#include "train/shares.h"

namespace nnext::train {

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

template <class T>
Size first_trainable_stage(const Plan<T>& plan) {
  Size i = 0;
  for (; i < plan.stages().size(); ++i) {
    const nn::Layer<T>& layer = *plan.stages()[i].layer;
    if (layer.trainable && !layer.parameters.empty()) break;
  }
  return i;
}

namespace {

// Gives the tasks that belong to no share yet to those that have least, in order, so that neighbours stay together.
template <class T>
void share_rest(const std::vector<GradientTask<T>>& tasks, const std::vector<Size>& rest, Shares& shares) {
  Size total = 0;
  for (const auto& task : tasks) total += task.piece.count;
  auto next = rest.begin();
  for (Size share = 0; share < shares.count(); ++share) {
    Size mine = 0;
    for (const Size task : shares.tasks[share]) mine += tasks[task].piece.count;
    const bool last = share + 1 == shares.count();
    while (next != rest.end() && (last || mine < total / shares.count())) {
      mine += tasks[*next].piece.count;
      shares.tasks[share].push_back(*next++);
    }
  }
}

// Shares differ by at most an eighth of the largest.
bool fair(Size blocks, Size shares) { return blocks / shares * 8 >= core::divide_up(blocks, shares) * 7; }

}  // namespace

template <class T>
Shares share_rows(const std::vector<GradientTask<T>>& tasks, int shares) {
  Shares result{std::vector<std::vector<Size>>(static_cast<Size>(shares)), {}};
  std::vector<Size> all(tasks.size());
  for (Size i = 0; i < all.size(); ++i) all[i] = i;
  share_rest(tasks, all, result);
  return result;
}

template <class T>
Shares share_step(const Plan<T>& plan, const std::vector<GradientTask<T>>& tasks, int shares) {
  const auto count = static_cast<Size>(shares);
  const Size blocks = plan.head_stages() > 0 ? plan.stages().front().layer->blocks() : 1;
  if (count == 1 || blocks < count || !fair(blocks, count)) return share_rows(tasks, shares);
  Shares result{std::vector<std::vector<Size>>(count), std::vector<Range>(count)};
  for (Size i = 0; i < count; ++i) result.first_blocks[i] = {blocks * i / count, blocks * (i + 1) / count};
  std::vector<Size> rest;
  for (Size i = 0; i < tasks.size(); ++i) {
    if (tasks[i].stage.layer != plan.stages().front().layer) {
      rest.push_back(i);
      continue;
    }
    Size owner = 0;
    while (tasks[i].piece.block >= result.first_blocks[owner].end) ++owner;
    result.tasks[owner].push_back(i);
  }
  share_rest(tasks, rest, result);
  return result;
}

template std::vector<GradientTask<float>> gradient_tasks(const nn::Network<float>&, const Plan<float>&);
template std::vector<GradientTask<double>> gradient_tasks(const nn::Network<double>&, const Plan<double>&);
template Size first_trainable_stage(const Plan<float>&);
template Size first_trainable_stage(const Plan<double>&);
template Shares share_rows(const std::vector<GradientTask<float>>&, int);
template Shares share_rows(const std::vector<GradientTask<double>>&, int);
template Shares share_step(const Plan<float>&, const std::vector<GradientTask<float>>&, int);
template Shares share_step(const Plan<double>&, const std::vector<GradientTask<double>>&, int);

}  // namespace nnext::train
