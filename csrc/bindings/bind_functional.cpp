// Stateless functions on arrays. They let NaN through; nnext/functional gives them their public names.
#include <string>

#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "bindings/config.h"
#include "bindings/interrupt.h"
#include "bindings/rows.h"
#include "bindings/sparse_rows.h"
#include "bindings/targets.h"
#include "core/errors.h"
#include "kernels/dispatch.h"
#include "ops/activation.h"
#include "train/loss_terms.h"

namespace nnext::bindings {
namespace {

template <class T>
py::array_t<T> empty_like(const py::array& array) {
  return py::array_t<T>(std::vector<py::ssize_t>(array.shape(), array.shape() + array.ndim()));
}

// float32 and float16 are computed in float32, everything else in float64.
bool is_single(const py::array& array) { return array.dtype().kind() == 'f' && array.dtype().itemsize() <= 4; }

// Calls f with a number of the type that the arrays are computed in.
template <class F>
py::object with_type(bool single, F f) {
  return single ? py::object(f(float{})) : py::object(f(double{}));
}

// first and second are what the activation takes beside x.
py::object activation(const std::string& name, const py::object& x, double first, double second) {
  const Argument argument{name.c_str(), "x"};
  const py::array numbers = as_numbers(x, argument);
  return with_type(is_single(numbers), [&]<class T>(T) {
    const auto& kernel = ops::find_activation(kernels::current_kernels<T>(), name);
    const kernels::ActivationArguments<T> arguments{static_cast<T>(first), static_cast<T>(second)};
    const py::array_t<T> from = as_contiguous<T>(numbers, argument);
    py::array_t<T> y = empty_like<T>(from);
    T* const to = y.mutable_data();
    in_parts(static_cast<Size>(from.size()), kPart,
             [&](Size at, Size end) { kernel.forward(end - at, arguments, from.data() + at, to + at); });
    return y;
  });
}

// dx for an upstream gradient dy of x's shape.
py::object activation_grad(const std::string& name, const py::object& x, const py::object& dy, double first,
                           double second) {
  const Argument argument{name.c_str(), "x"}, argument_dy{name.c_str(), "dy"};
  const py::array numbers = as_numbers(x, argument), upstream = as_numbers(dy, argument_dy);
  if (shape_text(numbers) != shape_text(upstream))
    core::fail_value("[", name, "_grad] x has shape ", shape_text(numbers), " but dy ", shape_text(upstream),
                     "; give both the same shape");
  return with_type(is_single(numbers), [&]<class T>(T) {
    const auto& kernel = ops::find_activation(kernels::current_kernels<T>(), name);
    const kernels::ActivationArguments<T> arguments{static_cast<T>(first), static_cast<T>(second)};
    const py::array_t<T> from = as_contiguous<T>(numbers, argument), up = as_contiguous<T>(upstream, argument_dy);
    py::array_t<T> dx = empty_like<T>(from);
    T* const to = dx.mutable_data();
    in_parts(static_cast<Size>(from.size()), kPart, [&](Size at, Size end) {
      if (!kernel.from_x) kernel.forward(end - at, arguments, from.data() + at, to + at);  // y
      kernel.backward(end - at, arguments, kernel.from_x ? from.data() + at : to + at, up.data() + at, to + at);
    });
    return dx;
  });
}

// "softmax" or "log_softmax" of rows, which are the last dimension; with dy its gradient.
py::object softmax(const std::string& name, const py::object& x, const py::object& dy) {
  const Argument argument{name.c_str(), "x"}, argument_dy{name.c_str(), "dy"};
  const py::array numbers = as_numbers(x, argument);
  if (numbers.ndim() == 0 || numbers.shape(numbers.ndim() - 1) == 0)
    core::fail_value("[", name, "] x has shape ", shape_text(numbers), "; give at least one value along the last axis");
  const bool goes_back = !dy.is_none();
  const py::array upstream = goes_back ? as_numbers(dy, argument_dy) : numbers;
  if (shape_text(numbers) != shape_text(upstream))
    core::fail_value("[", name, "_grad] x has shape ", shape_text(numbers), " but dy ", shape_text(upstream),
                     "; give both the same shape");
  return with_type(is_single(numbers), [&]<class T>(T) {
    const py::array_t<T> from = as_contiguous<T>(numbers, argument);
    const py::array_t<T> up = goes_back ? as_contiguous<T>(upstream, argument_dy) : from;
    py::array_t<T> result = empty_like<T>(from);
    T* const to = result.mutable_data();
    const auto n = static_cast<Size>(from.shape(from.ndim() - 1)), m = static_cast<Size>(from.size()) / n;
    const kernels::KernelTable<T>& table = kernels::current_kernels<T>();
    const kernels::SoftmaxKernels<T>& kernel = name == "softmax" ? table.softmax : table.log_softmax;
    in_parts(m, std::max<Size>(kPart / n, 1), [&](Size row, Size end) {
      const Size at = row * n;
      kernel.forward(end - row, n, from.data() + at, to + at);
      if (goes_back) kernel.backward(end - row, n, to + at, up.data() + at, to + at);
    });
    return result;
  });
}

// (loss, gradient) of predictions (n, k), or (n, ..., k) with several places, by the description of a loss.
py::object loss(const py::dict& described, const py::object& y_pred, const py::object& y,
                const py::object& sample_weight) {
  const core::Config config = as_config(described);
  const std::string& name = config.type();
  const Argument argument{name.c_str(), "y_pred"};
  const py::array numbers = as_numbers(y_pred, argument);
  return with_type(is_single(numbers), [&]<class T>(T) {
    const ops::Loss<T> loss = ops::make_loss(kernels::current_kernels<T>(), config);
    const Rows<T> rows = as_rows<T>(numbers, {.finite = false}, argument);
    const data::Source<T>& predictions = rows.source();
    const Size n = predictions.rows, k = predictions.cols;
    const core::Shape& shape = predictions.shape;
    if (n == 0) core::fail_value("[", name, "] y_pred has 0 rows; the mean of nothing is not defined");
    const TargetArrays<T> given = as_targets<T>(y, loss, n, shape, {name.c_str(), "y", kLabel});
    const ops::Targets<T> targets = given.view(n, shape);
    const SampleWeights<T> weights =
        as_sample_weight<T>(sample_weight, loss, targets, n, shape, {}, {name.c_str(), "sample_weight"});
    train::LossTerms<T> terms(matrix_view(weights.over_mean), n, shape);
    py::array_t<T> result = new_array<T>(Extents(n, shape));
    const Matrix<T> gradient(result.mutable_data(), n, k);
    in_parts(n, std::max<Size>(kPart / k, 1), [&](Size first, Size last) {
      terms.weigh({first, last}, n, [](Size i) { return i; });
      const Matrix<T> dy = gradient.rows_from(first, last - first);  // first the predictions, if they must be converted
      terms.compute(loss, first, predictions.view_or_read(first, dy), targets.rows_from(first, last - first), dy);
    });
    const runtime::InFloatMode within(runtime::FloatMode::plain());
    return py::make_tuple(terms.total(n), result);
  });
}

}  // namespace

void bind_functional(py::module_& m) {
  using py::arg;
  m.def("activation", activation, arg("name"), arg("x"), arg("first") = 0.0, arg("second") = 0.0, CallGuard());
  m.def("activation_grad", activation_grad, arg("name"), arg("x"), arg("dy"), arg("first") = 0.0, arg("second") = 0.0,
        CallGuard());
  m.def("softmax", softmax, arg("name"), arg("x"), arg("dy") = py::none(), CallGuard());
  m.def(
      "as_array",
      [](const py::object& object, const std::string& operation, const std::string& name) {
        return as_array(object, {operation.c_str(), name.c_str()});
      },
      arg("object"), arg("operation"), arg("name"), CallGuard());
  m.def("as_csr", as_csr, arg("object"), CallGuard());
  m.def("loss", loss, arg("loss"), arg("y_pred"), arg("y"), arg("sample_weight"), CallGuard());
}

}  // namespace nnext::bindings
