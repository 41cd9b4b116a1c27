#include "bindings/model.h"

#include <pybind11/stl.h>

#include <optional>

#include "bindings/config.h"
#include "bindings/interrupt.h"
#include "core/errors.h"

namespace nnext::bindings {

namespace {

template <class T>
py::array_t<T> copy_of(ConstMatrix<T> from) {
  py::array_t<T> result({from.rows, from.cols});
  std::copy_n(from.data, from.rows * from.cols, result.mutable_data());
  return result;
}

}  // namespace

template <class T>
Model<T>::Model(std::uint64_t seed, const py::sequence& layers, bool draws)
    : trainer_(seed, as_configs(layers), draws),
      flatten_(!layers.empty() && as_config(layers[0].cast<py::dict>()).type() == "Flatten") {}

// ---- settings -------------------------------------------------------------------------------------------------------

template <class T>
void Model<T>::compile(const py::object& loss, const py::dict& optimizer, const std::string& precision,
                       const train::StepSettings& settings) {
  std::optional<core::Config> loss_config;
  if (!loss.is_none()) loss_config = as_config(loss.cast<py::dict>());
  const core::Config optimizer_config = as_config(optimizer);
  interruptible([&](runtime::Cancel& cancel) {
    trainer_.compile(loss_config ? &*loss_config : nullptr, optimizer_config, precision, settings, cancel);
  });
}

template <class T>
void Model<T>::set_trainable(const std::vector<std::string>& paths, bool trainable) {
  interruptible([&](runtime::Cancel& cancel) { trainer_.set_trainable(paths, trainable, cancel); });
}

// ---- samples and fit ------------------------------------------------------------------------------------------------

// At least one row, and no more than can be shuffled.
template <class T>
Rows<T> Model<T>::some_rows(const py::object& x, const char* operation, const py::object& scale) const {
  const RowsWanted wanted{
      .features = in_features(), .flatten = flatten_, .max_rows = train::kMaxSamples, .scale = scale};
  Rows<T> rows = as_rows<T>(x, wanted, {operation, "X", kEncode});
  if (rows.view.rows == 0) core::fail_value("[", operation, "] X has 0 rows; give at least one sample");
  return rows;
}

template <class T>
SampleArrays<T> Model<T>::samples(const py::object& x, const py::object& y, const py::object& sample_weight,
                                  const std::string& operation, const py::object& scale) const {
  const char* op = operation.c_str();
  SampleArrays<T> samples{some_rows(x, op, scale), {}, {}, 0};
  samples.outputs = out_features(samples.x.view.cols);
  if (const auto kind = compiled().targets) {
    samples.targets = as_targets<T>(y, *kind, samples.rows(), samples.outputs, {op, "y", kLabel});
    samples.weights = as_sample_weight<T>(sample_weight, *kind, samples.rows(), samples.outputs, {op, "sample_weight"});
  }
  return samples;
}

namespace {

// A loss of the host's as the core calls it, without Python's lock: f(outputs, rows) -> (loss, gradient) or, where the
// learning rate is another one from this step on, (loss, gradient, lr).
template <class T>
auto call_host(const py::object& f) {
  return [&f](ConstMatrix<T> outputs, const std::uint32_t* order, Matrix<T> dy) {
    const py::gil_scoped_acquire gil;
    const py::array_t<std::uint32_t> rows(static_cast<py::ssize_t>(outputs.rows), order);
    const auto result = f(copy_of(outputs), rows).template cast<py::tuple>();
    const Argument argument{"fit", "the gradient of the loss function"};
    const py::array_t<T> gradient = as_contiguous<T>(as_numbers(result[1], argument), argument);
    std::copy_n(gradient.data(), dy.rows * dy.cols, dy.data);
    train::HostLoss said{result[0].template cast<double>()};
    if (result.size() > 2) said.lr = result[2].template cast<double>();
    return said;
  };
}

}  // namespace

template <class T>
train::EpochReport Model<T>::fit_epoch(const SampleArrays<T>& samples, const py::object& outputs,
                                       const train::EpochOptions& options, const py::object& host_loss) {
  train::Samples<T> given{samples.x.view, {}, samples.weight_view(), {}};
  if (host_loss.is_none())
    given.targets = samples.target_view();
  else
    given.host_loss = call_host<T>(host_loss);
  py::array_t<T> kept;
  if (!outputs.is_none()) {
    kept = as_output<T>(outputs, Shape::matrix(samples.rows(), samples.outputs), {"fit", "outputs"});
    given.outputs = {kept.mutable_data(), samples.rows(), samples.outputs};
  }
  train::EpochReport report;
  interruptible([&](runtime::Cancel& cancel) { report = trainer_.fit_epoch(given, options, cancel); });
  return report;
}

template <class T>
py::array_t<std::uint32_t> Model<T>::begin_epoch(Size samples, bool shuffle) {
  train::Order order;
  interruptible([&](runtime::Cancel& cancel) { order = trainer_.begin_epoch(samples, shuffle, cancel); });
  return py::array_t<std::uint32_t>(static_cast<py::ssize_t>(order.size()), order.data());
}

// ---- predictions ----------------------------------------------------------------------------------------------------

template <class T>
py::array_t<T> Model<T>::predict(const py::object& x, const py::object& out, bool check, const py::object& scale) {
  const RowsWanted wanted{
      .features = in_features(), .flatten = flatten_, .one_sample = true, .finite = check, .scale = scale};
  const Rows<T> rows = as_rows<T>(x, wanted, {"predict", "X", kEncode});
  const Size count = rows.view.rows, outputs = out_features(rows.view.cols);
  const Shape shape = rows.one_sample ? Shape::row(outputs) : Shape::matrix(count, outputs);
  py::array_t<T> result = as_output<T>(out, shape, {"predict", "out"});
  const bool one_row = count == 1 && wanted.features != 0 && rows.view.in_place();
  if (one_row && trainer_.predict_row_at_once(rows.view.view(0, 1).data, result.mutable_data())) return result;
  const bool overlap = !out.is_none() && may_overlap(rows.keep, result);
  py::array_t<T> written = overlap ? py::array_t<T>({count, outputs}) : result;
  const Matrix<T> to(written.mutable_data(), count, outputs);
  interruptible([&](runtime::Cancel& cancel) { trainer_.predict(rows.view, to, cancel); });
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
    loss = trainer_.evaluate(samples.x.view, samples.target_view(), samples.weight_view(), to, cancel);
  });
  return py::make_tuple(loss, outputs);
}

// ---- own loops ------------------------------------------------------------------------------------------------------

template <class T>
py::array_t<T> Model<T>::forward(const py::object& x, bool training, const py::object& scale) {
  const Rows<T> rows = some_rows(x, "forward", scale);
  py::array_t<T> result({rows.view.rows, out_features(rows.view.cols)});
  interruptible([&](runtime::Cancel& cancel) {
    trainer_.with_own_loop("forward", [&](train::OwnLoop<T>& loop) {
      const ConstMatrix<T> y = loop.forward(rows.view, training, cancel);
      std::copy_n(y.data, y.rows * y.cols, const_cast<T*>(result.data()));
    });
  });
  return result;
}

template <class T>
py::array_t<T> Model<T>::backward(const py::object& dy) {
  const Rows<T> rows = as_rows<T>(dy, {}, {"backward", "dY"});
  std::optional<core::Buffer<T>> dx;
  Size cols = 0;
  interruptible([&](runtime::Cancel& cancel) {
    trainer_.with_own_loop("backward", [&](train::OwnLoop<T>& loop) {
      const ConstMatrix<T> found = loop.backward(rows.view, cancel);
      cols = found.cols;
      dx.emplace(found.rows * found.cols);
      std::copy_n(found.data, dx->size(), dx->data());
    });
  });
  return copy_of(ConstMatrix<T>(dx->data(), rows.view.rows, cols));
}

template <class T>
double Model<T>::loss_and_gradients(const SampleArrays<T>& samples) {
  double loss = 0;
  interruptible([&](runtime::Cancel& cancel) {
    loss = trainer_.loss_and_gradients(samples.x.view, samples.target_view(), samples.weight_view(), cancel);
  });
  return loss;
}

template <class T>
void Model<T>::step(double lr) {
  interruptible([&](runtime::Cancel& cancel) { trainer_.step(lr, cancel); });
}

template class Model<float>;
template class Model<double>;

}  // namespace nnext::bindings
