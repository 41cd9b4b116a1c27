// A trainer as Python holds it: every array comes in through bindings/arrays.h and goes out in its public shape, every
// call that may wait or take long leaves Python's lock to others.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/interrupt.h"
#include "bindings/rows.h"
#include "bindings/targets.h"
#include "train/trainer.h"

namespace nnext::bindings {

// Checked samples, kept for all epochs of a fit.
template <class T>
struct SampleArrays {
  py::array_t<std::uint32_t> chosen;  // rows of what was given; empty: all
  Rows<T> x;
  TargetArrays<T> targets;
  SampleWeights<T> weights;
  core::Shape output;  // of a sample
  Size counted = 0;    // that the loss is a mean of: samples or, where these have ends of their own, steps

  Size rows() const { return x.source().rows; }
  ops::Targets<T> target_view() const { return targets.view(rows(), output); }
  ConstMatrix<T> weight_view() const { return matrix_view(weights.over_mean); }
  double weight() const { return static_cast<double>(counted) * weights.mean; }  // of all samples together
};

// Parameters and buffers as (path, shape, role), in the order of all lists below.
using TensorInfo = std::tuple<std::string, std::vector<Size>, std::string>;
template <class T>
std::vector<TensorInfo> tensor_table(const nn::Section<T>& section);

template <class T>
class Model {
 public:
  using Sizes = std::vector<Size>;           // extents of a sample, as people write them
  using Numbering = std::tuple<Size, Size>;  // nn::Numbering
  using Holder = std::unique_ptr<Model, DeleteWithoutGil>;
  static Holder make(std::uint64_t seed, const py::sequence& layers, const Sizes& input_shape, bool draws,
                     const Numbering& numbering);
  // Of the layers [first, last), of the same network.
  Holder slice(Size first, Size last);

  Numbering numbering() const;
  const Sizes& told_shape() const { return trainer_.section().told_shape(); }  // of a sample; none if it was not told

  // Of samples that the network takes (none: not known), and what it gives for such. Throws where the layers do not fit
  // together.
  std::optional<Sizes> input_shape() const;
  using Output = std::pair<Sizes, Size>;  // and which of its axes are the channels
  Output output(const Sizes& input_shape) const;
  const nn::Section<T>& section() const { return trainer_.section(); }
  bool takes_steps() const { return trainer_.section().takes_steps(); }
  // How many steps of the outputs count for samples of such lengths; none where outputs have no steps.
  std::optional<std::vector<Size>> output_lengths(const Sizes& input_shape, const std::vector<Size>& lengths) const;
  // Of each layer that Python has, for such samples: path, output shape, FLOPs, bytes of its output.
  using LayerInfo = std::tuple<std::string, Sizes, double, Size>;
  std::vector<LayerInfo> layers(const Sizes& input_shape) const;

  std::vector<TensorInfo> tensors() const { return tensor_table(trainer_.section()); }
  // What predicts: averages where there are some. All of one moment: also during a fit the state after a whole step.
  py::list get_tensors() const;
  // Index to values. Either all are set, in one go for predictions under way, or none. Averages start anew.
  void set_tensors(const py::dict& values);
  // The tensors of the training, and their averages: None for a buffer, or no entry at all.
  py::tuple get_weights() const;
  void set_weights(const py::list& tensors, const py::list& averages);
  py::list get_gradients();
  // Both, optimizer state [tensor][state], progress, counters, position: likewise of one moment, and set in one go. Of the
  // same moment are the frozen layers and the number of what is compiled, which are not set with them.
  using Progress = std::vector<std::tuple<std::uint64_t, double>>;    // steps and product, of each tensor
  using Counters = std::tuple<std::uint64_t, std::uint64_t>;          // steps and epochs, over the network's life
  using Position = std::tuple<double, std::uint64_t, std::uint64_t>;  // train::Position
  py::tuple get_state() const;
  void set_state(const py::list& tensors, const py::list& averages, const py::list& optimizer_state,
                 const Progress& progress, const Counters& counters, const Position& position);
  // Steps, epochs, and the most steps that the optimizer has taken with a parameter.
  std::tuple<std::uint64_t, std::uint64_t, std::uint64_t> get_counters() const;
  void set_counters(const Counters& counters);
  Position get_position() const;
  std::pair<double, double> team_use() const { return trainer_.team_use(); }
  std::vector<std::string> optimizer_states() const;
  std::string product_name() const;

  void compile(const py::object& loss, const py::dict& optimizer, const std::string& precision,
               const train::StepSettings& settings, std::uint64_t number);
  std::uint64_t compilation() const { return trainer_.compilation(); }
  std::string find_bf16() const { return trainer_.find_bf16().name; }
  void set_trainable(const std::vector<std::string>& paths, bool trainable);
  std::vector<std::string> frozen() const;

  // A loss of the host's does with y what it will. Of x, `rows` alone are taken; none: all.
  std::unique_ptr<SampleArrays<T>> samples(const py::object& x, const py::object& y, const py::object& sample_weight,
                                           const std::string& operation, const py::object& scale,
                                           const py::object& rows) const;
  void begin_fit(std::uint64_t id) { trainer_.begin_fit(id); }
  void end_fit(std::uint64_t id, bool keeps) { trainer_.end_fit(id, keeps); }
  train::EpochReport fit_epoch(const SampleArrays<T>& samples, const py::object& outputs,
                               const train::EpochOptions& options, const py::object& host_loss);
  py::array_t<std::uint32_t> begin_epoch(Size samples, bool shuffle);

  py::array_t<T> predict(const py::object& x, const py::object& out, bool check, const py::object& scale);
  // For one sample; the network must know how many features that has.
  const train::RowPredictor<T>& row_predictor() { return trainer_.row_predictor(); }
  std::unique_ptr<const train::RowPredictor<T>> step_predictor() const { return trainer_.step_predictor(); }
  py::tuple evaluate(const SampleArrays<T>& samples);
  py::array_t<T> outputs(const SampleArrays<T>& samples);

  py::array_t<T> forward(const py::object& x, bool training, const py::object& scale);
  py::array_t<T> backward(const py::object& dy);
  double loss_and_gradients(const SampleArrays<T>& samples);
  void step(const std::vector<train::SettingValue>& settings);

 private:
  template <class... Arguments>
  explicit Model(Arguments&&... arguments) : trainer_(std::forward<Arguments>(arguments)...) {}
  // All tensors and averages, checked; `keep` has the arrays.
  using Arrays = std::vector<py::array_t<T>>;
  void give(const py::list& tensors, const py::list& averages, train::GivenState<T>& to, Arrays& keep) const;
  void require_own(const SampleArrays<T>& samples, const char* operation) const;
  const nn::Parameter<T>& parameter(Size index) const;
  typename train::Trainer<T>::Compiled compiled() const;
  py::array_t<T> checked(Size index, const py::handle& values, const char* operation) const;
  Rows<T> some_rows(const py::object& x, const py::object& scale, const Argument& argument) const;
  core::Shape read(const Sizes& input_shape) const;
  std::optional<std::vector<Size>> lengths_behind(const core::Shape& shape, const std::vector<Size>& lengths) const;
  std::vector<Size> output_ends(const data::Source<T>& x) const;

  std::vector<py::ssize_t> forward_shape_{};  // of the X that forward() was given last: dX has it, too

  train::Trainer<T> trainer_;
};

}  // namespace nnext::bindings
