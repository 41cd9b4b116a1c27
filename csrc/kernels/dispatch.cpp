#include "kernels/dispatch.h"

#include <atomic>
#include <cstdlib>
#include <stdexcept>

namespace nnext::kernels {
namespace {

std::string join(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  return all;
}

const Isa& find_isa(std::string_view name, const char* from) {
  for (const Isa& isa : compiled_isas()) {
    if (name != isa.name) continue;
    if (isa.supported()) return isa;
    throw std::invalid_argument(std::string(from) + "=" + isa.name +
                                " is not supported by this CPU; available: " + join(available_isas()));
  }
  throw std::invalid_argument(std::string(from) + "=" + std::string(name) +
                              " is not a known instruction set; available: " + join(available_isas()));
}

const Isa* initial_isa() {
  const char* forced = std::getenv("NNEXT_ISA");
  if (forced != nullptr && *forced != '\0') return &find_isa(forced, "NNEXT_ISA");
  return &find_isa(available_isas().front(), "NNEXT_ISA");
}

std::atomic<const Isa*>& current() {
  static std::atomic<const Isa*> isa{initial_isa()};
  return isa;
}

}  // namespace

std::vector<std::string> available_isas() {
  std::vector<std::string> names;
  for (const Isa& isa : compiled_isas())
    if (isa.supported()) names.emplace_back(isa.name);
  return names;
}

const Isa& current_isa() { return *current().load(); }

void select_isa(std::string_view name) { current().store(&find_isa(name, "isa")); }

}  // namespace nnext::kernels
