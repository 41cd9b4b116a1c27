#include "core/config.h"

#include "core/errors.h"

namespace nnext::core {

const Config::Value& Config::value(const std::string& name) const {
  const auto found = fields_.find(name);
  if (found == fields_.end()) fail(name, "given");
  return *found->second;
}

void Config::fail(const std::string& name, const char* wanted) const {
  const auto type = fields_.find("type");
  const std::string* known = type == fields_.end() ? nullptr : std::get_if<std::string>(type->second.get());
  fail_value("[config] the description of ", known == nullptr ? "something without a type" : *known,
             " needs the field '", name, "', which must be ", wanted);
}

double Config::number(const std::string& name) const {
  const Value& given = value(name);
  if (const auto* whole = std::get_if<std::int64_t>(&given)) return static_cast<double>(*whole);
  return get<double>(name, "a number");
}

Size Config::size(const std::string& name) const {
  const std::int64_t given = get<std::int64_t>(name, "a whole number");
  if (given < 1) fail(name, "at least 1");
  return static_cast<Size>(given);
}

const Config& Config::child(const std::string& name) const {
  const std::vector<Config>& found = list(name);
  if (found.size() != 1) fail(name, "one description");
  return found.front();
}

}  // namespace nnext::core
