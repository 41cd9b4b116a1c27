#include "bindings/model.h"

#include <pybind11/stl.h>

#include <numeric>
#include <optional>

#include "bindings/interrupt.h"
#include "core/errors.h"
#include "kernels/bf16/dispatch.h"
#include "nn/activation.h"
#include "nn/dropout.h"
#include "nn/flatten.h"
#include "nn/linear.h"
#include "nn/softmax.h"
#include "ops/activation.h"

namespace nnext::bindings {

using train::Gate;

namespace {

template <class T>
py::array_t<T> copy_of(ConstMatrix<T> from) {
  py::array_t<T> result({from.rows, from.cols});
  std::copy_n(from.data, from.rows * from.cols, result.mutable_data());
  return result;
}

auto as_tuple(const train::Counters& counters) {
  return std::tuple(counters.step, counters.epoch, counters.optimizer_step);
}

}  // namespace

template <class T>
void Model<T>::add_linear(Size in_features, Size out_features, bool bias, const nn::Initializer& weight_init,
                          const nn::Initializer& bias_init) {
  const nn::Network<T>& network = state_.network;
  const typename nn::Linear<T>::Config config{in_features, out_features, bias, weight_init, bias_init};
  add(std::make_unique<nn::Linear<T>>(network.kernels, config, network.seed, network.layers.size()));
}
template <class T>
void Model<T>::add_activation(const std::string& name, double argument) {
  add(std::make_unique<nn::Activation<T>>(ops::find_activation(state_.network.kernels, name), argument));
}
template <class T>
void Model<T>::add_softmax() {
  add(std::make_unique<nn::Softmax<T>>());
}
template <class T>
void Model<T>::add_dropout(double p) {
  add(std::make_unique<nn::Dropout<T>>(p, state_.network.layers.size()));
}
template <class T>
void Model<T>::add_flatten() {
  add(std::make_unique<nn::Flatten<T>>());
}

template <class T>
Size Model<T>::in_features() const {
  for (const auto& layer : state_.network.layers)
    if (const Size features = layer->in_features(); features != 0) return features;
  return 0;
}

template <class T>
Size Model<T>::out_features(Size in_features) const {
  Size features = in_features;
  for (Size i = 0; i < state_.network.layers.size(); ++i) try {
      features = state_.network.layers[i]->out_features(features);
    } catch (const std::invalid_argument& error) {
      core::fail_value("layer ", i, ": ", error.what());
    }
  return features;
}

template <class T>
std::vector<std::tuple<Size, std::string, std::vector<Size>>> Model<T>::parameters() const {
  std::vector<std::tuple<Size, std::string, std::vector<Size>>> all;
  for (Size i = 0; i < state_.network.layers.size(); ++i)
    for (const nn::Parameter<T>& parameter : state_.network.layers[i]->parameters)
      all.emplace_back(i, parameter.name, parameter.shape);
  return all;
}

template <class T>
typename Model<T>::Place Model<T>::place(Size index) const {
  for (const auto& layer : state_.network.layers) {
    if (index < layer->parameters.size()) return {layer.get(), index};
    index -= layer->parameters.size();
  }
  throw std::out_of_range("no such parameter");
}

template <class T>
py::array_t<T> Model<T>::logical(Size index, const core::Buffer<T>& stored) const {
  const Place at = place(index);
  py::array_t<T> result(at.layer->parameters[at.in_layer].shape);
  at.layer->to_logical(at.in_layer, stored.data(), result.mutable_data());
  return result;
}

template <class T>
py::list Model<T>::logical(const std::vector<core::Buffer<T>>& stored) const {
  py::list arrays;
  for (Size i = 0; i < stored.size(); ++i) arrays.append(logical(i, stored[i]));
  return arrays;
}

template <class T>
py::array_t<T> Model<T>::checked(Size index, const py::handle& values, const char* operation) const {
  const Place at = place(index);
  const nn::Parameter<T>& parameter = at.layer->parameters[at.in_layer];
  const Asked asked{operation, parameter.name.c_str()};
  const py::array numbers = as_numbers(values, asked);
  const std::vector<Size> shape(numbers.shape(), numbers.shape() + numbers.ndim());
  if (shape != parameter.shape)
    core::fail_value("[", operation, "] ", parameter.name, " has shape ", shape_text(numbers), " but the model's is ",
                     shape_text(py::array_t<T>(parameter.shape)), "; give arrays of the model's shapes");
  return as_contiguous<T>(numbers, asked);
}

// A thread that trained when this process was forked has left its passes half-made. They cannot be destroyed.
template <class T>
void Model<T>::forget_lost_passes() {
  if (!state_.gate.take_abandoned()) return;
  static_cast<void>(own_loop_.release());
  static_cast<void>(fit_.release());
}

// The right to train for as long as the result lives.
template <class T>
Gate::Training Model<T>::begin(const char* operation) {
  forget_lost_passes();
  if (own_loop_ == nullptr) own_loop_ = std::make_unique<train::OwnLoop<T>>(state_);
  return Gate::Training(state_.gate, operation);
}

// Calls f, which changes what passes depend on, while nobody trains or predicts.
template <class T>
template <class F>
void Model<T>::change(const char* operation, F f) {
  const Gate::Training training = begin(operation);
  interruptible([&](runtime::Cancel& cancel) {
    const Gate::Writer writer(state_.gate, &cancel);
    if (!writer) return;
    f();
    forget_passes();
  });
}

template <class T>
train::StateCopy<T> Model<T>::copy_state() {
  std::optional<train::StateCopy<T>> copy;
  {
    const WithoutGil without_gil;
    const Gate::Reader reader(state_.gate);
    copy.emplace(state_);
  }
  return std::move(*copy);
}

template <class T>
py::list Model<T>::get_parameters() {
  return logical(copy_state().parameters);
}

template <class T>
py::tuple Model<T>::get_state() {
  const train::StateCopy<T> copy = copy_state();
  py::list optimizer_state;
  for (Size i = 0; i < copy.optimizer_state.size(); ++i) {
    py::list states;
    for (const core::Buffer<T>& stored : copy.optimizer_state[i]) states.append(logical(i, stored));
    optimizer_state.append(states);
  }
  return py::make_tuple(logical(copy.parameters), optimizer_state, as_tuple(copy.counters));
}

template <class T>
void Model<T>::set_parameters(const py::dict& values) {
  std::vector<std::pair<Place, py::array_t<T>>> given;
  for (const auto& [key, array] : values) {
    const auto index = py::cast<Size>(key);
    given.emplace_back(place(index), checked(index, array, "load_state_dict"));
  }
  change("load_state_dict", [&] {
    for (const auto& [at, array] : given) {
      at.layer->from_logical(at.in_layer, array.data(), at.layer->parameters[at.in_layer].values.data());
      at.layer->fresh = nn::Derived::none;
    }
  });
}

template <class T>
py::list Model<T>::get_gradients() {
  const Gate::Training training = begin("grads");
  if (!own_loop_->has_gradients())
    throw std::runtime_error("[grads] there are no gradients; call backward(dY) or loss_and_grads(X, y) first");
  return logical(own_loop_->gradients());
}

template <class T>
void Model<T>::set_optimizer_state(Size index, Size state, const py::object& values) {
  const py::array_t<T> array = checked(index, values, "load");
  core::Buffer<T>& stored = state_.optimizer_state.at(index).at(state);
  change("load", [&] { place(index).layer->from_logical(place(index).in_layer, array.data(), stored.data()); });
}

template <class T>
typename Model<T>::Counters Model<T>::get_counters() {
  const WithoutGil without_gil;
  const Gate::Reader reader(state_.gate);
  return as_tuple(state_.counters);
}

template <class T>
void Model<T>::set_counters(const Counters& counters) {
  change("load",
         [&] { std::tie(state_.counters.step, state_.counters.epoch, state_.counters.optimizer_step) = counters; });
}

template <class T>
void Model<T>::set_trainable(Size layer, bool trainable) {
  change("freeze", [&] { state_.network.layers.at(layer)->trainable = trainable; });
}

template <class T>
void Model<T>::set_loss(const std::string& loss, bool fuse_last_layer) {
  const kernels::LossKernel<T>& found = ops::find_loss(state_.network.kernels, loss);
  change("compile", [&] { state_.set_loss(found, fuse_last_layer); });
}

template <class T>
const kernels::Bf16Kernels& Model<T>::find_bf16() const {
  if constexpr (!std::is_same_v<T, float>) {
    core::fail_value(
        "[compile] precision is \"bf16\" but the network's dtype is float64; make it with dtype=\"float32\"");
  } else {
    const kernels::Bf16Kernels* found = kernels::current_bf16(state_.network.kernels);
    if (found != nullptr) return *found;
    if (!kernels::available_bf16().empty())
      core::fail_value("[compile] precision is \"bf16\" but the network was made for the instruction set ",
                       kernels::current_isa().name,
                       ", and bf16 goes with avx512; unset NNEXT_ISA or use precision=\"float32\"");
    core::fail_value(
        "[compile] precision is \"bf16\" but this CPU has neither AMX-BF16 nor AVX512-BF16, or the system "
        "keeps them; use precision=\"float32\"");
  }
}

template <class T>
void Model<T>::set_precision(const std::string& precision) {
  const kernels::Bf16Kernels* kernels = precision == "bf16" ? &find_bf16() : nullptr;
  change("compile", [&] {
    for (const auto& layer : state_.network.layers) layer->use_bf16(kernels);
  });
}

template <class T>
void Model<T>::set_optimizer(std::unique_ptr<optim::Optimizer<T>> optimizer) {
  change("compile", [&] { state_.set_optimizer(std::move(optimizer)); });
}

// At least one row, and no more than can be shuffled.
template <class T>
Rows<T> Model<T>::some_rows(const py::object& x, bool flatten, const char* operation, const py::object& scale) const {
  const RowsWanted wanted{
      .features = in_features(), .flatten = flatten, .max_rows = train::kMaxSamples, .scale = scale};
  Rows<T> rows = as_rows<T>(x, wanted, {operation, "X"});
  if (rows.view.rows == 0) core::fail_value("[", operation, "] X has 0 rows; give at least one sample");
  return rows;
}

template <class T>
SampleArrays<T> Model<T>::samples(const py::object& x, const py::object& y, const py::object& sample_weight,
                                  bool flatten, const std::string& operation, const py::object& scale) const {
  const char* op = operation.c_str();
  SampleArrays<T> samples{some_rows(x, flatten, op, scale), {}, {}, !sample_weight.is_none(), 0};
  samples.outputs = out_features(samples.x.view.cols);
  samples.targets =
      as_targets<T>(y, ops::find_loss_kind(state_.loss->name).targets, samples.rows(), samples.outputs, {op, "y"});
  samples.weights = as_sample_weight<T>(sample_weight, samples.rows(), {op, "sample_weight"});
  return samples;
}

template <class T>
py::array Model<T>::rows(const py::object& x, bool flatten, const std::string& operation,
                         const py::object& scale) const {
  return some_rows(x, flatten, operation.c_str(), scale).keep;
}

template <class T>
py::array_t<std::uint32_t> Model<T>::begin_epoch(Size samples, bool shuffle) {
  std::vector<std::uint32_t> order(shuffle ? 0 : samples);
  std::iota(order.begin(), order.end(), 0u);
  const Gate::Training training = begin("fit");
  interruptible([&](runtime::Cancel& cancel) {
    if (shuffle) order = train::shuffled_order(state_.network.seed, state_.counters.epoch, samples, cancel);
    const Gate::Writer writer(state_.gate, &cancel);
    if (writer) ++state_.counters.epoch;
  });
  return py::array_t<std::uint32_t>(static_cast<py::ssize_t>(order.size()), order.data());
}

template <class T>
train::EpochReport Model<T>::fit_epoch(const SampleArrays<T>& samples, const py::object& outputs,
                                       const train::EpochOptions& options) {
  train::Samples<T> given{samples.x.view, samples.target_view(), samples.weight_data(), {}};
  py::array_t<T> kept;
  if (!outputs.is_none()) {
    kept = as_output<T>(outputs, samples.rows(), samples.outputs, {"fit", "outputs"});
    given.outputs = {kept.mutable_data(), samples.rows(), samples.outputs};
  }
  const Gate::Training training = begin("fit");
  own_loop_->reset();
  if (fit_ == nullptr) fit_ = std::make_unique<train::Fit<T>>(state_);
  train::EpochReport report;
  interruptible([&](runtime::Cancel& cancel) { report = fit_->run_epoch(given, options, cancel); });
  return report;
}

template <class T>
void Model<T>::end_fit(std::uint64_t id) {
  if (state_.gate.end_fit(id) && !state_.gate.in_training())
    fit_.reset(), copies_ = {};  // else a call of another thread may use it
}

template <class T>
const train::RowPredictor<T>& Model<T>::row_predictor() {
  if (row_predictor_ == nullptr)
    row_predictor_ = std::make_unique<const train::RowPredictor<T>>(state_.network, in_features());
  return *row_predictor_;
}

template <class T>
py::array_t<T> Model<T>::predict(const py::object& x, const py::object& out, bool check, bool flatten,
                                 const py::object& scale) {
  const RowsWanted wanted{.features = in_features(), .flatten = flatten, .finite = check, .scale = scale};
  const Rows<T> rows = as_rows<T>(x, wanted, {"predict", "X"});
  const Size count = rows.view.rows, outputs = out_features(rows.view.cols);
  py::array_t<T> result = as_output<T>(out, count, outputs, {"predict", "out"});
  if (count == 1 && wanted.features != 0 && rows.view.in_place() && state_.gate.open()) {
    const train::RowPredictor<T>& predict_row = row_predictor();
    const Gate::Reader reader(state_.gate);
    predict_row(rows.view.view(0, 1).data, result.mutable_data());
    return result;
  }
  const bool overlap = !out.is_none() && may_overlap(rows.keep, result);
  py::array_t<T> written = overlap ? py::array_t<T>({count, outputs}) : result;
  const Matrix<T> to(written.mutable_data(), count, outputs);
  interruptible([&](runtime::Cancel& cancel) { train::predict<T>(state_, rows.view, to, cancel); });
  if (overlap) std::copy_n(to.data, count * outputs, result.mutable_data());
  return result;
}

// (loss, outputs)
template <class T>
py::tuple Model<T>::evaluate(const SampleArrays<T>& samples) {
  py::array_t<T> outputs({samples.rows(), samples.outputs});
  const Matrix<T> to(outputs.mutable_data(), samples.rows(), samples.outputs);
  double loss = 0;
  interruptible([&](runtime::Cancel& cancel) {
    loss = train::evaluate<T>(state_, samples.x.view, samples.target_view(), samples.weight_data(), to, cancel);
  });
  return py::make_tuple(loss, outputs);
}

template <class T>
py::array_t<T> Model<T>::forward(const py::object& x, bool training, bool flatten, const py::object& scale) {
  const Rows<T> rows = some_rows(x, flatten, "forward", scale);
  const Gate::Training right = begin("forward");
  ConstMatrix<T> y;
  interruptible([&](runtime::Cancel& cancel) { y = own_loop_->forward(rows.view, training, cancel); });
  return copy_of(y);
}

template <class T>
py::array_t<T> Model<T>::backward(const py::object& dy) {
  const Rows<T> rows = as_rows<T>(dy, {}, {"backward", "dY"});
  const Gate::Training training = begin("backward");
  ConstMatrix<T> dx;
  interruptible([&](runtime::Cancel& cancel) { dx = own_loop_->backward(rows.view, cancel); });
  return copy_of(dx);
}

template <class T>
double Model<T>::loss_and_gradients(const SampleArrays<T>& samples) {
  const Gate::Training training = begin("loss_and_grads");
  double loss = 0;
  interruptible([&](runtime::Cancel& cancel) {
    loss = own_loop_->loss_and_gradients(samples.x.view, samples.target_view(), samples.weight_data(), cancel);
  });
  return loss;
}

template <class T>
void Model<T>::step(double lr) {
  const Gate::Training training = begin("step");
  fit_.reset();  // a fit under way, whose callback this is, could not repeat this step from a copy
  interruptible([&](runtime::Cancel& cancel) { own_loop_->step(lr, cancel); });
}

template <class T>
void Model<T>::keep_copy() {
  const Gate::Training training = begin("fit");
  copies_.take(state_);
}

template <class T>
void Model<T>::go_back() {
  const Gate::Training training = begin("fit");
  interruptible([&](runtime::Cancel& cancel) {
    const Gate::Writer writer(state_.gate, &cancel);
    if (writer) copies_.restore_finite(state_);
  });
}

template class Model<float>;
template class Model<double>;

}  // namespace nnext::bindings
