// Pooling: of each window of an image, or of a signal, its largest number, or its mean.
#pragma once

#include "core/config.h"
#include "nn/layer.h"
#include "nn/layers/windows.h"

namespace nnext::nn {

// What the pools have in common: windows over images, one image after the other.
template <class T>
class Pool : public Layer<T> {
 public:
  Pool(const core::Config& config, const char* operation, int axes)
      : operation_(operation), axes_(axes), windows_(read_windows(config, axes)) {}

  std::optional<Intake> intake() const override { return Intake{.axes = axes_, .channels_first = true}; }
  bool joins_places() const override { return true; }
  Shape out_shape(std::span<const Shape> in) const override {
    require_axes(operation_, in.front(), axes_);
    return window_places(operation_, in.front(), windows_);
  }
  Room room(const Shape& in, Size, bool) const override {
    const auto& [h, w] = windows_;
    return {.flops = 2 * static_cast<double>(in.numbers()) * static_cast<double>(h.kernel * w.kernel) /
                     static_cast<double>(h.stride * w.stride)};
  }

 protected:
  // Calls f(image, h, w) for the images of a part.
  template <class F>
  void for_images(const Frame<T>& frame, const Part& part, F f) const {
    const auto axis = [](const ops::Window& window, Size in) {
      return kernels::PoolAxis{in, window.places(in), window.kernel, window.stride, window.before};
    };
    const auto [lines, columns] = lines_and_columns(*frame.in);
    const kernels::PoolAxis h = axis(windows_[0], lines), w = axis(windows_[1], columns);
    for (Size i = part.begin; i < part.end; ++i) f(i, h, w);
  }

 private:
  const char* operation_;
  int axes_;
  Windows windows_;
};

template <class T>
class MaxPool final : public Pool<T> {
 public:
  MaxPool(const core::Config& config, int axes) : Pool<T>(config, axes == 1 ? "max_pool1d" : "max_pool2d", axes) {}
  Traits traits(const Shape&, bool) const override { return {.reads_x = true}; }
  void forward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const override {
    this->for_images(frame, part, [&](Size i, const kernels::PoolAxis& h, const kernels::PoolAxis& w) {
      pass.kernels.pool.max(frame.in->channels, h, w, frame.x.row(i), frame.y.row(i));
    });
  }
  void backward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const override {
    this->for_images(frame, part, [&](Size i, const kernels::PoolAxis& h, const kernels::PoolAxis& w) {
      pass.kernels.pool.max_backward(frame.in->channels, h, w, frame.x.row(i), frame.dy.row(i), frame.dx.row(i));
    });
  }
};

template <class T>
class AvgPool final : public Pool<T> {
 public:
  explicit AvgPool(const core::Config& config)
      : Pool<T>(config, "avg_pool2d", 2), inside_(!config.flag("count_include_pad")) {}
  Traits traits(const Shape&, bool) const override { return {}; }
  void forward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const override {
    this->for_images(frame, part, [&](Size i, const kernels::PoolAxis& h, const kernels::PoolAxis& w) {
      pass.kernels.pool.average(frame.in->channels, h, w, inside_, frame.x.row(i), frame.y.row(i));
    });
  }
  void backward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const override {
    this->for_images(frame, part, [&](Size i, const kernels::PoolAxis& h, const kernels::PoolAxis& w) {
      pass.kernels.pool.average_backward(frame.in->channels, h, w, inside_, frame.dy.row(i), frame.dx.row(i));
    });
  }

 private:
  bool inside_;  // zeros around the image do not count
};

// The mean of each channel: images become features.
template <class T>
class GlobalAvgPool final : public Layer<T> {
 public:
  std::optional<Intake> intake() const override { return Intake{.axes = 2, .channels_first = true}; }
  Shape out_shape(std::span<const Shape> in) const override {
    require_axes("global_avg_pool2d", in.front(), 2);
    return in.front().channels;
  }
  Traits traits(const Shape&, bool) const override { return {}; }
  Room room(const Shape& in, Size, bool) const override { return {.flops = static_cast<double>(in.numbers())}; }
  void forward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const override {
    for (Size i = part.begin; i < part.end; ++i)
      pass.kernels.pool.average(frame.in->channels, kOne, all(frame), false, frame.x.row(i), frame.y.row(i));
  }
  void backward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const override {
    for (Size i = part.begin; i < part.end; ++i)
      pass.kernels.pool.average_backward(frame.in->channels, kOne, all(frame), false, frame.dy.row(i), frame.dx.row(i));
  }

 private:
  static constexpr kernels::PoolAxis kOne{1, 1, 1, 1, 0};
  static kernels::PoolAxis all(const Frame<T>& frame) {  // all pixels as one line, and one window over it
    const Size places = frame.in->places();
    return {places, 1, places, 1, 0};
  }
};

}  // namespace nnext::nn
