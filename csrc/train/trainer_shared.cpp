// Trainers come and go with the network that they share, take it in turn, and tell each other what they change.
#include <algorithm>

#include "train/trainer.h"

namespace nnext::train {

template <class T>
Trainer<T>::Trainer(std::uint64_t seed, const std::vector<Config>& layers, std::span<const Size> input_shape,
                    bool draws, nn::Numbering numbering)
    : awaits_numbers_(!draws),
      layers_(layers),
      shared_(std::make_shared<SharedNetwork<T>>(seed, layers, numbering)),
      network_(shared_->network),
      section_(network_, input_shape),
      training_(section_),
      own_loop_(std::make_unique<OwnLoop<T>>(training_)) {
  network_.allocate();
  if (draws) network_.initialize();
  shared_->add(this);
}

template <class T>
Trainer<T>::Trainer(Trainer& of, Size first, Size last, const Gate::Reader&)
    : layers_(of.layers_.begin() + static_cast<std::ptrdiff_t>(first),
              of.layers_.begin() + static_cast<std::ptrdiff_t>(last)),
      shared_(of.shared_),
      network_(of.network_),
      section_(of.section_, first, last),
      training_(section_),
      own_loop_(std::make_unique<OwnLoop<T>>(training_)) {
  shared_->add(this);
}

template <class T>
Trainer<T>::~Trainer() {
  forget_lost_passes();
  shared_->remove(this);
}

// A thread that trained when this process was forked has left passes half-made. They cannot be destroyed. No other
// thread has used them since.
template <class T>
void Trainer<T>::forget_lost_passes() {
  if (!network_.gate.take_abandoned()) return;
  shared_->for_trainers([](Trainer& trainer) {
    static_cast<void>(trainer.own_loop_.release());
    static_cast<void>(trainer.fit_.release());
  });
}

// The right to train for as long as the result lives.
template <class T>
runtime::Gate::Training Trainer<T>::begin(const char* operation) {
  Gate::Training right(network_.gate, operation);
  forget_lost_passes();
  if (own_loop_ == nullptr) own_loop_ = std::make_unique<OwnLoop<T>>(training_);
  return right;
}

// Layers are as the last pass wanted them, which may have been another trainer's. False where the host asks to stop.
template <class T>
bool Trainer<T>::take_precision(runtime::Cancel& cancel) {
  const auto nodes = section_.nodes();
  const auto is_set = [&](const nn::Node<T>& node) { return node.layer->bf16 == training_.bf16; };
  if (std::all_of(nodes.begin(), nodes.end(), is_set)) return true;
  const Gate::Writer writer(network_.gate, &cancel);
  if (!writer) return false;
  for (nn::Node<T>& node : nodes) node.layer->use_bf16(training_.bf16);
  return true;
}

template <class T>
void Trainer<T>::forget_passes(const char* why) {
  if (own_loop_ != nullptr) own_loop_->reset(why);
  fit_.reset();
}

// After steps, of which there were `step` before; passes of others and their averages are out of date.
template <class T>
void Trainer<T>::tell_others_unless(std::uint64_t step) {
  if (training_.counters.step == step || !shared_->has_several()) return;
  const Gate::Writer writer(network_.gate, nullptr);
  for_others([&](Trainer& other) { other.be_told_of_numbers(section_); });
}

template <class T>
void Trainer<T>::be_told_of_numbers(const nn::Section<T>& changed) {
  forget_passes(", as another model of this network has changed parameters since");
  if (training_.averages != nullptr) training_.averages->restart(changed);
}

template <class T>
void Trainer<T>::be_told_of_freezing() {
  forget_passes(", as another model of this network has frozen layers, or no longer does");
  training_.regroup(training_.progress());
  if (training_.averages != nullptr) training_.averages->settle();
}

// The members above; the others are instantiated in trainer.cpp and trainer_state.cpp.
template class Trainer<float>;
template class Trainer<double>;

}  // namespace nnext::train
