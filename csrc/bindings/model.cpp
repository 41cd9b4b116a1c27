#include "bindings/model.h"

#include <numeric>

#include "bindings/interrupt.h"
#include "core/errors.h"
#include "nn/activation.h"
#include "nn/dropout.h"
#include "nn/flatten.h"
#include "nn/linear.h"
#include "nn/softmax.h"

namespace nnext::bindings {

using train::BusyGuard;
using train::Gate;

namespace {

template <class T>
py::array_t<T> copy_of(ConstMatrix<T> from) {
  py::array_t<T> result({from.rows, from.cols});
  std::copy_n(from.data, from.rows * from.cols, result.mutable_data());
  return result;
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
void Model<T>::add_activation(kernels::Activation kind, double slope) {
  add(std::make_unique<nn::Activation<T>>(kind, slope));
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
    for (const nn::Parameter<T>& parameter : state_.network.layers[i]->parameters) all.emplace_back(i, parameter.name, parameter.shape);
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
py::array_t<T> Model<T>::logical(Size index, const T* stored) const {
  const Place at = place(index);
  py::array_t<T> result(at.layer->parameters[at.in_layer].shape);
  at.layer->to_logical(at.in_layer, stored, result.mutable_data());
  return result;
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

template <class T>
py::array_t<T> Model<T>::get_parameter(Size index) {
  const Place at = place(index);
  py::array_t<T> result(at.layer->parameters[at.in_layer].shape);
  T* to = result.mutable_data();
  without_gil([&] {
    const Gate::Reader reader(state_.gate);
    at.layer->to_logical(at.in_layer, at.layer->parameters[at.in_layer].values.data(), to);
  });
  return result;
}

template <class T>
void Model<T>::set_parameters(const py::dict& values) {
  std::vector<std::pair<Place, py::array_t<T>>> given;
  for (const auto& [key, array] : values) {
    const auto index = py::cast<Size>(key);
    given.emplace_back(place(index), checked(index, array, "load_state_dict"));
  }
  const BusyGuard busy(state_.busy, "load_state_dict");
  forget_passes();
  without_gil([&] {
    const Gate::Writer writer(state_.gate);
    for (const auto& [at, array] : given) {
      at.layer->from_logical(at.in_layer, array.data(), at.layer->parameters[at.in_layer].values.data());
      at.layer->stale = true;
    }
  });
}

template <class T>
py::array_t<T> Model<T>::get_gradient(Size index) const {
  if (!own_loop_.has_gradients())
    throw std::runtime_error("[grads] there are no gradients; call backward(dY) or loss_and_grads(X, y) first");
  return logical(index, own_loop_.gradients()[index].data());
}

template <class T>
py::array_t<T> Model<T>::get_optimizer_state(Size index, Size state) const {
  return logical(index, state_.optimizer_state.at(index).at(state).data());
}

template <class T>
void Model<T>::set_optimizer_state(Size index, Size state, const py::object& values) {
  const py::array_t<T> array = checked(index, values, "load");
  const BusyGuard busy(state_.busy, "load");
  const Place at = place(index);
  at.layer->from_logical(at.in_layer, array.data(), state_.optimizer_state.at(index).at(state).data());
}

template <class T>
void Model<T>::set_trainable(Size layer, bool trainable) {
  const BusyGuard busy(state_.busy, "freeze");
  forget_passes();
  state_.network.layers.at(layer)->trainable = trainable;
}

template <class T>
void Model<T>::set_loss(const std::string& loss, bool fuse_last_layer) {
  const BusyGuard busy(state_.busy, "compile");
  forget_passes();
  state_.set_loss(ops::parse_loss(loss), fuse_last_layer);
}

template <class T>
void Model<T>::set_optimizer(std::unique_ptr<optim::Optimizer<T>> optimizer) {
  const BusyGuard busy(state_.busy, "compile");
  forget_passes();
  state_.set_optimizer(std::move(optimizer));
}

template <class T>
SampleArrays<T> Model<T>::samples(const py::object& x, const py::object& y, const py::object& sample_weight, bool flatten,
                                  const std::string& operation) const {
  const char* op = operation.c_str();
  const RowsWanted wanted{.features = in_features(), .flatten = flatten, .max_rows = train::kMaxSamples};
  SampleArrays<T> samples{as_rows<T>(x, wanted, {op, "X"}), {}, {}, !sample_weight.is_none(), 0};
  if (samples.rows() == 0) core::fail_value("[", op, "] X has 0 rows; give at least one sample");
  samples.outputs = out_features(samples.x.view.cols);
  samples.targets = as_targets<T>(y, state_.loss, samples.rows(), samples.outputs, {op, "y"});
  samples.weights = as_sample_weight<T>(sample_weight, samples.rows(), {op, "sample_weight"});
  return samples;
}

template <class T>
py::array_t<T> Model<T>::rows(const py::object& x, bool flatten, const std::string& operation) const {
  const RowsWanted wanted{.features = in_features(), .flatten = flatten, .max_rows = train::kMaxSamples};
  Rows<T> rows = as_rows<T>(x, wanted, {operation.c_str(), "X"});
  if (rows.view.rows == 0) core::fail_value("[", operation, "] X has 0 rows; give at least one sample");
  return rows.keep.reshape({static_cast<py::ssize_t>(rows.view.rows), static_cast<py::ssize_t>(rows.view.cols)});
}

template <class T>
py::array_t<std::uint32_t> Model<T>::begin_epoch(Size samples, bool shuffle) {
  py::array_t<std::uint32_t> order(static_cast<py::ssize_t>(samples));
  if (shuffle) {
    const auto shuffled = train::shuffled_order(state_.network.seed, state_.counters.epoch, samples);
    std::copy(shuffled.begin(), shuffled.end(), order.mutable_data());
  } else {
    std::iota(order.mutable_data(), order.mutable_data() + samples, 0u);
  }
  ++state_.counters.epoch;
  return order;
}

template <class T>
train::EpochReport Model<T>::fit_epoch(const SampleArrays<T>& samples, const py::object& outputs, const train::EpochOptions& options) {
  train::Samples<T> given{samples.x.view, samples.target_view(), samples.weight_data(), {}};
  py::array_t<T> kept;
  if (!outputs.is_none()) {
    kept = as_output<T>(outputs, samples.rows(), samples.outputs, {"fit", "outputs"});
    given.outputs = {kept.mutable_data(), samples.rows(), samples.outputs};
  }
  const BusyGuard busy(state_.busy, "fit");
  own_loop_.reset();
  if (fit_ == nullptr) fit_ = std::make_unique<train::Fit<T>>(state_);
  const train::EpochReport report = without_gil([&] { return fit_->run_epoch(given, options); });
  if (report.ended == train::Ended::cancelled) throw_interruption();
  return report;
}

template <class T>
py::array_t<T> Model<T>::predict(const py::object& x, const py::object& out, bool check, bool flatten) {
  const Rows<T> rows = as_rows<T>(x, {in_features(), flatten, check}, {"predict", "X"});
  const Size outputs = out_features(rows.view.cols);
  py::array_t<T> result = as_output<T>(out, rows.view.rows, outputs, {"predict", "out"});
  const Matrix<T> to(result.mutable_data(), rows.view.rows, outputs);
  if (!without_gil([&] { return train::predict<T>(state_, rows.view, to); })) throw_interruption();
  return result;
}

// (loss, outputs)
template <class T>
py::tuple Model<T>::evaluate(const SampleArrays<T>& samples) {
  py::array_t<T> outputs({samples.rows(), samples.outputs});
  const Matrix<T> to(outputs.mutable_data(), samples.rows(), samples.outputs);
  double loss = 0;
  const bool finished = without_gil([&] {
    core::Buffer<T> head(core::checked_product(samples.rows(), samples.outputs));
    const Matrix<T> head_rows(head.data(), samples.rows(), samples.outputs);
    if (!train::predict<T>(state_, samples.x.view, to, head_rows)) return false;
    loss = train::mean_loss<T>(state_, head_rows, samples.target_view(), samples.weight_data());
    return true;
  });
  if (!finished) throw_interruption();
  return py::make_tuple(loss, outputs);
}

template <class T>
py::array_t<T> Model<T>::forward(const py::object& x, bool training, bool flatten) {
  const Rows<T> rows = as_rows<T>(x, {in_features(), flatten}, {"forward", "X"});
  if (rows.view.rows == 0) core::fail_value("[forward] X has 0 rows; give at least one sample");
  const BusyGuard busy(state_.busy, "forward");
  return copy_of<T>(without_gil([&] { return own_loop_.forward(rows.view, training); }));
}

template <class T>
py::array_t<T> Model<T>::backward(const py::object& dy) {
  const Rows<T> rows = as_rows<T>(dy, {}, {"backward", "dY"});
  const BusyGuard busy(state_.busy, "backward");
  return copy_of<T>(without_gil([&] { return own_loop_.backward(rows.view); }));
}

template <class T>
double Model<T>::loss_and_gradients(const SampleArrays<T>& samples) {
  const BusyGuard busy(state_.busy, "loss_and_grads");
  return without_gil([&] { return own_loop_.loss_and_gradients(samples.x.view, samples.target_view(), samples.weight_data()); });
}

template <class T>
void Model<T>::step(double lr) {
  const BusyGuard busy(state_.busy, "step");
  fit_.reset();  // a fit under way, whose callback this is, could not repeat this step from a copy
  without_gil([&] { own_loop_.step(lr); });
}

template <class T>
void Model<T>::keep_copy() {
  const BusyGuard busy(state_.busy, "fit");
  copies_.take(state_);
}

template <class T>
void Model<T>::go_back() {
  const BusyGuard busy(state_.busy, "fit");
  without_gil([&] {
    const Gate::Writer writer(state_.gate);
    copies_.restore_finite(state_);
  });
}

template class Model<float>;
template class Model<double>;

}  // namespace nnext::bindings
