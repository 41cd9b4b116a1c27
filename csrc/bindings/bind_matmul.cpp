// matmul: small products are over before pybind11 has sorted the arguments, so it is called as CPython calls its own.
#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "bindings/direct.h"
#include "bindings/interrupt.h"
#include "kernels/dispatch.h"
#include "ops/matmul.h"
#include "runtime/costs.h"

namespace nnext::bindings {
namespace {

// c = x * y, written to `out` or, where that is None, to a new array.
template <class T>
py::object multiply(ConstMatrix<T> x, ConstMatrix<T> y, const py::object& out, bool overlap) {
  if (x.cols != y.rows)
    core::fail_value("[matmul] a is (", x.rows, ", ", x.cols, ") and b is (", y.rows, ", ", y.cols,
                     ") after transposing; the inner dimensions ", x.cols, " and ", y.rows, " must be equal");
  const Py_intptr_t shape[] = {static_cast<Py_intptr_t>(x.rows), static_cast<Py_intptr_t>(y.cols)};
  const py::object result = out.is_none() ? new_array(dtype_of<T>(), 2, shape)
                                          : as_output<T>(out, Extents(x.rows, y.cols), {"matmul", "out"});
  const py::object written = overlap ? new_array(dtype_of<T>(), 2, shape) : result;
  T* const data = reinterpret_cast<T*>(py::detail::array_proxy(written.ptr())->data);
  const Matrix<T> c(data, x.rows, y.cols);
  const auto& table = kernels::current_kernels<T>();
  const double flops = 2.0 * static_cast<double>(x.rows) * static_cast<double>(y.cols) * static_cast<double>(x.cols);
  if (flops < runtime::kBriefFlops) {
    runtime::Cancel never;
    ops::matmul<T>(table, x, y, c, never);
  } else {
    interruptible([&](runtime::Cancel& cancel) { ops::matmul<T>(table, x, y, c, cancel); });
  }
  if (overlap) std::copy_n(data, x.rows * y.cols, reinterpret_cast<T*>(py::detail::array_proxy(result.ptr())->data));
  return result;
}

// The view of a matrix that lies as the kernels can read it.
template <class T>
bool ready(PyObject* object, bool transpose, ConstMatrix<T>& view) {
  const auto* array = plain_array(object, dtype_of<T>());
  constexpr auto size = static_cast<Py_intptr_t>(sizeof(T));
  if (array == nullptr || array->nd != 2 || (array->flags & py::detail::npy_api::NPY_ARRAY_ALIGNED_) == 0 ||
      array->strides[0] % size != 0 || array->strides[1] % size != 0)
    return false;
  view = {reinterpret_cast<const T*>(array->data), static_cast<Size>(array->dimensions[0]),
          static_cast<Size>(array->dimensions[1]), array->strides[0] / size, array->strides[1] / size};
  if (transpose) view = view.transposed();
  return true;
}

bool is_single(const py::array& array) { return array.dtype().kind() == 'f' && array.dtype().itemsize() <= 4; }

template <class T>
py::object multiply_converted(const py::array& a, const py::array& b, bool transpose_a, bool transpose_b,
                              const py::object& out) {
  const StridedMatrix<T> left = as_strided_matrix<T>(a, {"matmul", "a"}),
                         right = as_strided_matrix<T>(b, {"matmul", "b"});
  const bool overlap = py::isinstance<py::array>(out) && (may_overlap(left.keep, out) || may_overlap(right.keep, out));
  return multiply<T>(transpose_a ? left.view.transposed() : left.view,
                     transpose_b ? right.view.transposed() : right.view, out, overlap);
}

// matmul(a, b, transpose_a, transpose_b, out)
py::object matmul(PyObject* const* args) {
  const bool transpose_a = PyObject_IsTrue(args[2]) == 1, transpose_b = PyObject_IsTrue(args[3]) == 1;
  const auto out = py::reinterpret_borrow<py::object>(args[4]);
  if (out.is_none()) {
    if (ConstMatrix<float> a, b; ready(args[0], transpose_a, a) && ready(args[1], transpose_b, b))
      return multiply<float>(a, b, out, false);
    if (ConstMatrix<double> a, b; ready(args[0], transpose_a, a) && ready(args[1], transpose_b, b))
      return multiply<double>(a, b, out, false);
  }
  const Call whole;
  const py::array a = as_numbers(args[0], {"matmul", "a"}), b = as_numbers(args[1], {"matmul", "b"});
  return is_single(a) && is_single(b) ? multiply_converted<float>(a, b, transpose_a, transpose_b, out)
                                      : multiply_converted<double>(a, b, transpose_a, transpose_b, out);
}

PyObject* call(PyObject*, PyObject* const* args, Py_ssize_t count) {
  if (count == 5) return returned([&] { return matmul(args); });
  PyErr_SetString(PyExc_TypeError, "[matmul] takes a, b, transpose_a, transpose_b and out");
  return nullptr;
}

}  // namespace

void bind_matmul(py::module_& m) {
  static PyMethodDef method{"matmul", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(call)), METH_FASTCALL,
                            "matmul(a, b, transpose_a, transpose_b, out, /)\n--\n\n"};
  PyObject* function = PyCFunction_New(&method, nullptr);
  if (function == nullptr) throw py::error_already_set();
  m.attr("matmul") = py::reinterpret_steal<py::object>(function);
}

}  // namespace nnext::bindings
