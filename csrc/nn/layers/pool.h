// Pooling: of each window of an image, of a signal or of a sequence, its largest number, or its mean.
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
  bool takes_lengths() const override { return axes_ == 1; }
  Size out_length(Size in_length) const override { return window_length(windows_, in_length); }
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
  // Calls f(image, h, w) for the images of a part. Windows end where a sequence has its own end.
  template <class F>
  void for_images(const Frame<T>& frame, const Part& part, F f) const {
    const auto axis = [](const ops::Window& window, Size in) {
      return kernels::PoolAxis{in, in == 0 ? 0 : window.places(in), window.kernel, window.stride, window.before};
    };
    const auto [lines, columns] = lines_and_columns(*frame.in);
    const kernels::PoolAxis h = axis(windows_[0], lines);
    for (Size i = part.begin; i < part.end; ++i) f(i, h, axis(windows_[1], axes_ == 1 ? frame.in_length(i) : columns));
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
  AvgPool(const core::Config& config, int axes)
      : Pool<T>(config, axes == 1 ? "avg_pool1d" : "avg_pool2d", axes), inside_(!config.flag("count_include_pad")) {}
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

// What pools of all places have in common: images become features, and so do signals and sequences.
template <class T>
class GlobalPool : public Layer<T> {
 public:
  GlobalPool(const char* operation, int axes) : operation_(operation), axes_(axes) {}
  std::optional<Intake> intake() const override { return Intake{.axes = axes_, .channels_first = true}; }
  bool joins_places() const override { return axes_ == 1; }  // images do not come of features
  bool takes_lengths() const override { return axes_ == 1; }
  Size out_length(Size) const override { return 1; }
  Shape out_shape(std::span<const Shape> in) const override {
    require_axes(operation_, in.front(), axes_);
    return in.front().channels;
  }
  Room room(const Shape& in, Size, bool) const override { return {.flops = static_cast<double>(in.numbers())}; }

 protected:
  static constexpr kernels::PoolAxis kOne{1, 1, 1, 1, 0};
  // Calls f(row, all) where `all` has the row's places as one line, and one window over it.
  template <class F>
  static void for_rows(const Frame<T>& frame, const Part& part, F f) {
    for (Size i = part.begin; i < part.end; ++i) {
      const Size places = frame.in_length(i);
      if (places > 0) f(i, kernels::PoolAxis{places, 1, places, 1, 0});
    }
  }
  // Those of a sequence without a step are 0.
  static void clear_empty(const Frame<T>& frame, const Part& part) {
    for (Size i = part.begin; i < part.end; ++i)
      if (frame.in_length(i) == 0) std::fill_n(frame.y.row(i), frame.y.cols, T{0});
  }

 private:
  const char* operation_;
  int axes_;
};

// The mean of each channel.
template <class T>
class GlobalAvgPool final : public GlobalPool<T> {
 public:
  explicit GlobalAvgPool(int axes) : GlobalPool<T>(axes == 1 ? "global_avg_pool1d" : "global_avg_pool2d", axes) {}
  Traits traits(const Shape&, bool) const override { return {}; }
  void forward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const override {
    this->clear_empty(frame, part);
    this->for_rows(frame, part, [&](Size i, const kernels::PoolAxis& all) {
      pass.kernels.pool.average(frame.in->channels, this->kOne, all, false, frame.x.row(i), frame.y.row(i));
    });
  }
  void backward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const override {
    this->for_rows(frame, part, [&](Size i, const kernels::PoolAxis& all) {
      pass.kernels.pool.average_backward(frame.in->channels, this->kOne, all, false, frame.dy.row(i), frame.dx.row(i));
    });
  }
};

// The largest number of each channel.
template <class T>
class GlobalMaxPool final : public GlobalPool<T> {
 public:
  GlobalMaxPool() : GlobalPool<T>("global_max_pool1d", 1) {}
  Traits traits(const Shape&, bool) const override { return {.reads_x = true}; }
  void forward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const override {
    this->clear_empty(frame, part);
    this->for_rows(frame, part, [&](Size i, const kernels::PoolAxis& all) {
      pass.kernels.pool.max(frame.in->channels, this->kOne, all, frame.x.row(i), frame.y.row(i));
    });
  }
  void backward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const override {
    this->for_rows(frame, part, [&](Size i, const kernels::PoolAxis& all) {
      pass.kernels.pool.max_backward(frame.in->channels, this->kOne, all, frame.x.row(i), frame.dy.row(i),
                                     frame.dx.row(i));
    });
  }
};

}  // namespace nnext::nn
