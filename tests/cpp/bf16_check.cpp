// Products in bf16: every edge size from both packings of each operand, every init, and memory limits.
#include "checks.h"
#include "kernels/bf16/dispatch.h"

namespace nnext::testing {
namespace {

using kernels::Bf16;
using kernels::Bf16Kernels;

constexpr std::size_t kSizes[] = {1, 2, 15, 16, 17, 31, 32, 33, 47, 48, 63, 64, 65, 70};
constexpr std::size_t kLargest = 70;
enum class Init { zero, bias, c };

// To nearest even, of a normal number.
Real rounded(float x) {
  std::uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  bits = (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000u;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

std::size_t tiles(std::size_t n, std::size_t of) { return (n + of - 1) / of; }

// An operand of `side` x k numbers, number(i, p), packed from rows along k or across it, which lie against
// a page that must not be touched.
template <class Number>
std::vector<Bf16> pack(Bf16Kernels::Pack along_k, Bf16Kernels::Pack across, bool from_along, Guarded<float>& room,
                       Side at, std::size_t side, std::size_t k, Number number) {
  const std::size_t rows = from_along ? side : k, cols = from_along ? k : side;
  const float* x = room.lay(at, rows, cols, cols + 1,
                            [&](std::size_t r, std::size_t c) { return from_along ? number(r, c) : number(c, r); });
  const std::size_t sides = tiles(side, kernels::kTileSide), steps = tiles(k, kernels::kTileDepth);
  std::vector<Bf16> to(sides * steps * kernels::kTileSize, Bf16{0x7FC0});  // NaN
  (from_along ? along_k : across)({.rows = rows,
                                   .cols = cols,
                                   .x = x,
                                   .x_row = static_cast<std::ptrdiff_t>(cols + 1),
                                   .sides = sides,
                                   .steps = steps,
                                   .to = to.data(),
                                   .to_steps = steps});
  return to;
}

class Check {
 public:
  explicit Check(const Bf16Kernels& kernels) : kernels_(kernels) {
    Random random(1);
    a_ = random.uniforms<float>(kLargest * kLargest, -1, 1);
    b_ = random.uniforms<float>(kLargest * kLargest, -1, 1);
  }
  double worst() {
    double worst = 0;
    int way = 0;  // all of them meet every size
    for (std::size_t m : kSizes)
      for (std::size_t n : kSizes)
        for (std::size_t k : kSizes) {
          ++way;
          worst = std::max(worst, error(m, n, k, way));
        }
    return worst;
  }

 private:
  float a(std::size_t i, std::size_t p) const { return a_[i * kLargest + p]; }
  float b(std::size_t j, std::size_t p) const { return b_[j * kLargest + p]; }

  double error(std::size_t m, std::size_t n, std::size_t k, int way) {
    const Side side = way % 2 == 0 ? Side::low : Side::high;
    const auto init = static_cast<Init>(way % 3);
    const auto left = pack(kernels_.left, kernels_.left_transposed, way % 5 < 2, room_, side, m, k,
                           [&](std::size_t i, std::size_t p) { return a(i, p); });
    const auto right = pack(kernels_.right_transposed, kernels_.right, way % 7 < 3, room_, side, n, k,
                            [&](std::size_t j, std::size_t p) { return b(j, p); });
    const auto start = [&](std::size_t i, std::size_t j) {
      return init == Init::zero ? 0 : b(init == Init::c ? i : 0, j);
    };
    float* c = room_.lay(side, m, n, n + 3, start);
    const float* bias = bias_.lay(side, 1, n, n, start);
    const std::size_t steps = tiles(k, kernels::kTileDepth);
    kernels_.multiply({.m = m,
                       .n = n,
                       .steps = steps,
                       .a = left.data(),
                       .a_steps = steps,
                       .b = right.data(),
                       .b_steps = steps,
                       .init = init == Init::zero   ? nullptr
                               : init == Init::bias ? bias
                                                    : c,
                       .init_row = init == Init::c ? static_cast<std::ptrdiff_t>(n + 3) : 0,
                       .c = c,
                       .c_row = static_cast<std::ptrdiff_t>(n + 3)});
    double worst = 0;
    for (std::size_t i = 0; i < m; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        Real sum = start(i, j), magnitude = std::fabs(sum);
        for (std::size_t p = 0; p < k; ++p) {
          const Real term = rounded(a(i, p)) * rounded(b(j, p));
          sum += term;
          magnitude += std::fabs(term);
        }
        const Real allowed = static_cast<Real>(k + 2) * eps<float>() * magnitude;
        worst = std::max(worst, share(c[i * (n + 3) + j], sum, allowed));
      }
      for (std::size_t j = n; i + 1 < m && j < n + 3; ++j)
        if (!std::isnan(c[i * (n + 3) + j])) return HUGE_VAL;  // between the rows
    }
    return worst;
  }

  const Bf16Kernels& kernels_;
  std::vector<float> a_, b_;
  Guarded<float> room_{kLargest * (kLargest + 3)}, bias_{kLargest};
};

}  // namespace

void check_bf16(const Isa& isa, Report& report) {
  if (std::string(isa.name) != "avx512") return;
  for (const Bf16Kernels* kernels : kernels::available_bf16()) {
    report.start(isa, kernels->name, "products in bf16");
    report.finish(Check(*kernels).worst());
  }
}

}  // namespace nnext::testing
