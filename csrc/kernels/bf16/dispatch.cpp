#include "kernels/bf16/dispatch.h"

#include <atomic>
#include <stdexcept>
#include <string>

#include "kernels/dispatch.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace nnext::kernels {

#if defined(__x86_64__)
namespace amx {
extern const Bf16Kernels bf16;
}
namespace avx512bf16 {
extern const Bf16Kernels bf16;
}
#endif

namespace {

const Isa* avx512_isa() {
  for (const Isa& isa : compiled_isas())
    if (std::string_view(isa.name) == "avx512" && isa.supported()) return &isa;
  return nullptr;
}

#if defined(__x86_64__)
// By CPUID, since not every compiler's __builtin_cpu_supports knows these names. Leaf 7 of Intel's Software
// Developer's Manual, volume 2, CPUID.
bool cpu_has_avx512_bf16() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a >> 5 & 1) != 0;
}
bool cpu_has_amx_bf16() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d >> 22 & 1) != 0 && (d >> 24 & 1) != 0;
}
// Linux wants to be asked, once for all threads of a process and its children, before the first use of tiles: their 8
// KB enlarge the frame of every signal (Documentation/arch/x86/xstate.rst). It refuses where a thread has an
// alternative signal stack that is too small for it.
bool system_permits_tiles() {
  constexpr int kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

std::vector<const Bf16Kernels*> find_available() {
  std::vector<const Bf16Kernels*> found;
  if (avx512_isa() == nullptr || !cpu_has_avx512_bf16()) return found;  // amx rounds by AVX512-BF16
  if (cpu_has_amx_bf16() && system_permits_tiles()) found.push_back(&amx::bf16);
  found.push_back(&avx512bf16::bf16);
  return found;
}
#else
std::vector<const Bf16Kernels*> find_available() { return {}; }
#endif

std::atomic<const Bf16Kernels*>& current() {
  static std::atomic<const Bf16Kernels*> kernels{available_bf16().empty() ? nullptr : available_bf16().front()};
  return kernels;
}

}  // namespace

const std::vector<const Bf16Kernels*>& available_bf16() {
  static const std::vector<const Bf16Kernels*> available = find_available();
  return available;
}

const Bf16Kernels* current_bf16(const KernelTable<float>& kernels) {
  const Isa* isa = avx512_isa();
  return isa != nullptr && &kernels == &isa->tables->f32 ? current().load() : nullptr;
}

void select_bf16(std::string_view name) {
  std::string known;
  for (const Bf16Kernels* kernels : available_bf16()) {
    if (name == kernels->name) return current().store(kernels);
    known += (known.empty() ? "" : ", ") + std::string(kernels->name);
  }
  throw std::invalid_argument("bf16=" + std::string(name) + " is not available; available: " + known);
}

}  // namespace nnext::kernels
