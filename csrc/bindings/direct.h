// What calls that take less than a microsecond use in place of pybind11's dispatch and its array classes.
#pragma once

#include <pybind11/numpy.h>

#include <stdexcept>

namespace nnext::bindings {

namespace py = pybind11;

// NumPy's dtype of T.
template <class T>
const py::dtype& dtype_of() {
  static const py::dtype& dtype = *new py::dtype(py::dtype::of<T>());  // lives as long as the process
  return dtype;
}

// Whether an array has that dtype, also as another object. pybind11 asks NumPy for the object each time.
template <class T>
bool holds(const py::array& array) {
  return py::detail::array_proxy(array.ptr())->descr == dtype_of<T>().ptr() || py::isinstance<py::array_t<T>>(array);
}

// The fields of an object that is exactly an ndarray of this dtype object; null for everything else.
inline const py::detail::PyArray_Proxy* plain_array(PyObject* object, const py::dtype& dtype) {
  if (Py_TYPE(object) != py::detail::npy_api::get().PyArray_Type_) return nullptr;
  const auto* array = py::detail::array_proxy(object);
  return array->descr == dtype.ptr() ? array : nullptr;
}

// An array whose values are still to be written.
inline py::object new_array(const py::dtype& dtype, int nd, const Py_intptr_t* shape) {
  const auto& api = py::detail::npy_api::get();
  PyObject* array =
      api.PyArray_NewFromDescr_(api.PyArray_Type_, dtype.inc_ref().ptr(), nd, shape, nullptr, nullptr, 0, nullptr);
  if (array == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(array);
}

// f()'s result for CPython; its exceptions as Python's, as pybind11 translates them.
template <class F>
PyObject* returned(F f) {
  try {
    return f().release().ptr();
  } catch (py::error_already_set& error) {
    error.restore();
  } catch (const py::builtin_exception& error) {
    error.set_error();
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::invalid_argument& error) {
    PyErr_SetString(PyExc_ValueError, error.what());
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
  return nullptr;
}

}  // namespace nnext::bindings
