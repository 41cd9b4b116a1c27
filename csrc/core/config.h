// The description of a layer, a loss or an optimizer: its type and its fields by name, as Python's config() gives them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "core/size.h"

namespace nnext::core {

class Config {
 public:
  using Value = std::variant<bool, std::int64_t, double, std::string, std::vector<double>, std::vector<Config>,
                             std::vector<std::vector<Config>>>;

  void set(const std::string& name, Value value) { fields_[name] = std::make_shared<const Value>(std::move(value)); }

  // Each throws std::invalid_argument when there is no such field, or when it is of another kind.
  const std::string& type() const { return text("type"); }
  bool has(const std::string& name) const { return fields_.contains(name); }
  bool is_text(const std::string& name) const { return std::holds_alternative<std::string>(value(name)); }
  bool is_list(const std::string& name) const { return std::holds_alternative<std::vector<double>>(value(name)); }
  bool flag(const std::string& name) const { return get<bool>(name, "a bool"); }
  double number(const std::string& name) const;  // a whole number will do
  Size size(const std::string& name) const;      // at least 1
  const std::string& text(const std::string& name) const { return get<std::string>(name, "a string"); }
  const std::vector<double>& numbers(const std::string& name) const {
    return get<std::vector<double>>(name, "a list of numbers");
  }
  const std::vector<Config>& list(const std::string& name) const {
    return get<std::vector<Config>>(name, "a list of descriptions");
  }
  const std::vector<std::vector<Config>>& lists(const std::string& name) const {
    return get<std::vector<std::vector<Config>>>(name, "a list of lists of descriptions");
  }
  const Config& child(const std::string& name) const;  // a list of one

 private:
  const Value& value(const std::string& name) const;
  [[noreturn]] void fail(const std::string& name, const char* wanted) const;
  template <class T>
  const T& get(const std::string& name, const char* wanted) const {
    const T* found = std::get_if<T>(&value(name));
    if (found == nullptr) fail(name, wanted);
    return *found;
  }

  // Copies share the values. GCC 12's std::variant takes strings and vectors for types that are never without a value: a
  // copy of one that has no memory destroys what was not built.
  std::map<std::string, std::shared_ptr<const Value>> fields_;
};

}  // namespace nnext::core
