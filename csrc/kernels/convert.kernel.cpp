// Stored numbers as the network reads them.
#include "kernels/parts.h"
#include "kernels/simd/simd.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

// The compiler makes vectors of this loop. By hand they were no faster for the 784 bytes of an image (0.1 us, AVX-512
// and AVX2), and a masked rest made 10 numbers take 2 to 4 times as long.
template <class T, class From>
void convert(size_t n, const void* from, T scale, T* __restrict y) {
  const From* x = static_cast<const From*>(from);
  for (size_t i = 0; i < n; ++i) y[i] = static_cast<T>(x[i]) * scale;
}

template <class T, class From>
void convert_apart(size_t n, const void* from, T scale, T* __restrict y, size_t step) {
  const From* x = static_cast<const From*>(from);
  for (size_t i = 0; i < n; ++i) y[i * step] = static_cast<T>(x[i]) * scale;
}

template <class T>
constexpr ConvertKernels<T> make_convert() {  // in the order of NumberType
  return {.from = {convert<T, float>, convert<T, double>, convert<T, std::uint8_t>},
          .apart_from = {convert_apart<T, float>, convert_apart<T, double>, convert_apart<T, std::uint8_t>}};
}

}  // namespace

constinit const ConvertKernels<float> convert_f32 = make_convert<float>();
constinit const ConvertKernels<double> convert_f64 = make_convert<double>();

}  // namespace nnext::kernels::NNEXT_ISA
