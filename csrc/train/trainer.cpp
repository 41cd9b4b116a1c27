#include "train/trainer.h"

#include "core/errors.h"

namespace nnext::train {

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
void Trainer<T>::end_fit(std::uint64_t id, bool keeps) {
  std::uint64_t mine = id;
  claim_.compare_exchange_strong(mine, 0);
  if (!network_.gate.end_fit(id) || keeps) return;
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
  if (writer) ++training_.counters.epoch, training_.position.begin_epoch(), training_.carried.rows = 0;
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
  const std::optional<Shape> in = section_.input() ? section_.input() : section_.one_step();
  if (!in)
    core::fail_value("[compile_inference] the network takes samples of several shapes; build it with an input_shape");
  auto made = std::make_unique<const RowPredictor<T>>(section_, *in);
  return row_predictor_.compare_exchange_strong(known, made.get()) ? *made.release() : *known;
}

template <class T>
std::unique_ptr<const RowPredictor<T>> Trainer<T>::step_predictor() const {
  const std::optional<Shape> in = section_.one_step();
  if (!in)
    core::fail_value("[step] the network takes no sequences (steps, features); begin it with a recurrent layer or an ",
                     "Embedding, or tell it such an input_shape");
  section_.require_steps();
  return std::make_unique<const RowPredictor<T>>(section_, *in);
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
Size Trainer<T>::counted(const data::Source<T>& x) const {
  Size counted = 0;
  look([&](const Training<T>& training) {
    const Plan<T> plan(section_, x.shape, 1, training.loss.head, Use::predict);
    counted = counted_places(plan, x).value_or(x.rows);
  });
  return counted;
}

template <class T>
double Trainer<T>::evaluate(const data::Source<T>& x, const ops::Targets<T>& targets, ConstMatrix<T> weights,
                            Matrix<T> outputs, runtime::Cancel& cancel) {
  const Gate::Reader reader(network_.gate);  // the loss stays the one that targets were checked for
  require_loss("evaluate", targets, weights);
  return train::evaluate<T>(training_, x, targets, weights, outputs, cancel);
}

// The members above; the others are instantiated in trainer_compile.cpp, trainer_shared.cpp and trainer_state.cpp.
template class Trainer<float>;
template class Trainer<double>;

}  // namespace nnext::train
