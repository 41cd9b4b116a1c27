#include "bindings/config.h"

#include "core/errors.h"

namespace nnext::bindings {

namespace py = pybind11;
using core::Config;

namespace {

bool is_sequence(const py::handle& value) {
  return py::isinstance<py::list>(value) || py::isinstance<py::tuple>(value);
}

Config::Value as_value(const std::string& name, const py::handle& value) {
  if (py::isinstance<py::bool_>(value)) return value.cast<bool>();
  if (py::isinstance<py::int_>(value)) return value.cast<std::int64_t>();
  if (py::isinstance<py::float_>(value)) return value.cast<double>();
  if (py::isinstance<py::str>(value)) return value.cast<std::string>();
  if (py::isinstance<py::dict>(value)) return std::vector<Config>{as_config(py::reinterpret_borrow<py::dict>(value))};
  if (is_sequence(value)) {
    const auto items = py::reinterpret_borrow<py::sequence>(value);
    if (items.empty() || py::isinstance<py::dict>(items[0])) return as_configs(items);
    std::vector<double> numbers;
    for (const auto& item : items) numbers.push_back(item.cast<double>());
    return numbers;
  }
  core::fail_value("[config] field '", name, "' is ", py::repr(value).cast<std::string>(),
                   "; give a number, a string, a list of numbers, or descriptions");
}

}  // namespace

Config as_config(const py::dict& dict) {
  Config config;
  for (const auto& [key, value] : dict) {
    const auto name = key.cast<std::string>();
    if (!value.is_none()) config.set(name, as_value(name, value));
  }
  return config;
}

std::vector<Config> as_configs(const py::sequence& dicts) {
  std::vector<Config> configs;
  for (const auto& dict : dicts) configs.push_back(as_config(dict.cast<py::dict>()));
  return configs;
}

}  // namespace nnext::bindings
