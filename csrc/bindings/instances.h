// Objects of the core for Python: built first, bound then. Python cannot make one by itself: pybind11 would hand methods
// memory that nobody has built, and where there is no memory for an object's entry in its list it ends the process, or
// destroys the object twice.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>

namespace nnext::bindings {

namespace py = pybind11;

namespace detail {

inline PyObject* refuse_new(PyTypeObject* type, PyObject*, PyObject*) {
  PyErr_Format(PyExc_TypeError, "[core] %s cannot be called; the functions of the core return such objects",
               type->tp_name);
  return nullptr;
}

}  // namespace detail

// A class of objects that `bound` makes.
template <class C, class Holder = std::unique_ptr<C>>
py::class_<C, Holder> class_of_bound(py::module_& m, const char* name) {
  py::class_<C, Holder> c(m, name, py::is_final());
  reinterpret_cast<PyTypeObject*>(c.ptr())->tp_new = detail::refuse_new;
  return c;
}

// As pybind11 casts a pointer, but what fails on the way leaves the object with its owner.
template <class Holder>
py::object bound(Holder built) {
  const auto* const info = py::detail::get_type_info(typeid(typename Holder::element_type));
  auto object = py::reinterpret_steal<py::object>(info->type->tp_alloc(info->type, 0));
  if (!object) throw py::error_already_set();
  auto* const instance = reinterpret_cast<py::detail::instance*>(object.ptr());
  instance->allocate_layout();  // none: such a holder lies within the instance
  instance->owned = false;
  instance->get_value_and_holder().value_ptr() = built.get();
  info->init_instance(instance, &built);  // enters it into the list, which may fail, and takes it over
  instance->owned = true;
  return object;
}

}  // namespace nnext::bindings
