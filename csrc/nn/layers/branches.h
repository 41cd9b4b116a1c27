// Where a network splits into branches, and where they join again: the ends of a Residual and of Branches.
#pragma once

#include "core/errors.h"
#include "nn/layer.h"

namespace nnext::nn {

// to = first + more, in their order, for the rows of a part. `to` may lie where `first` does.
template <class T>
void add_rows(const Pass<T>& pass, ConstMatrix<T> first, std::span<const ConstMatrix<T>> more, const Part& part,
              Matrix<T> to) {
  const T* sum = first.row(part.begin);
  for (const ConstMatrix<T>& next : more) {
    pass.kernels.elementwise.add(part.size() * to.cols, sum, next.row(part.begin), to.row(part.begin));
    sum = to.row(part.begin);
  }
}

// All branches read x; its gradient is the sum of theirs, in their order.
template <class T>
class Fork final : public Layer<T> {
 public:
  Traits traits(const Shape&, bool) const override { return {.forward_identity = true}; }
  Room room(const Shape&, Size, bool) const override { return {}; }
  void forward(const Pass<T>&, const Frame<T>&, const Part&, int) const override {}
  void backward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const override {
    add_rows<T>(pass, frame.dy, frame.more_dy, part, frame.dx);
  }
};

// y = x + more_x, in their order; each branch gets y's gradient.
template <class T>
class Add final : public Layer<T> {
 public:
  explicit Add(const char* of) : of_(of) {}  // the layer that has the branches, for messages
  Shape out_shape(std::span<const Shape> in) const override {
    for (const Shape& other : in)
      if (other != in.front())
        core::fail_value("[", of_, "] one branch gives ", text(in.front()), " a sample but another ", text(other),
                         "; give all the same, for example with Linear(", other.channels, ", ", in.front().channels,
                         ") at the end of that one");
    return in.front();
  }
  Traits traits(const Shape&, bool) const override { return {.backward_identity = true, .in_place = true}; }
  Room room(const Shape& in, Size, bool) const override { return {.flops = static_cast<double>(in.numbers())}; }
  void forward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const override {
    add_rows<T>(pass, frame.x, frame.more_x, part, frame.y);
  }
  void backward(const Pass<T>&, const Frame<T>&, const Part&, int) const override {}

 private:
  const char* of_;
};

// y has the channels of all inputs beside each other, in every place; each gets its part of y's gradient.
template <class T>
class Concat final : public Layer<T> {
 public:
  bool keeps_channels() const override { return false; }
  Shape out_shape(std::span<const Shape> in) const override {
    Size channels = 0;
    for (const Shape& other : in) {
      if (other.with_channels(1) != in.front().with_channels(1))
        core::fail_value("[branches] one branch gives ", text(in.front()), " a sample but another ", text(other),
                         "; they may differ in their channels alone: change stride or padding");
      channels += other.channels;
    }
    return in.front().with_channels(channels);
  }
  Traits traits(const Shape&, bool) const override { return {}; }
  Room room(const Shape&, Size, bool) const override { return {}; }
  void forward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const override {
    T* to = frame.y.row(part.begin);
    for_each(frame.x, frame.more_x, [&](const ConstMatrix<T>& from) {
      const Size places = frame.out->places(), channels = from.cols / places;
      pass.kernels.layout.copy(part.size() * places, channels, from.row(part.begin), stride(channels), to,
                               stride(frame.out->channels));
      to += channels;
    });
  }
  void backward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const override {
    const T* from = frame.dy.row(part.begin);
    for_each(frame.dx, frame.more_dx, [&](const Matrix<T>& to) {
      const Size places = frame.out->places(), channels = to.cols / places;
      pass.kernels.layout.copy(part.size() * places, channels, from, stride(frame.out->channels), to.row(part.begin),
                               stride(channels));
      from += channels;
    });
  }

 private:
  static core::Stride stride(Size channels) { return static_cast<core::Stride>(channels); }
  template <class M, class F>
  static void for_each(const M& first, std::span<const M> more, F f) {
    f(first);
    for (const M& next : more) f(next);
  }
};

}  // namespace nnext::nn
