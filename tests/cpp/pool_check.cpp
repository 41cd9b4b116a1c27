// Pooling: bit for bit what simple loops over windows give, for every number of channels, with windows that overlap and
// such as reach beyond the image, between forbidden pages and with a NaN in every lane.
#include "checks.h"

namespace nnext::testing {
namespace {

using kernels::PoolAxis;

constexpr std::size_t kChannels = 40, kSide = 7;

PoolAxis axis(std::size_t in, std::size_t kernel, std::size_t stride, std::size_t padding) {
  return {in, (in + 2 * padding - kernel) / stride + 1, kernel, stride, padding};
}

template <class T>
class PoolCheck {
 public:
  PoolCheck(const kernels::PoolKernels<T>& kernels, const PoolAxis& h, const PoolAxis& w)
      : kernels_(kernels), h_(h), w_(w) {}

  bool matches(std::size_t channels, Side side, bool nans) {
    const std::size_t in = h_.in * w_.in * channels, out = h_.out * w_.out * channels;
    std::vector<T> x = random_.template uniforms<T>(in, -1, 1), dy = random_.template uniforms<T>(out, -1, 1);
    for (T& number : x) number = std::round(4 * number) / 4;  // some are equal
    for (std::size_t i = 0; nans && i < in; i += 11) x[i] = std::numeric_limits<T>::quiet_NaN();
    const T *from = x_.put(side, x), *slopes = dy_.put(side, dy);
    T *y = y_.at(side, out), *dx = dx_.at(side, in);
    kernels_.max(channels, h_, w_, from, y);
    kernels_.max_backward(channels, h_, w_, from, slopes, dx);
    if (!same(y, largest(channels, x)) || !same(dx, largest_backward(channels, x, dy))) return false;
    for (const bool inside : {false, true}) {
      kernels_.average(channels, h_, w_, inside, from, y);
      kernels_.average_backward(channels, h_, w_, inside, slopes, dx);
      if (!same(y, average(channels, inside, x)) || !same(dx, average_backward(channels, inside, dy))) return false;
    }
    return true;
  }

 private:
  // Calls f(output, input) for the pixels of every window that lie in the image, window by window, in order of lines.
  template <class F>
  void each(F f) const {
    for (std::size_t i = 0; i < h_.out; ++i)
      for (std::size_t j = 0; j < w_.out; ++j)
        for (std::size_t kh = 0; kh < h_.kernel; ++kh)
          for (std::size_t kw = 0; kw < w_.kernel; ++kw) {
            const std::size_t line = i * h_.stride + kh - h_.padding, column = j * w_.stride + kw - w_.padding;
            if (line < h_.in && column < w_.in) f(i * w_.out + j, line * w_.in + column);  // below 0 it wraps around
          }
  }
  static bool is_larger(T next, T largest) { return next > largest || std::isnan(next); }
  std::vector<T> largest(std::size_t channels, const std::vector<T>& x) const {
    std::vector<T> y(h_.out * w_.out * channels, -std::numeric_limits<T>::infinity());
    each([&](std::size_t out, std::size_t in) {
      for (std::size_t c = 0; c < channels; ++c) {
        T& found = y[out * channels + c];
        if (is_larger(x[in * channels + c], found)) found = x[in * channels + c];
      }
    });
    return y;
  }
  std::vector<T> largest_backward(std::size_t channels, const std::vector<T>& x, const std::vector<T>& dy) const {
    std::vector<T> dx(x.size()), found(dy.size(), -std::numeric_limits<T>::infinity());
    std::vector<std::size_t> where(dy.size());
    each([&](std::size_t out, std::size_t in) {
      for (std::size_t c = 0; c < channels; ++c)
        if (is_larger(x[in * channels + c], found[out * channels + c]))
          found[out * channels + c] = x[in * channels + c], where[out * channels + c] = in * channels + c;
    });
    for (std::size_t i = 0; i < dy.size(); ++i) dx[where[i]] += dy[i];
    return dx;
  }
  std::vector<T> divisors(bool inside) const {
    std::vector<T> counts(h_.out * w_.out);
    each([&](std::size_t out, std::size_t) { counts[out] += 1; });
    if (!inside) std::fill(counts.begin(), counts.end(), static_cast<T>(h_.kernel * w_.kernel));
    return counts;
  }
  std::vector<T> average(std::size_t channels, bool inside, const std::vector<T>& x) const {
    std::vector<T> y(h_.out * w_.out * channels);
    const std::vector<T> by = divisors(inside);
    each([&](std::size_t out, std::size_t in) {
      for (std::size_t c = 0; c < channels; ++c) y[out * channels + c] += x[in * channels + c];
    });
    for (std::size_t i = 0; i < y.size(); ++i) y[i] /= by[i / channels];
    return y;
  }
  std::vector<T> average_backward(std::size_t channels, bool inside, const std::vector<T>& dy) const {
    std::vector<T> dx(h_.in * w_.in * channels);
    const std::vector<T> by = divisors(inside);
    each([&](std::size_t out, std::size_t in) {
      for (std::size_t c = 0; c < channels; ++c) dx[in * channels + c] += dy[out * channels + c] / by[out];
    });
    return dx;
  }
  static bool same(const T* got, const std::vector<T>& want) {
    for (std::size_t i = 0; i < want.size(); ++i)
      if (got[i] != want[i] && !(std::isnan(got[i]) && std::isnan(want[i]))) return false;
    return true;
  }

  const kernels::PoolKernels<T>& kernels_;
  PoolAxis h_, w_;
  static constexpr std::size_t kRoom = kSide * kSide * kChannels;
  Guarded<T> x_{kRoom}, y_{2 * kRoom}, dy_{2 * kRoom}, dx_{kRoom};
  Random random_{21};
};

template <class T>
void check(const Isa& isa, Report& report) {
  report.start(isa, type_name<T>(), "pooling, 1..40 channels");
  bool good = true;
  const std::pair<PoolAxis, PoolAxis> shapes[] = {{axis(6, 2, 2, 0), axis(7, 2, 2, 0)},
                                                  {axis(5, 3, 2, 1), axis(4, 3, 1, 1)},
                                                  {axis(1, 1, 1, 0), axis(7, 4, 3, 2)},
                                                  {axis(7, 7, 1, 0), axis(3, 3, 1, 0)}};
  for (const auto& [h, w] : shapes) {
    PoolCheck<T> pool(isa.tables->get<T>().pool, h, w);
    for (std::size_t channels = 1; channels <= kChannels && good; ++channels)
      for (Side side : {Side::low, Side::high})
        good = good && pool.matches(channels, side, false) && pool.matches(channels, side, true);
  }
  report.finish(good);
}

}  // namespace

void check_pool(const Isa& isa, Report& report) {
  check<float>(isa, report);
  check<double>(isa, report);
}

}  // namespace nnext::testing
