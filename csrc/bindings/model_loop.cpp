// Model's calls for a loop of one's own.
#include <optional>

#include "bindings/interrupt.h"
#include "bindings/model.h"
#include "train/output_rows.h"

namespace nnext::bindings {

namespace {

// The shape of the array that samples came in: images of one channel need not tell it, and Flatten takes any.
template <class T>
std::vector<py::ssize_t> shape_of(const Rows<T>& rows) {
  if (!py::isinstance<py::array>(rows.keep)) return {-1, static_cast<py::ssize_t>(rows.source().cols)};  // sparse
  const auto array = py::reinterpret_borrow<py::array>(rows.keep);
  return {array.shape(), array.shape() + array.ndim()};
}

}  // namespace

template <class T>
py::array_t<T> Model<T>::forward(const py::object& x, bool training, const py::object& scale) {
  const Rows<T> rows = some_rows(x, scale, {"forward", "X", kEncode});
  const core::Shape output = trainer_.section().out_shape(rows.source().shape);
  forward_shape_ = shape_of(rows);
  py::array_t<T> result = new_array<T>(Extents(rows.source().rows, output));
  const Matrix<T> to(result.mutable_data(), rows.source().rows, output.numbers());
  interruptible([&](runtime::Cancel& cancel) {
    trainer_.with_own_loop("forward", cancel, [&](train::OwnLoop<T>& loop) {
      train::put_rows(trainer_.section().network().kernels.layout, output,
                      loop.forward(rows.source(), training, cancel), to);
    });
  });
  return result;
}

template <class T>
py::array_t<T> Model<T>::backward(const py::object& dy) {
  core::Shape input, output;
  const auto with_loop = [&](auto f) {
    interruptible([&](runtime::Cancel& cancel) {
      trainer_.with_own_loop("backward", cancel, [&](train::OwnLoop<T>& loop) { f(loop, cancel); });
    });
  };
  with_loop([&](train::OwnLoop<T>& loop, runtime::Cancel&) { std::tie(input, output) = loop.shapes(); });
  const Rows<T> rows = as_rows<T>(dy, {.shape = &output}, {"backward", "dY"});
  std::optional<core::Buffer<T>> dx;
  with_loop([&](train::OwnLoop<T>& loop, runtime::Cancel& cancel) {
    const ConstMatrix<T> found = loop.backward(rows.source(), cancel);
    dx.emplace(found.rows * found.cols);
    std::copy_n(found.data, dx->size(), dx->data());
  });
  return copy_of(ConstMatrix<T>(dx->data(), rows.source().rows, input.numbers()), input).reshape(forward_shape_);
}

template <class T>
double Model<T>::loss_and_gradients(const SampleArrays<T>& samples) {
  require_own(samples, "loss_and_grads");
  double loss = 0;
  interruptible([&](runtime::Cancel& cancel) {
    loss = trainer_.loss_and_gradients(samples.x.source(), samples.target_view(), samples.weight_view(), cancel);
  });
  return loss;
}

template <class T>
void Model<T>::step(const std::vector<train::SettingValue>& settings) {
  interruptible([&](runtime::Cancel& cancel) { trainer_.step(settings, cancel); });
}

template class Model<float>;
template class Model<double>;

}  // namespace nnext::bindings
