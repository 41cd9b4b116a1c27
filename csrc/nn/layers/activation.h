// Element-wise activations.
#pragma once

#include "nn/layer.h"
#include "ops/activation.h"

namespace nnext::nn {

// y = f(x) for an activation of the kernel table, whose gradient is told from x or from y.
template <class T>
class Activation final : public Layer<T> {
 public:
  Activation(const kernels::ActivationKernels<T>& kernels, kernels::ActivationArguments<T> arguments)
      : kernels_(kernels), arguments_(arguments) {}
  Traits traits(const Shape&, bool) const override {
    return {.in_place = true, .reads_x = kernels_.from_x, .reads_y = !kernels_.from_x};
  }
  bool element_wise() const override { return true; }
  Room room(const Shape& in, Size, bool) const override { return {.flops = 8 * static_cast<double>(in.numbers())}; }
  void forward(const Pass<T>&, const Frame<T>& frame, const Part& part, int) const override {
    const ConstMatrix<T> x = frame.x.rows_from(part.begin, part.size());
    kernels_.forward(x.rows * x.cols, arguments_, x.data, frame.y.row(part.begin));
  }
  void backward(const Pass<T>&, const Frame<T>& frame, const Part& part, int) const override {
    const T* from = kernels_.from_x ? frame.x.row(part.begin) : frame.y.row(part.begin);
    kernels_.backward(part.size() * frame.y.cols, arguments_, from, frame.dy.row(part.begin), frame.dx.row(part.begin));
  }
  // There y takes the place of x.
  typename Layer<T>::Tiny tiny(kernels::TinyLayer<T>& layer) const override {
    if (kernels_.from_x) return Layer<T>::Tiny::no;
    layer.activation = &kernels_, layer.arguments = arguments_;
    return Layer<T>::Tiny::ends;
  }

 private:
  const kernels::ActivationKernels<T>& kernels_;
  kernels::ActivationArguments<T> arguments_;
};

}  // namespace nnext::nn
