// What training adds to a section of a network: the loss, the optimizer's rule and state, and how far all has come.
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "nn/section.h"
#include "ops/loss.h"
#include "optim/optimizer.h"
#include "runtime/pace.h"
#include "train/averages.h"
#include "train/twin.h"

namespace nnext::train {

using core::Buffer;
using core::Config;
using core::ConstMatrix;
using core::Matrix;
using core::Size;

// The counters that key random numbers.
struct Counters {
  std::uint64_t step = 0;   // optimizer steps over the network's life: the key of dropout masks
  std::uint64_t epoch = 0;  // begun epochs over the network's life: the key of the sample order
};

// How far a training has come since compile: what the learning rate of a schedule follows. Steps of one's own are in no
// epoch.
struct Position {
  double epochs = 0;        // whole, but for the parts of epochs that were interrupted
  std::uint64_t step = 0;   // done of the epoch that a fit is in, or was interrupted in
  std::uint64_t steps = 0;  // that this one has; 0 where `step` is

  // The epoch to come begins where the last one ended or was interrupted.
  void begin_epoch() {
    if (step > 0) *this = {epochs + static_cast<double>(step) / static_cast<double>(steps)};
  }
  void end_step(std::uint64_t of) {
    steps = of;
    if (++step == of) *this = {epochs + 1};
  }
};

// How the steps of a training are made, beside loss and rule.
struct StepSettings {
  double clip_norm = 0;            // 0: gradients are not clipped by their norm
  double clip_value = 0;           // 0: their elements are not either
  Size accumulate = 1;             // batches that a step of a fit takes
  double ema = 0;                  // decay of the averages of parameters; 0: there are none
  std::vector<double> lr_scale{};  // of each parameter; empty: 1
};

// A setting of the optimizer by its name, and what it is from now on.
struct SettingValue {
  std::string name{};
  double value = 0;
};

template <class T>
struct LossRule : ops::Loss<T> {
  Size head = 0;  // nodes before the loss: one less than all where the last is computed together with it
};

// Parameters that have come equally far under one rule, at one rate. Freezing parts them.
template <class T>
struct Group {
  optim::Progress progress;
  bool trainable = true;
  double lr_scale = 1;
  std::unique_ptr<optim::Optimizer<T>> rule;
};

// All of them, and in which each parameter is.
template <class T>
struct Grouping {
  std::vector<Group<T>> groups;
  std::vector<Size> group_of;
};

// Layers that are to be trained from now on, or no longer; all others stay as they are.
template <class T>
struct Freezing {
  std::vector<nn::Layer<T>*> layers{};
  bool trainable = true;

  bool trains(const nn::Layer<T>& layer) const {
    return std::find(layers.begin(), layers.end(), &layer) != layers.end() ? trainable : layer.trainable;
  }
};

// Over a training's life: the operations of its passes, and those times the members that did them.
struct TeamUse {
  std::atomic<double> work{0}, times_members{0};
  void add(const runtime::Pace::Piece& piece) {  // from one thread at a time; any may read
    work.store(work.load() + piece.work);
    times_members.store(times_members.load() + piece.work * piece.run.members);
  }
};

// What the rows of a batch carry to those of the next one, in layers that are stateful: what they go on from, and what a
// step leaves until it is applied.
template <class T>
struct Carried {
  Buffer<T> numbers{}, next{};
  Size rows = 0;  // 0: the next batch starts from zeros
};

template <class T>
struct Training {
  explicit Training(const nn::Section<T>& section_) : network(section_.network()), section(section_) {
    put(grouping(std::vector<optim::Progress>(section.parameters())));
  }

  nn::Network<T>& network;        // all of it: its kernels, seed and gate
  const nn::Section<T>& section;  // what is trained
  Counters counters;
  Position position;
  LossRule<T> loss;
  StepSettings settings;
  std::unique_ptr<optim::Optimizer<T>> optimizer;       // null before compile
  std::vector<std::vector<Buffer<T>>> optimizer_state;  // [parameter][state]; none of buffers
  std::unique_ptr<Averages<T>> averages;                // null: none are kept
  std::unique_ptr<Twin<T>> trial;                       // where a rule's minimizer looks around; null: it has none
  const kernels::Bf16Kernels* bf16 = nullptr;           // of products; null: those of T
  std::vector<Group<T>> groups;
  std::vector<Size> group_of;                 // [parameter]
  runtime::Pace pace{}, predicting_pace{};    // of passes for training, and of predictions
  TeamUse team{};                             // of fits
  Carried<T> carried{};                       // by a fit, from batch to batch
  std::atomic<std::uint64_t> compilation{0};  // the host's number of what was compiled last; 0: it has none

  // What goes through a fit's passes.
  const nn::Section<T>& passed() const { return trial != nullptr ? trial->section() : section; }
  // What predicts.
  const nn::Section<T>& shown() const {
    return averages != nullptr && averages->begun() ? averages->section() : section;
  }

  // What compile() changes: built before anything is, then put in place at once.
  struct Compiled {
    LossRule<T> loss;
    StepSettings settings;
    std::unique_ptr<optim::Optimizer<T>> optimizer;
    std::vector<std::vector<Buffer<T>>> state;
    std::unique_ptr<Averages<T>> averages;
    std::unique_ptr<Twin<T>> trial;
    const kernels::Bf16Kernels* bf16 = nullptr;
    Grouping<T> grouping;  // by which layers train at the time; made last
    std::uint64_t number = 0;
  };
  Compiled prepare(const Config* loss, const Config& optimizer, const StepSettings& settings,
                   runtime::Cancel& cancel) const;  // of no use where the host asks to stop
  void group(Compiled& compiled) const;
  void put(Compiled&& compiled) noexcept;

  // The parameters by how far they have come, as it is or will be after a freezing; then in place of what was.
  Grouping<T> grouping(const std::vector<optim::Progress>& progress, const Freezing<T>& freezing = {}) const {
    return grouping(progress, settings, optimizer.get(), freezing);
  }
  void put(Grouping<T>&& made) noexcept { groups = std::move(made.groups), group_of = std::move(made.group_of); }
  std::vector<optim::Progress> progress() const;                         // of each parameter
  void put_back(const std::vector<optim::Progress>& progress) noexcept;  // of the same groups

  // Settings of the optimizer are others from now on.
  void set(Size setting, double value) {
    optimizer->set(setting, value);
    for (Group<T>& group : groups) group.rule->set(setting, value);
  }
  void set(std::span<const SettingValue> values) {
    for (const SettingValue& of : values) set(optimizer->find_setting(of.name), of.value);
  }
  void begin_step() {
    for (Group<T>& group : groups)
      if (group.trainable) group.rule->begin_step(group.progress);
  }
  // The step is applied to all parameters.
  void end_step() {
    ++counters.step;
    if (averages != nullptr) averages->begin();
    for (Group<T>& group : groups)
      if (group.trainable) group.progress = group.rule->end_step(group.progress);
  }
  // Applies a step to a piece of a layer's parameter, given its gradient.
  void apply(const nn::Node<T>& node, const nn::Piece& piece, T* gradient);  // which it may change
  // The same by the kernel that computes the gradient, where the rule's step is so plain: then finish(piece).
  kernels::InPlace<T> in_place(const nn::Node<T>& node, const nn::Piece& piece) const;
  void finish(const nn::Node<T>& node, const nn::Piece& piece) {
    if (node.layer->packed != nn::Packed::none) node.layer->updated(piece);
    if (averages != nullptr) averages->follow(node, piece);
  }
  optim::Update<T> update(const nn::Node<T>& node, const nn::Piece& piece, T* gradient);

 private:
  const optim::Optimizer<T>& rule(const nn::Node<T>& node, const nn::Piece& piece) const {
    return *groups[group_of[section.index(node, piece.parameter)]].rule;
  }
  Grouping<T> grouping(const std::vector<optim::Progress>& progress, const StepSettings& by,
                       const optim::Optimizer<T>* rule, const Freezing<T>& freezing) const;
};

// What training has reached, at one moment.
template <class T>
struct StateCopy {
  explicit StateCopy(const Training<T>& training);
  void take(const Training<T>& training);  // once more of the same one, into the same memory
  void put_back(Training<T>& training) const;

  std::vector<Buffer<T>> parameters;  // with buffers
  std::vector<Buffer<T>> averages;    // empty before the first step that has some
  std::vector<std::vector<Buffer<T>>> optimizer_state;
  std::vector<optim::Progress> progress;
  Counters counters;
  Position position;
  Buffer<T> carried;
};

}  // namespace nnext::train
