// Network32 and Network64: bindings/model.h for Python.
#include <pybind11/stl.h>

#include <chrono>
#include <optional>

#include "bindings/bind.h"
#include "bindings/config.h"
#include "bindings/fit_claim.h"
#include "bindings/instances.h"
#include "bindings/interrupt.h"
#include "bindings/model.h"
#include "bindings/settings.h"

namespace nnext::bindings {
namespace {

using py::arg;
template <class T>
using Bound = py::class_<Model<T>, typename Model<T>::Holder>;

template <class T>
void bind_tensors(Bound<T>& c) {
  c.def("tensors", &Model<T>::tensors);
  c.def("get_tensors", &Model<T>::get_tensors);
  c.def("set_tensors", &Model<T>::set_tensors, arg("values"), CallGuard());
  c.def("get_weights", &Model<T>::get_weights);
  c.def("set_weights", &Model<T>::set_weights, arg("tensors"), arg("averages"), CallGuard());
  c.def("get_gradients", &Model<T>::get_gradients);
  c.def("get_state", &Model<T>::get_state);
  c.def("set_state", &Model<T>::set_state, arg("tensors"), arg("averages"), arg("optimizer_state"), arg("progress"),
        arg("counters"), arg("position"), CallGuard());
  c.def("get_counters", &Model<T>::get_counters);
  c.def("set_counters", &Model<T>::set_counters, arg("counters"));
  c.def("team_use", [](const Model<T>& model) { return model.team_use(); });
  c.def("get_position", &Model<T>::get_position);
  c.def("optimizer_states", &Model<T>::optimizer_states);
  c.def("product_name", &Model<T>::product_name);
}

template <class T>
void bind_settings(Bound<T>& c) {
  c.def(
      "compile",
      [](Model<T>& model, const py::object& loss, const py::dict& optimizer, const std::string& precision,
         double clip_norm, double clip_value, Size accumulate, double ema, const std::vector<double>& lr_scale,
         std::uint64_t number) {
        model.compile(loss, optimizer, precision, {clip_norm, clip_value, accumulate, ema, lr_scale}, number);
      },
      arg("loss"), arg("optimizer"), arg("precision") = "float32", arg("clip_norm") = 0.0, arg("clip_value") = 0.0,
      arg("accumulate") = 1, arg("ema") = 0.0, arg("lr_scale") = std::vector<double>{}, arg("number") = 0);
  c.def("compilation", &Model<T>::compilation);
  c.def("find_bf16", &Model<T>::find_bf16);
  c.def("set_trainable", &Model<T>::set_trainable, arg("paths"), arg("trainable"));
  c.def("frozen", &Model<T>::frozen);
}

// So many seconds from now; none for NaN, and 30 years and more, which the clock may not be able to count.
std::optional<train::Clock::time_point> deadline_after(std::optional<double> seconds) {
  if (!seconds || !(*seconds < 1e9)) return std::nullopt;
  return train::Clock::now() +
         std::chrono::duration_cast<train::Clock::duration>(std::chrono::duration<double>(*seconds));
}

template <class T>
void bind_fit(Bound<T>& c) {
  c.def(
      "samples",
      [](const Model<T>& model, const py::object& x, const py::object& y, const py::object& sample_weight,
         const std::string& operation, const py::object& scale,
         const py::object& rows) { return bound(model.samples(x, y, sample_weight, operation, scale, rows)); },
      arg("x"), arg("y"), arg("sample_weight"), arg("operation"), arg("scale"), arg("rows") = py::none(), CallGuard());
  c.def(
      "fit_epoch",
      [](Model<T>& model, const SampleArrays<T>& samples, const py::object& outputs, Size batch_size, bool shuffle,
         const py::dict& settings, const py::object& loss, std::optional<double> seconds) {
        const GivenSettings given = as_settings(settings);
        const train::EpochOptions options{.batch_size = batch_size,
                                          .shuffle = shuffle,
                                          .settings = given.settings,
                                          .changing = given.changing,
                                          .deadline = deadline_after(seconds)};
        const train::EpochReport report = model.fit_epoch(samples, outputs, options, loss);
        return std::tuple(report.loss, report.steps, report.diverged, report.ended_early);
      },
      arg("samples"), arg("outputs"), arg("batch_size"), arg("shuffle"), arg("settings"), arg("loss") = py::none(),
      arg("seconds") = py::none());
  // The same for a batch that is handed over alone, which counts as no epoch: begin_epoch(0, False) counts those.
  c.def(
      "fit_batch",
      [](Model<T>& model, const SampleArrays<T>& samples, const py::object& outputs, const py::dict& settings,
         Size steps, const py::object& loss) {
        const train::EpochReport report =
            model.fit_epoch(samples, outputs, {samples.rows(), false, as_step_settings(settings), {}, steps}, loss);
        return std::tuple(report.loss, report.steps, report.diverged);
      },
      arg("samples"), arg("outputs"), arg("settings"), arg("steps"), arg("loss") = py::none());
  c.def("begin_epoch", &Model<T>::begin_epoch, arg("samples"), arg("shuffle"));
  c.def(
      "claim_fit",
      [](const py::object& network, bool keeps) { return bound(std::make_unique<FitClaim<T>>(network, keeps)); },
      arg("keeps"));
}

template <class T>
void bind_passes(Bound<T>& c) {
  c.def("predict", &Model<T>::predict, arg("x"), arg("out"), arg("check"), arg("scale"), CallGuard());
  c.def("evaluate", &Model<T>::evaluate, arg("samples"));
  c.def("outputs", &Model<T>::outputs, arg("samples"));
  c.def("forward", &Model<T>::forward, arg("x"), arg("training"), arg("scale"), CallGuard());
  c.def("backward", &Model<T>::backward, arg("dy"), CallGuard());
  c.def("loss_and_gradients", &Model<T>::loss_and_gradients, arg("samples"));
  c.def(
      "step", [](Model<T>& model, const py::dict& settings) { model.step(as_step_settings(settings)); },
      arg("settings"));
}

template <class T>
void bind_model(py::module_& m, const char* name, const char* samples_name, const char* claim_name) {
  class_of_bound<SampleArrays<T>>(m, samples_name)
      .def_property_readonly("rows", &SampleArrays<T>::rows)
      .def_property_readonly("weight", &SampleArrays<T>::weight)
      .def_property_readonly("output_shape", [](const SampleArrays<T>& samples) { return samples.output.extents(); });
  class_of_bound<FitClaim<T>>(m, claim_name)
      .def("__enter__", &FitClaim<T>::enter)
      .def("__exit__", [](FitClaim<T>& claim, const py::args&) { claim.leave(); });
  Bound<T> c = class_of_bound<Model<T>, typename Model<T>::Holder>(m, name);
  c.def_static(
      "build",
      [](std::uint64_t seed, const py::sequence& layers, const std::vector<Size>& input_shape, bool draws,
         const std::tuple<Size, Size>& numbering) {
        return bound(Model<T>::make(seed, layers, input_shape, draws, numbering));
      },
      arg("seed"), arg("layers"), arg("input_shape") = std::vector<Size>{}, arg("draws") = true,
      arg("numbering") = std::tuple<Size, Size>{});
  c.def(
      "slice", [](Model<T>& model, Size first, Size last) { return bound(model.slice(first, last)); }, arg("first"),
      arg("last"));
  c.def("numbering", &Model<T>::numbering);
  c.def("told_shape", &Model<T>::told_shape);
  c.def("input_shape", &Model<T>::input_shape);
  c.def("output", &Model<T>::output, arg("input_shape"));
  c.def("takes_steps", &Model<T>::takes_steps);
  c.def("output_lengths", &Model<T>::output_lengths, arg("input_shape"), arg("lengths"));
  c.def("layers", &Model<T>::layers, arg("input_shape"));
  bind_tensors(c);
  bind_settings(c);
  bind_fit(c);
  bind_passes(c);
}

}  // namespace

void bind_network(py::module_& m) {
  bind_model<float>(m, "Network32", "Samples32", "FitClaim32");
  bind_model<double>(m, "Network64", "Samples64", "FitClaim64");
  m.def(
      "tensor_table",
      [](const py::sequence& layers, const std::vector<Size>& input_shape, const std::tuple<Size, Size>& numbering) {
        const std::vector<core::Config> configs = as_configs(layers);
        std::vector<TensorInfo> table;
        interruptible([&](runtime::Cancel&) {
          nn::Network<float> network(0, configs, {std::get<0>(numbering), std::get<1>(numbering)});
          table = tensor_table(nn::Section<float>(network, input_shape));
        });
        return table;
      },
      arg("layers"), arg("input_shape") = std::vector<Size>{}, arg("numbering") = std::tuple<Size, Size>{});
}

}  // namespace nnext::bindings
