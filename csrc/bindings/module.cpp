// nnext._core: the contents page.
#include <pybind11/numpy.h>

#include "bindings/bind.h"
#include "bindings/interrupt.h"

// It needs Python's lock, which alone guards what it keeps of Python's: a Python without one turns it on at this import.
PYBIND11_MODULE(_core, m, pybind11::mod_gil_used()) {
  m.doc() = "The C++ core of nnext. Private: use the package's public names.";
  m.attr("__version__") = NNEXT_VERSION;
  pybind11::detail::npy_api::get();  // now, not within the first call: that gives Python's lock away
  nnext::bindings::install_interrupt();
  nnext::bindings::bind_runtime(m);
  nnext::bindings::bind_functional(m);
  nnext::bindings::bind_matmul(m);
  nnext::bindings::bind_padded(m);
  nnext::bindings::bind_network(m);
  nnext::bindings::bind_predictor(m);
}
