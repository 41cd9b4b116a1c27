#include "train/trainer.h"

#include <type_traits>

#include "core/errors.h"
#include "kernels/bf16/dispatch.h"

namespace nnext::train {

// ---- what there is to set -------------------------------------------------------------------------------------------

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
              "[compile] a fit of this model is in progress, and goes on with what was compiled before; compile when "
              "it "
              "has ended");
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

// ---- training -------------------------------------------------------------------------------------------------------

template <class T>
void Trainer<T>::begin_fit(std::uint64_t id) {
  network_.gate.begin_fit(id);
  claim_.store(id), claimed_.store(compilation());
}

// Another thread may have been about to compile when the fit began.
template <class T>
void Trainer<T>::require_claimed() const {
  if (in_claimed_fit() && claimed_.load() != compilation())
    throw std::runtime_error("[fit] the model was compiled anew while the fit began; call fit again");
}

template <class T>
void Trainer<T>::end_fit(std::uint64_t id) {
  claim_.compare_exchange_strong(id, 0);
  if (!network_.gate.end_fit(id)) return;
  const Gate::Training right(network_.gate, std::try_to_lock);  // else a call of another thread may use it
  if (right) fit_.reset();
}

template <class T>
EpochReport Trainer<T>::fit_epoch(const Samples<T>& samples, const EpochOptions& options, runtime::Cancel& cancel) {
  const Gate::Training right = begin("fit");
  require_claimed();
  require_optimizer("fit");
  if (options.batch_size < 1) core::fail_value("[fit] batch_size is 0; a batch has at least one sample");
  if (samples.host_loss == nullptr) require_loss("fit", samples.targets, samples.weights);
  own_loop_->reset();
  if (!take_precision(cancel)) return {};
  if (fit_ == nullptr) fit_ = std::make_unique<Fit<T>>(training_);
  const std::uint64_t step = training_.counters.step;
  try {
    const EpochReport report = fit_->run_epoch(samples, options, cancel);
    tell_others_unless(step);
    return report;
  } catch (...) {  // a function of the host's, or no memory: a copy to go back to may be half made
    fit_.reset();
    tell_others_unless(step);
    throw;
  }
}

template <class T>
Order Trainer<T>::begin_epoch(Size samples, bool shuffle, runtime::Cancel& cancel) {
  if (samples > kMaxSamples)
    core::fail_value("[fit] there are ", samples, " samples, but an order has at most ", kMaxSamples);
  const Gate::Training right = begin("fit");
  Order order =
      shuffle ? shuffled_order(network_.seed, training_.counters.epoch, samples, cancel) : plain_order(samples, cancel);
  const Gate::Writer writer(network_.gate, &cancel);
  if (writer) ++training_.counters.epoch, training_.position.begin_epoch();
  return order;
}

template <class T>
void Trainer<T>::require_optimizer(const char* operation) const {
  if (training_.optimizer == nullptr)
    throw std::runtime_error(core::message("[", operation, "] there is no optimizer; compile with one first"));
}

template <class T>
void Trainer<T>::require_loss(const char* operation, const ops::Targets<T>& targets, ConstMatrix<T> weights) const {
  const ops::Loss<T>& loss = training_.loss;
  const bool fits =
      loss.kernel != nullptr && loss.has_weights_for(targets.channels) &&
      (targets.indices != nullptr ? loss.kernel->indexed != nullptr : !!targets.dense) &&
      (!weights || weights.cols == 1 || weights.cols == targets.places || ops::is_mean_of_outputs(loss.kind->targets));
  const char* name = loss.kernel == nullptr ? "a function" : loss.kernel->name;
  if (!fits)
    throw std::runtime_error(core::message("[", operation, "] the samples were checked for another loss than ", name,
                                           "; compile before, not between"));
}

template <class T>
double Trainer<T>::loss_and_gradients(const data::Source<T>& x, const ops::Targets<T>& targets, ConstMatrix<T> weights,
                                      runtime::Cancel& cancel) {
  const Gate::Training right = begin("loss_and_grads");
  require_loss("loss_and_grads", targets, weights);
  if (!take_precision(cancel)) return 0;
  return own_loop_->loss_and_gradients(x, targets, weights, cancel);
}

template <class T>
void Trainer<T>::step(std::span<const SettingValue> settings, runtime::Cancel& cancel) {
  const Gate::Training right = begin("step");
  require_optimizer("step");
  fit_.reset();  // a fit under way, whose callback this is, could not repeat this step from a copy
  const std::uint64_t before = training_.counters.step;
  own_loop_->step(settings, cancel);
  tell_others_unless(before);
}

// ---- predictions ----------------------------------------------------------------------------------------------------

// Nobody waits for another one who makes it: callers may hold the host's lock, and the other thread may exist no more.
template <class T>
const RowPredictor<T>& Trainer<T>::row_predictor() {
  const RowPredictor<T>* known = row_predictor_.load(std::memory_order_acquire);
  if (known != nullptr) return *known;
  if (!section_.input())
    core::fail_value("[compile_inference] the network takes samples of several shapes; build it with an input_shape");
  auto made = std::make_unique<const RowPredictor<T>>(section_, *section_.input());
  return row_predictor_.compare_exchange_strong(known, made.get()) ? *made.release() : *known;
}

template <class T>
bool Trainer<T>::predict_row_at_once(const T* x, T* y) {
  const Gate::Reader reader(network_.gate, std::try_to_lock);
  if (!reader) return false;
  const RowPredictor<T>& row = &training_.shown() == &section_ ? row_predictor() : training_.averages->row_predictor();
  if (!row.is_brief()) return false;
  row(x, y);
  return true;
}

template <class T>
double Trainer<T>::evaluate(const data::Source<T>& x, const ops::Targets<T>& targets, ConstMatrix<T> weights,
                            Matrix<T> outputs, runtime::Cancel& cancel) {
  const Gate::Reader reader(network_.gate);  // the loss stays the one that targets were checked for
  require_loss("evaluate", targets, weights);
  return train::evaluate<T>(training_, x, targets, weights, outputs, cancel);
}

// The members above; the others are instantiated in trainer_shared.cpp and trainer_state.cpp.
template class Trainer<float>;
template class Trainer<double>;

}  // namespace nnext::train
