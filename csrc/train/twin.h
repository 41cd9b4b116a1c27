// A second network of the same layers, with numbers of its own: what another one is to see while the first stays as it is.
#pragma once

#include <algorithm>
#include <vector>

#include "nn/section.h"

namespace nnext::train {

using core::Size;

template <class T>
class Twin {
 public:
  // Of what `layers` describe.
  Twin(const nn::Section<T>& first, const std::vector<core::Config>& layers)
      : first_(first),
        network_(first.network().seed, layers, first.numbering(), first.network().kernels),
        section_(network_, first) {
    network_.allocate();
    section_.for_parameters(
        [&](const nn::Node<T>&, nn::Parameter<T>& parameter, Size) { values_.push_back(parameter.values.data()); });
  }

  const nn::Section<T>& section() const { return section_; }
  T* values(Size parameter) const { return values_[parameter]; }
  // Takes over the parameter's values as they are in the first network; with `cancel` in parts, until the host stops it.
  void take(Size parameter) {
    const core::Buffer<T>& from = first_.parameter(parameter).values;
    std::copy(from.begin(), from.end(), values_[parameter]);
  }
  void take(Size parameter, runtime::Cancel& cancel) {
    const core::Buffer<T>& from = first_.parameter(parameter).values;
    for (Size at = 0; at < from.size() && !cancel.poll(); at += kLook)
      std::copy_n(from.data() + at, std::min(kLook, from.size() - at), values_[parameter] + at);
  }

 private:
  static constexpr Size kLook = Size{1} << 20;  // numbers between two looks at the host: 1 ms, or a few for fresh pages

  const nn::Section<T>& first_;
  nn::Network<T> network_;
  nn::Section<T> section_;  // all of it
  std::vector<T*> values_;  // of each parameter
};

}  // namespace nnext::train
