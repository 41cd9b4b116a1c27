// Pooling: the largest number, or the mean, of each window of an image of H, W, C. Lanes run over the channels.
#include "kernels/parts.h"
#include "kernels/simd/simd.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

// The part of a window that lies in the image, on one axis: [begin, end).
struct Span {
  size_t begin, end;
  Span(const PoolAxis& axis, size_t place) {
    const size_t first = place * axis.stride, last = first + axis.kernel;  // from the first zero on
    begin = first > axis.padding ? first - axis.padding : 0;
    end = last > axis.padding ? last - axis.padding : 0;
    if (end > axis.in) end = axis.in;
    if (begin > end) begin = end;
  }
  size_t size() const { return end - begin; }
};

// f(output pixel, lines of the window, columns), in order of the outputs' lines.
template <class F>
void for_each_window(const PoolAxis& h, const PoolAxis& w, F f) {
  for (size_t i = 0; i < h.out; ++i)
    for (size_t j = 0; j < w.out; ++j) f(i * w.out + j, Span(h, i), Span(w, j));
}
// f(input pixel), in order of lines.
template <class F>
void for_each_pixel(const PoolAxis& w, const Span& lines, const Span& columns, F f) {
  for (size_t i = lines.begin; i < lines.end; ++i)
    for (size_t j = columns.begin; j < columns.end; ++j) f(i * w.in + j);
}

// Whether x takes the place of the largest so far: NaN does, for good.
template <class T>
Int<T> is_larger(Vec<T> x, Vec<T> largest) {
  return (x > largest) | (x != x);
}

template <class T>
void max(size_t channels, const PoolAxis& h, const PoolAxis& w, const T* x, T* y) {
  for_each_window(h, w, [&](size_t out, const Span& lines, const Span& columns) {
    for_each_vector<T>(channels, [&](size_t c, auto part) {
      Vec<T> largest = broadcast(-kInfinity<T>);
      for_each_pixel(w, lines, columns, [&](size_t in) {
        const Vec<T> next = load(part, x + in * channels + c);
        largest = select<T>(is_larger<T>(next, largest), next, largest);
      });
      store(part, y + out * channels + c, largest);
    });
  });
}

// Windows may overlap, so each adds to what others have left.
template <class T>
void max_backward(size_t channels, const PoolAxis& h, const PoolAxis& w, const T* x, const T* dy, T* dx) {
  for_each_vector<T>(h.in * w.in * channels, [&](size_t i, auto part) { store(part, dx + i, Vec<T>{}); });
  for_each_window(h, w, [&](size_t out, const Span& lines, const Span& columns) {
    for_each_vector<T>(channels, [&](size_t c, auto part) {
      Vec<T> largest = broadcast(-kInfinity<T>);
      Int<T> found{}, number{};
      for_each_pixel(w, lines, columns, [&](size_t in) {
        const Vec<T> next = load(part, x + in * channels + c);
        const Int<T> larger = is_larger<T>(next, largest);
        largest = select<T>(larger, next, largest);
        found = larger ? number : found;
        number += 1;
      });
      const Vec<T> slope = load(part, dy + out * channels + c);
      number = Int<T>{};
      for_each_pixel(w, lines, columns, [&](size_t in) {
        T* to = dx + in * channels + c;
        store(part, to, load(part, to) + select<T>(found == number, slope, Vec<T>{}));
        number += 1;
      });
    });
  });
}

// What a window's sum is divided by.
template <class T>
Vec<T> divisor(const PoolAxis& h, const PoolAxis& w, bool inside, const Span& lines, const Span& columns) {
  return broadcast(static_cast<T>(inside ? lines.size() * columns.size() : h.kernel * w.kernel));
}

template <class T>
void average(size_t channels, const PoolAxis& h, const PoolAxis& w, bool inside, const T* x, T* y) {
  for_each_window(h, w, [&](size_t out, const Span& lines, const Span& columns) {
    const Vec<T> by = divisor<T>(h, w, inside, lines, columns);
    for_each_vector<T>(channels, [&](size_t c, auto part) {
      Vec<T> sum{};
      for_each_pixel(w, lines, columns, [&](size_t in) { sum += load(part, x + in * channels + c); });
      store(part, y + out * channels + c, sum / by);
    });
  });
}

template <class T>
void average_backward(size_t channels, const PoolAxis& h, const PoolAxis& w, bool inside, const T* dy, T* dx) {
  for_each_vector<T>(h.in * w.in * channels, [&](size_t i, auto part) { store(part, dx + i, Vec<T>{}); });
  for_each_window(h, w, [&](size_t out, const Span& lines, const Span& columns) {
    const Vec<T> by = divisor<T>(h, w, inside, lines, columns);
    for_each_vector<T>(channels, [&](size_t c, auto part) {
      const Vec<T> slope = load(part, dy + out * channels + c) / by;
      for_each_pixel(w, lines, columns, [&](size_t in) {
        T* to = dx + in * channels + c;
        store(part, to, load(part, to) + slope);
      });
    });
  });
}

template <class T>
constexpr PoolKernels<T> make_pool() {
  return {
      .max = max<T>, .max_backward = max_backward<T>, .average = average<T>, .average_backward = average_backward<T>};
}

}  // namespace

constinit const PoolKernels<float> pool_f32 = make_pool<float>();
constinit const PoolKernels<double> pool_f64 = make_pool<double>();

}  // namespace nnext::kernels::NNEXT_ISA
