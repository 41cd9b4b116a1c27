// Network32 and Network64: bindings/model.h for Python.
#include <pybind11/stl.h>

#include "bindings/bind.h"
#include "bindings/interrupt.h"
#include "bindings/model.h"
#include "optim/adagrad.h"
#include "optim/adam.h"
#include "optim/sgd.h"

namespace nnext::bindings {
namespace {

using py::arg;

nn::Initializer make_initializer(const std::tuple<std::string, double, double>& spec) {
  return {nn::parse_initializer(std::get<0>(spec)), std::get<1>(spec), std::get<2>(spec)};
}

template <class T>
void bind_layers(py::class_<Model<T>>& c) {
  using Spec = std::tuple<std::string, double, double>;
  c.def(
      "add_linear",
      [](Model<T>& model, Size in_features, Size out_features, bool bias, const Spec& weight_init,
         const Spec& bias_init) {
        model.add_linear(in_features, out_features, bias, make_initializer(weight_init), make_initializer(bias_init));
      },
      arg("in_features"), arg("out_features"), arg("bias"), arg("weight_init"), arg("bias_init"));
  c.def("add_activation", &Model<T>::add_activation, arg("name"), arg("argument") = 0.0);
  c.def("add_softmax", &Model<T>::add_softmax);
  c.def("add_dropout", &Model<T>::add_dropout, arg("p"));
  c.def("add_flatten", &Model<T>::add_flatten);
}

template <class T>
void bind_optimizers(py::class_<Model<T>>& c) {
  c.def(
      "set_sgd",
      [](Model<T>& model, double momentum, bool nesterov, double weight_decay) {
        model.set_optimizer(std::make_unique<optim::Sgd<T>>(momentum, nesterov, weight_decay));
      },
      arg("momentum"), arg("nesterov"), arg("weight_decay"));
  c.def(
      "set_adam",
      [](Model<T>& model, double beta1, double beta2, double eps, double weight_decay) {
        model.set_optimizer(std::make_unique<optim::Adam<T>>(beta1, beta2, eps, weight_decay));
      },
      arg("beta1"), arg("beta2"), arg("eps"), arg("weight_decay"));
  c.def(
      "set_adagrad",
      [](Model<T>& model, double lr_decay, double eps, double initial_accumulator_value, double weight_decay) {
        model.set_optimizer(
            std::make_unique<optim::Adagrad<T>>(lr_decay, eps, initial_accumulator_value, weight_decay));
      },
      arg("lr_decay"), arg("eps"), arg("initial_accumulator_value"), arg("weight_decay"));
}

template <class T>
void bind_parameters(py::class_<Model<T>>& c) {
  c.def("parameters", &Model<T>::parameters);
  c.def("get_parameters", &Model<T>::get_parameters);
  c.def("set_parameters", &Model<T>::set_parameters, arg("values"), CallGuard());
  c.def("get_gradients", &Model<T>::get_gradients);
  c.def("get_state", &Model<T>::get_state);
  c.def("set_optimizer_state", &Model<T>::set_optimizer_state, arg("index"), arg("state"), arg("values"), CallGuard());
  c.def("optimizer_states", &Model<T>::optimizer_states);
  c.def("set_trainable", &Model<T>::set_trainable, arg("layer"), arg("trainable"));
  c.def_property("counters", &Model<T>::get_counters, &Model<T>::set_counters);
}

template <class T>
void bind_training(py::class_<Model<T>>& c) {
  c.def("set_loss", &Model<T>::set_loss, arg("loss"), arg("fuse_last_layer"));
  c.def("find_bf16", [](const Model<T>& model) { return model.find_bf16().name; });
  c.def("set_precision", &Model<T>::set_precision, arg("precision"));
  c.def("samples", &Model<T>::samples, arg("x"), arg("y"), arg("sample_weight"), arg("flatten"), arg("operation"),
        arg("scale"), CallGuard());
  c.def(
      "fit_epoch",
      [](Model<T>& model, const SampleArrays<T>& samples, const py::object& outputs, Size batch_size, bool shuffle,
         double lr) {
        const train::EpochReport report = model.fit_epoch(samples, outputs, {batch_size, shuffle, lr});
        return std::tuple(report.loss, report.steps, report.diverged);
      },
      arg("samples"), arg("outputs"), arg("batch_size"), arg("shuffle"), arg("lr"));
  c.def("rows", &Model<T>::rows, arg("x"), arg("flatten"), arg("operation"), arg("scale"), CallGuard());
  c.def("begin_epoch", &Model<T>::begin_epoch, arg("samples"), arg("shuffle"));
  c.def("keep_copy", &Model<T>::keep_copy);
  c.def("go_back", &Model<T>::go_back);
  c.def("parameters_finite", &Model<T>::parameters_finite);
  c.def("begin_fit", &Model<T>::begin_fit, arg("id"));
  c.def("end_fit", &Model<T>::end_fit, arg("id"));
  c.def("predict", &Model<T>::predict, arg("x"), arg("out"), arg("check"), arg("flatten"), arg("scale"), CallGuard());
  c.def("evaluate", &Model<T>::evaluate, arg("samples"));
  c.def("forward", &Model<T>::forward, arg("x"), arg("training"), arg("flatten"), arg("scale"), CallGuard());
  c.def("backward", &Model<T>::backward, arg("dy"), CallGuard());
  c.def("loss_and_gradients", &Model<T>::loss_and_gradients, arg("samples"));
  c.def("step", &Model<T>::step, arg("lr"));
}

template <class T>
void bind_model(py::module_& m, const char* name, const char* samples_name) {
  py::class_<SampleArrays<T>>(m, samples_name)
      .def_property_readonly("rows", &SampleArrays<T>::rows)
      .def_property_readonly("outputs", [](const SampleArrays<T>& samples) { return samples.outputs; });
  py::class_<Model<T>> c(m, name);
  c.def(py::init<std::uint64_t>(), arg("seed"));
  bind_layers(c);
  c.def("in_features", &Model<T>::in_features);
  c.def("out_features", &Model<T>::out_features, arg("in_features"));
  bind_optimizers(c);
  bind_parameters(c);
  bind_training(c);
}

}  // namespace

void bind_network(py::module_& m) {
  bind_model<float>(m, "Network32", "Samples32");
  bind_model<double>(m, "Network64", "Samples64");
}

}  // namespace nnext::bindings
