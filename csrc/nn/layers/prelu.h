// PReLU: y = x where x > 0, else weight x, whose weight is learned: one, or one for each channel.
// K. He, X. Zhang, S. Ren and J. Sun, ICCV 2015.
#pragma once

#include <cmath>

#include "core/config.h"
#include "core/errors.h"
#include "nn/initializer.h"
#include "nn/layer.h"

namespace nnext::nn {

// The gradient of a weight is a sum over rows, and over the places that share it. That of each row is there when it has
// gone backward, and is saved; the rows' are then added in their order. So no bit depends on the team.
template <class T>
class PReLU final : public Layer<T> {
 public:
  explicit PReLU(const core::Config& config) : weights_(config.size("num_parameters")), init_(config.number("init")) {
    this->parameters.push_back({"weight", {weights_}, weights_});
  }

  std::optional<Intake> intake() const override {
    if (shared()) return {};
    return Intake{.channels = weights_};
  }
  Shape out_shape(std::span<const Shape> in) const override {
    const Size channels = in.front().channels;
    if (!shared() && channels != weights_)
      core::fail_value("[prelu] x has ", channels, in.front().axes == 0 ? " features" : " channels",
                       " but the layer has ", weights_, " weights; change num_parameters to 1 or ", channels,
                       ", or what comes before the layer");
    return in.front();
  }
  Traits traits(const Shape&, bool) const override {
    return {.in_place = true, .reads_x = true, .gradients_follow_backward = true};
  }
  Room room(const Shape& in, Size, bool training) const override {
    return {.saved = training ? weights_ : 0, .flops = 4 * static_cast<double>(in.numbers())};
  }

  void forward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const override {
    const Shape& in = *frame.in;
    pass.kernels.prelu.forward(part.size() * in.places(), in.channels, shared(), weight(), frame.x.row(part.begin),
                               frame.y.row(part.begin));
  }
  void backward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const override {
    const Shape& in = *frame.in;
    pass.kernels.prelu.backward(part.size(), in.places(), in.channels, shared(), weight(), frame.x.row(part.begin),
                                frame.dy.row(part.begin), frame.dx.row(part.begin), frame.saved.row(part.begin));
  }
  void initialize(const Streams&, runtime::Cancel&) override {
    require_in_range<T>("init", std::abs(init_));
    std::fill_n(this->parameters[0].values.data(), weights_, static_cast<T>(init_));
  }

 protected:
  void gradient(const Pass<T>& pass, const Frame<T>& frame, const Piece& piece, const kernels::Prefetch&,
                T* out) const override {
    pass.kernels.reduce.column_sums(frame.rows(), piece.count, frame.saved.data + piece.offset, frame.saved.row_stride,
                                    pass.continues() ? out : nullptr, out);
  }

 private:
  bool shared() const { return weights_ == 1; }
  const T* weight() const { return this->parameters[0].values.data(); }

  Size weights_;
  double init_;
};

}  // namespace nnext::nn
