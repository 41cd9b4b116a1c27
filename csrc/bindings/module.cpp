// nnext._core: the contents page.
#include "bindings/bind.h"
#include "bindings/interrupt.h"

PYBIND11_MODULE(_core, m) {
  m.doc() = "The C++ core of nnext. Private: use the package's public names.";
  m.attr("__version__") = NNEXT_VERSION;
  nnext::bindings::install_interrupt();
  nnext::bindings::bind_runtime(m);
  nnext::bindings::bind_functional(m);
  nnext::bindings::bind_matmul(m);
  nnext::bindings::bind_network(m);
  nnext::bindings::bind_predictor(m);
}
