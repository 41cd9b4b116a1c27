// What a trainer is told to do: compile and freeze.
#include <type_traits>

#include "core/errors.h"
#include "kernels/bf16/dispatch.h"
#include "train/trainer.h"

namespace nnext::train {

template <class T>
const kernels::Bf16Kernels& Trainer<T>::find_bf16() const {
  if constexpr (!std::is_same_v<T, float>) {
    core::fail_value(
        "[compile] precision is \"bf16\" but the network's dtype is float64; make it with dtype=\"float32\"");
  } else {
    if (const kernels::Bf16Kernels* found = kernels::current_bf16(network_.kernels)) return *found;
    if (!kernels::available_bf16().empty())
      core::fail_value("[compile] precision is \"bf16\" but the network was made for the instruction set ",
                       kernels::current_isa().name,
                       ", and bf16 goes with avx512; unset NNEXT_ISA or use precision=\"float32\"");
    core::fail_value(
        "[compile] precision is \"bf16\" but this CPU has neither AMX-BF16 nor AVX512-BF16, or the system "
        "keeps them; use precision=\"float32\"");
  }
}

namespace {

// Whatever the host has checked: a step divides by some of these.
void require_sound(const StepSettings& settings) {
  if (settings.accumulate < 1)
    core::fail_value("[compile] accumulate is ", settings.accumulate, "; a step takes at least 1 batch");
  if (!(settings.clip_norm >= 0 && settings.clip_value >= 0 && settings.ema >= 0 && settings.ema < 1))
    core::fail_value("[compile] clip_norm is ", settings.clip_norm, ", clip_value ", settings.clip_value, " and ema ",
                     settings.ema, "; the first two must not be negative, the last lie from 0 to 1");
}

// What compares losses and goes by the differences of gradients needs them as they are.
void require_exact_loss(const std::string& precision, const StepSettings& settings) {
  if (precision == "bf16")
    core::fail_value(
        "[compile] precision is \"bf16\" but LBFGS compares losses closer than bf16 tells them; use "
        "precision=\"float32\", or another optimizer");
  const bool by_norm = settings.clip_norm > 0;
  if (by_norm || settings.clip_value > 0)
    core::fail_value("[compile] ", by_norm ? "clip_norm" : "clip_value", " is ",
                     by_norm ? settings.clip_norm : settings.clip_value,
                     " but LBFGS goes by the gradients as they are; leave it out, or use another optimizer");
}

}  // namespace

template <class T>
void Trainer<T>::compile(const Config* loss, const Config& optimizer, const std::string& precision,
                         const StepSettings& settings, runtime::Cancel& cancel, std::uint64_t number) {
  require_sound(settings);
  const kernels::Bf16Kernels* bf16 = precision == "bf16" ? &find_bf16() : nullptr;
  if (bf16 != nullptr && settings.accumulate > 1)
    core::fail_value("[compile] precision is \"bf16\" and accumulate is ", settings.accumulate,
                     ", but sums in bf16 cannot go on from batch to batch with the same bits; use "
                     "precision=\"float32\", or a larger batch_size");
  typename Training<T>::Compiled compiled = training_.prepare(loss, optimizer, settings, cancel);
  if (compiled.optimizer->minimizer() != nullptr) {
    require_exact_loss(precision, settings);
    compiled.trial = std::make_unique<Twin<T>>(section_, layers_);
  }
  if (settings.ema > 0) compiled.averages = std::make_unique<Averages<T>>(section_, layers_, settings.ema);
  compiled.bf16 = bf16, compiled.number = number;
  change(
      "compile", cancel,
      [&] {
        if (in_claimed_fit())
          throw std::runtime_error(
              "[compile] a fit of this model is in progress, and goes on with what was compiled before; compile after "
              "it");
        training_.group(compiled);
        return [&]() noexcept {
          if (number == 0 || number > compilation()) training_.put(std::move(compiled));
        };
      },
      [&] {
        if (compiled.averages != nullptr) compiled.averages->begin_with(cancel);
      });
}

template <class T>
void Trainer<T>::set_trainable(const std::vector<std::string>& paths, bool trainable, runtime::Cancel& cancel) {
  change("freeze", cancel, [&] {
    Freezing<T> freezing;
    freezing.trainable = trainable;
    for (const std::string& path : paths) {
      const std::vector<nn::Layer<T>*> found = section_.layers_at(path);
      if (found.empty()) core::fail_value("[freeze] there is no layer '", path, "'");
      freezing.layers.insert(freezing.layers.end(), found.begin(), found.end());
    }
    typename SharedNetwork<T>::All all(*shared_);
    std::vector<std::pair<Trainer*, Grouping<T>>> made;
    for (Trainer* trainer : all)
      if (trainer->section_.meets(section_))
        made.emplace_back(trainer, trainer->training_.grouping(trainer->training_.progress(), freezing));
    return [freezing = std::move(freezing), all = std::move(all), made = std::move(made)]() mutable noexcept {
      for (nn::Layer<T>* layer : freezing.layers) layer->trainable = freezing.trainable;
      for (auto& [trainer, grouping] : made) trainer->take_freezing(std::move(grouping));
    };
  });
}

template <class T>
typename Trainer<T>::Compiled Trainer<T>::compiled() const {
  const Gate::Reader reader(network_.gate);
  Compiled found;
  found.loss = training_.loss;
  if (training_.optimizer == nullptr) return found;
  for (const optim::State& state : training_.optimizer->states()) found.states.emplace_back(state.name);
  found.averages = training_.averages != nullptr;
  if (const char* product = training_.optimizer->product_name(); product != nullptr) found.product = product;
  return found;
}

template <class T>
std::vector<std::string> Trainer<T>::frozen() const {
  const Gate::Reader reader(network_.gate);
  return section_.frozen();
}

// The members above; the others are instantiated in trainer.cpp and its neighbours.
template class Trainer<float>;
template class Trainer<double>;

}  // namespace nnext::train
