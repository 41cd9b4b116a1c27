// A network, or a slice of it, with its training, and the order in which calls may use both: of all trainers of a network
// one call trains at a time, any number predict meanwhile. Whoever waits here should hold no lock of the host's.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "train/fit.h"
#include "train/own_loop.h"
#include "train/predict.h"
#include "train/row_predictor.h"
#include "train/shared_network.h"

namespace nnext::train {

// Numbers for a parameter, or for an array that the optimizer keeps beside it, in the public shape.
template <class T>
struct GivenNumbers {
  Size parameter;
  const T* logical;
};

// A state that a training can go on from, as a file has it.
template <class T>
struct GivenState {
  std::vector<GivenNumbers<T>> parameters;
  std::vector<GivenNumbers<T>> averages;                // of all parameters but buffers, or of none
  std::vector<std::vector<GivenNumbers<T>>> optimizer;  // [state]
  std::vector<optim::Progress> progress;                // of every parameter
  Counters counters;
  Position position;
};

template <class T>
class Trainer {
 public:
  // `draws` start values, or leaves zeros where others will be set. Of no use where the host asks to stop.
  Trainer(std::uint64_t seed, const std::vector<Config>& layers, std::span<const Size> input_shape, bool draws,
          nn::Numbering numbering, runtime::Cancel& cancel);
  // Of some layers of another's, [first, last), whose parameters both share; the training is its own. Throws
  // std::invalid_argument where there are no such layers.
  Trainer(Trainer& of, Size first, Size last)
      : Trainer(of, first, last, Gate::Reader(of.network_.gate)) {}  // so that nobody freezes layers meanwhile
  ~Trainer();
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  const nn::Section<T>& section() const { return section_; }
  // What is compiled, at one moment: the targets that the loss takes (none: it is the host's, or there is none), and
  // the names of what the optimizer keeps.
  struct Compiled {
    ops::Loss<T> loss;
    std::vector<std::string> states;
    std::string product;  // empty: none
    bool averages = false;
  };
  Compiled compiled() const;

  // Everything that changes something throws std::runtime_error while another call trains, and does nothing when the
  // host asks to stop.
  // `loss` null: the host's own. `precision` is "float32", that is T, or "bf16". The host may number what it compiles,
  // upwards: what comes after a greater number is out of date, and does nothing.
  void compile(const Config* loss, const Config& optimizer, const std::string& precision, const StepSettings& settings,
               runtime::Cancel& cancel, std::uint64_t number = 0);
  std::uint64_t compilation() const { return training_.compilation.load(); }  // the number of the last
  void set_trainable(const std::vector<std::string>& paths, bool trainable, runtime::Cancel& cancel);
  // Without averages, which are of all parameters but buffers, those start anew.
  void set_parameters(const std::vector<GivenNumbers<T>>& given, const std::vector<GivenNumbers<T>>& averages,
                      runtime::Cancel& cancel);
  void set_state(const GivenState<T>& state, runtime::Cancel& cancel);
  // Calls f(training) at one moment: also during a fit that after a whole step.
  template <class F>
  void look(F f) const {
    const Gate::Reader reader(network_.gate);
    f(static_cast<const Training<T>&>(training_));
  }
  StateCopy<T> copy_state() const;
  std::pair<Counters, std::uint64_t> counters() const;  // and the most steps of the optimizer with a parameter
  void set_counters(const Counters& counters, runtime::Cancel& cancel);
  Position position() const {
    const Gate::Reader reader(network_.gate);
    return training_.position;
  }
  std::vector<std::string> frozen() const;  // paths of layers with parameters
  // The kernels for products in bf16; throws std::invalid_argument where there are none for this network.
  const kernels::Bf16Kernels& find_bf16() const;

  // One fit at a time goes from begin_fit(id) to end_fit(id), which does nothing if another one is in progress.
  // Meanwhile compile() throws: the fit goes on with what was compiled when it began.
  void begin_fit(std::uint64_t id);
  // What it needed beside the parameters is freed, or kept for the next one until somebody else changes the model.
  void end_fit(std::uint64_t id, bool keeps);
  // Of all fits: the operations of their passes, and those times the members that did them.
  std::pair<double, double> team_use() const {
    return {training_.team.work.load(), training_.team.times_members.load()};
  }
  EpochReport fit_epoch(const Samples<T>& samples, const EpochOptions& options, runtime::Cancel& cancel);
  // The order of an epoch's samples, for a loop of one's own; it counts as an epoch.
  Order begin_epoch(Size samples, bool shuffle, runtime::Cancel& cancel);

  void predict(const data::Source<T>& x, Matrix<T> outputs, runtime::Cancel& cancel) {
    train::predict<T>(training_, x, outputs, cancel);
  }
  // One row, where nobody has to be waited for, nor to wait long; else false.
  bool predict_row_at_once(const T* x, T* y);
  const RowPredictor<T>& row_predictor();
  // Of sequences, a step at a time. Throws std::invalid_argument where the layers do not go so.
  std::unique_ptr<const RowPredictor<T>> step_predictor() const;
  double evaluate(const data::Source<T>& x, const ops::Targets<T>& targets, ConstMatrix<T> weights, Matrix<T> outputs,
                  runtime::Cancel& cancel);

  // How many things the loss is a mean of: samples or, where these are sequences with ends of their own, steps.
  Size counted(const data::Source<T>& x) const;

  // Calls f(loop) with the right to train, for forward and backward of one's own, unless the host asks to stop.
  template <class F>
  void with_own_loop(const char* operation, runtime::Cancel& cancel, F f) {
    const Gate::Training right = begin(operation);
    if (take_precision(cancel)) f(*own_loop_);
  }
  double loss_and_gradients(const data::Source<T>& x, const ops::Targets<T>& targets, ConstMatrix<T> weights,
                            runtime::Cancel& cancel);
  void step(std::span<const SettingValue> settings, runtime::Cancel& cancel);

 private:
  using Gate = runtime::Gate;
  // Throw std::runtime_error where there is no optimizer, or no loss for such targets.
  void require_optimizer(const char* operation) const;
  void require_claimed() const;
  bool in_claimed_fit() const { return claim_.load() != 0 && claim_.load() == network_.gate.fit(); }
  void require_loss(const char* operation, const ops::Targets<T>& targets, ConstMatrix<T> weights) const;
  Trainer(Trainer& of, Size first, Size last, const Gate::Reader&);
  Gate::Training begin(const char* operation);
  bool take_precision(runtime::Cancel& cancel);
  template <class F, class Before = void (*)()>
  void change(const char* operation, runtime::Cancel& cancel, F f, Before before = [] {});
  void put(const GivenNumbers<T>& given, T* to);
  void put(const std::vector<GivenNumbers<T>>& parameters, const std::vector<GivenNumbers<T>>& averages);
  void require_places(const std::vector<GivenNumbers<T>>& parameters,
                      const std::vector<GivenNumbers<T>>& averages) const;
  void forget_lost_passes();
  void forget_passes(const char* why = "");
  template <class F>
  void for_others(F f) const;
  void tell_others_unless(std::uint64_t step);
  void be_told_of_numbers(const nn::Section<T>& changed);
  void take_freezing(Grouping<T>&& grouping) noexcept;

  std::vector<Config> layers_;
  std::shared_ptr<SharedNetwork<T>> shared_;
  nn::Network<T>& network_;
  nn::Section<T> section_;
  Training<T> training_;
  std::unique_ptr<OwnLoop<T>> own_loop_;
  std::unique_ptr<Fit<T>> fit_;
  std::atomic<std::uint64_t> claim_{0};    // the id of this one's fit, from begin_fit to end_fit; 0: none
  std::atomic<std::uint64_t> claimed_{0};  // what was compiled then
  std::atomic<const RowPredictor<T>*> row_predictor_{nullptr};  // made when it is first asked for
};

// Calls f(trainer) for all others that have a layer with this one in common. The caller has the right to train.
template <class T>
template <class F>
void Trainer<T>::for_others(F f) const {
  for (Trainer* other : typename SharedNetwork<T>::All(*shared_))
    if (other != this && other->section_.meets(section_)) f(*other);
}

// Changes what passes depend on, while nobody trains or predicts, all at once: f builds what is to be, which may fail, and
// returns what puts it in place, which may not. And before, while nobody trains, what may take long and be stopped.
template <class T>
template <class F, class Before>
void Trainer<T>::change(const char* operation, runtime::Cancel& cancel, F f, Before before) {
  const Gate::Training right = begin(operation);
  before();
  const Gate::Writer writer(network_.gate, &cancel);
  if (!writer) return;
  auto put_in_place = f();
  static_assert(noexcept(put_in_place()));
  put_in_place();
  forget_passes();
}

}  // namespace nnext::train
