// The steps of a sequence added up, each as much as it matters: u[t] = tanh(weight[a, f] * x[t] + bias[a]), e[t] =
// context[a] . u[t], p = softmax of e over t, y = sum of p[t] x[t]. Yang et al., Hierarchical Attention Networks, NAACL
// 2016.
#pragma once

#include "nn/layers/linear.h"

namespace nnext::nn {

// A Linear at each step, whose weights it has, and what it makes of their outputs. Each sequence is pooled by itself,
// and only over its own steps.
template <class T>
class AttentionPooling final : public Linear<T> {
 public:
  AttentionPooling(const kernels::KernelTable<T>& kernels, const core::Config& config);

  std::optional<Intake> intake() const override { return Intake{.channels = this->layout_.rows, .axes = 1}; }
  bool joins_places() const override { return true; }
  bool takes_lengths() const override { return true; }
  Size out_length(Size) const override { return 1; }
  Shape out_shape(std::span<const Shape> in) const override;
  Traits traits(const Shape&, bool) const override { return {.reads_x = true, .gradients_follow_backward = true}; }
  Room room(const Shape& in, Size rows, bool training) const override;
  Size feature_blocks() const override { return 1; }
  bool goes_ahead() const override { return false; }
  void forward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int round) const override;
  void backward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int round) const override;
  void initialize(const Streams& streams, runtime::Cancel& cancel) override;
  std::vector<Piece> pieces() const override;
  void gradients(const Pass<T>& pass, const Frame<T>& frame, std::span<const Piece> mine,
                 Sink<T>& sink) const override {
    Layer<T>::gradients(pass, frame, mine, sink);
  }
  void use_bf16(const kernels::Bf16Kernels* kernels) override {
    Layer<T>::use_bf16(kernels);
  }  // it has no such products
  typename Layer<T>::Tiny tiny(kernels::TinyLayer<T>&) const override { return Layer<T>::Tiny::no; }

 protected:
  void gradient(const Pass<T>& pass, const Frame<T>& frame, const Piece& piece, const kernels::Prefetch& prefetch,
                T* out) const override;

 private:
  static constexpr Size kContext = 2;

  // What a row leaves for the way back: p[t], the gradients of e[t], u[t, a], and the gradients of what tanh is of. Where
  // there is none only the first and the third, in the scratch.
  struct Steps {
    T *p, *de, *u, *dz;
  };
  Steps steps(const Frame<T>& frame, Size row) const;
  Size attention_size() const { return this->layout_.cols; }
  const T* context() const { return this->parameters[kContext].values.data(); }

  Initializer context_init_;
  const kernels::ActivationKernels<T>& tanh_;
};

}  // namespace nnext::nn
