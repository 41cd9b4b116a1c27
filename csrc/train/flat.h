// The trainable parameters of a section, or numbers stored like them, as one vector in double: one after the other, each
// in the order of its public shape.
#pragma once

#include <vector>

#include "nn/section.h"

namespace nnext::train {

using core::Size;

template <class T>
class Flat {
 public:
  explicit Flat(const nn::Section<T>& section) {
    Size most = 0;
    section.for_parameters([&](const nn::Node<T>& node, const nn::Parameter<T>& parameter, Size index) {
      if (!node.layer->trainable || parameter.role == nn::Role::buffer) return;
      Size count = 1;
      for (const Size extent : parameter.shape) count *= extent;
      parts_.push_back({node.layer.get(), index - section.index(node, 0), index, count});
      size_ += count, most = std::max(most, count);
    });
    logical_ = core::Buffer<T>(most);
  }

  Size size() const { return size_; }
  // stored(i): what is stored like the section's parameter i.
  template <class F>
  void read(F stored, std::vector<double>& to) {
    to.resize(size_);
    double* next = to.data();
    for (const Part& part : parts_) {
      part.layer->to_logical(part.parameter, stored(part.index), logical_.data(), nullptr);
      next = std::copy_n(logical_.data(), part.count, next);
    }
  }
  template <class F>
  void write(const std::vector<double>& from, F stored) {
    const double* next = from.data();
    for (const Part& part : parts_) {
      for (Size i = 0; i < part.count; ++i) logical_.data()[i] = static_cast<T>(*next++);
      part.layer->from_logical(part.parameter, logical_.data(), stored(part.index), nullptr);
    }
  }

 private:
  struct Part {
    const nn::Layer<T>* layer;
    Size parameter, index, count;  // the layer's, the section's, numbers
  };
  std::vector<Part> parts_;
  Size size_ = 0;
  core::Buffer<T> logical_;  // of one part
};

}  // namespace nnext::train
