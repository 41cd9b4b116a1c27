// A network's output for one sample, with the least there can be around the layers themselves.
#pragma once

#include <algorithm>
#include <atomic>
#include <optional>

#include "train/arena.h"

namespace nnext::train {

// The caller sees to it that parameters do not change meanwhile. Any number of threads may use one at once.
template <class T>
class RowPredictor {
 public:
  RowPredictor(const nn::Section<T>& section, const Shape& in)
      : kernels_(section.network().kernels),
        mode_(section.network().float_mode(false)),
        plan_(section, in, 1, section.nodes().size(), Use::predict),
        is_brief_(plan_.flops_per_row() <= runtime::kBriefRowFlops) {}
  const Shape& in() const { return plan_.input_shape(); }
  const Shape& out() const { return plan_.output_shape(); }

  // Whether it is over before others have waited long for what the caller holds.
  bool is_brief() const { return is_brief_; }

  // How many numbers a sequence carries from step to step.
  Size carried() const { return plan_.carried(); }

  // y for x, as they lie; y may overlap x. With a state it goes on from that, and leaves there what follows goes on from;
  // without, from zeros. Allocates when a thread calls it first.
  void operator()(const T* x, T* y, T* state = nullptr) const {
    const runtime::InFloatMode within(mode_);
    Arena<T>& arena = arena_of_thread();
    if constexpr (kPoisons) arena.poison();
    View<T>& view = arena.view(0);
    view.set_batch({x, 1, plan_.input().features});
    if (plan_.carried() > 0) view.set_state(state, state);
    runtime::Barrier barrier(1, false);
    runtime::Member me(0, 1, barrier, nullptr);
    const nn::Pass<T> pass{.kernels = kernels_, .me = me};
    const nn::Part row{{0, 1}};
    Size i = 0;
    for (const Stage<T>& stage : plan_.stages()) stage.layer().forward(pass, view.frame(i++), row, 0);
    const Place& output = plan_.output();
    std::copy_n(output.input ? x : view.at(output).data, output.features, y);
  }

 private:
  // Of the predictor that this thread has used last: most threads have but one.
  Arena<T>& arena_of_thread() const {
    struct Last {
      std::uint64_t id = 0;
      std::optional<Arena<T>> arena{};
    };
    thread_local Last last;
    if (last.id != id_) {
      last.id = 0;  // of none, where there is no memory for this one
      last.arena.emplace(plan_, 1);
      last.id = id_;
    }
    return *last.arena;
  }
  static std::uint64_t next_id() {
    static std::atomic<std::uint64_t> id{0};
    return ++id;
  }

  const kernels::KernelTable<T>& kernels_;
  runtime::FloatMode mode_;
  Plan<T> plan_;
  bool is_brief_;
  std::uint64_t id_ = next_id();  // never of another one, also when its memory is used again
};

}  // namespace nnext::train
