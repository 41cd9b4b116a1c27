#include "bindings/settings.h"

#include "bindings/argument.h"
#include "core/errors.h"

namespace nnext::bindings {

GivenSettings as_settings(const py::dict& given) {
  GivenSettings all;
  for (const auto& [key, value] : given) {
    const auto name = key.cast<std::string>();
    if (!py::isinstance<py::array>(value)) {
      const auto number = value.cast<double>();
      all.settings.push_back({name, number});
      continue;
    }
    const auto& each = all.keep.emplace_back(value.cast<py::array_t<double, py::array::c_style>>());
    if (each.ndim() != 1 || each.size() == 0)
      core::fail_value("[fit] the values of ", name, " are an array of shape ", shape_text(each),
                       "; give one for each step");
    all.changing.push_back({name, {each.data(), static_cast<Size>(each.size())}});
  }
  return all;
}

std::vector<train::SettingValue> as_step_settings(const py::dict& given) {
  std::vector<train::SettingValue> all;
  for (const auto& [key, value] : given) {
    train::SettingValue& setting = all.emplace_back();
    setting.name = key.cast<std::string>();
    setting.value = value.cast<double>();
  }
  return all;
}

}  // namespace nnext::bindings
