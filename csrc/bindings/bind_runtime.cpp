// Instruction sets and threads.
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include "bindings/bind.h"
#include "kernels/dispatch.h"
#include "runtime/threads.h"

namespace nnext::bindings {

namespace py = pybind11;

void bind_runtime(py::module_& m) {
  kernels::current_isa();  // a wrong NNEXT_ISA or number of threads is an error at import, not in the first fit
  runtime::num_threads();
  m.def("isa", [] { return kernels::current_isa().name; });
  m.def("available_isas", kernels::available_isas);
  m.def("compiled_isas", [] {
    std::vector<std::string> names;
    for (const kernels::Isa& isa : kernels::compiled_isas()) names.emplace_back(isa.name);
    return names;
  });
  m.def("select_isa", &kernels::select_isa, py::arg("name"));
  m.def("get_num_threads", runtime::num_threads);
  m.def("set_num_threads", runtime::set_num_threads, py::arg("n"));
  m.def("usable_cpus", runtime::usable_cpus);
  m.def("cgroup_cpus", runtime::cgroup_cpus, py::arg("proc_cgroup"), py::arg("cgroup_root"));
}

}  // namespace nnext::bindings
