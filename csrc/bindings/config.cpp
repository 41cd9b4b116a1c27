#include "bindings/config.h"

#include "core/errors.h"

namespace nnext::bindings {

namespace py = pybind11;
using core::Config;

namespace {

constexpr int kMaxDepth = 100;  // of descriptions that hold others: each level takes stack, here and where it is built

bool is_sequence(const py::handle& value) {
  return py::isinstance<py::list>(value) || py::isinstance<py::tuple>(value);
}

std::int64_t as_whole(const std::string& name, const py::handle& value) {
  int overflow = 0;
  const long long whole = PyLong_AsLongLongAndOverflow(value.ptr(), &overflow);
  if (overflow != 0) core::fail_value("[config] field '", name, "' does not fit 64 bits; give a smaller number");
  return whole;
}

std::vector<Config> read_all(const py::handle& dicts, int depth);
Config read(const py::handle& dict, int depth);

Config::Value as_value(const std::string& name, const py::handle& value, int depth) {
  if (py::isinstance<py::bool_>(value)) return value.cast<bool>();
  if (py::isinstance<py::int_>(value)) return as_whole(name, value);
  if (py::isinstance<py::float_>(value)) return value.cast<double>();
  if (py::isinstance<py::str>(value)) return value.cast<std::string>();
  if (py::isinstance<py::dict>(value)) return std::vector<Config>{read(value, depth + 1)};
  if (is_sequence(value)) {
    const auto items = py::reinterpret_borrow<py::sequence>(value);
    if (items.empty() || py::isinstance<py::dict>(items[0])) return read_all(items, depth + 1);
    if (is_sequence(items[0])) {
      std::vector<std::vector<Config>> lists;
      for (const auto& item : items) lists.push_back(read_all(item, depth + 1));
      return lists;
    }
    std::vector<double> numbers;
    for (const auto& item : items) numbers.push_back(item.cast<double>());
    return numbers;
  }
  core::fail_value("[config] field '", name, "' is ", py::repr(value).cast<std::string>(),
                   "; give a number, a string, a list of numbers, or descriptions");
}

Config read(const py::handle& dict, int depth) {
  if (depth > kMaxDepth)
    core::fail_value("[config] descriptions hold each other more than ", kMaxDepth, " deep; nest fewer layers");
  Config config;
  for (const auto& [key, value] : dict.cast<py::dict>()) {
    const auto name = key.cast<std::string>();
    if (!value.is_none()) config.set(name, as_value(name, value, depth));
  }
  return config;
}

std::vector<Config> read_all(const py::handle& dicts, int depth) {
  std::vector<Config> configs;
  for (const auto& dict : dicts.cast<py::sequence>()) configs.push_back(read(dict, depth));
  return configs;
}

}  // namespace

Config as_config(const py::dict& dict) { return read(dict, 1); }

std::vector<Config> as_configs(const py::sequence& dicts) { return read_all(dicts, 1); }

}  // namespace nnext::bindings
