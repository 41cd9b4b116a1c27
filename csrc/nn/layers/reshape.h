// Reshape, and Flatten: the numbers of a sample in another shape, in the order in which people write them.
#pragma once

#include <string>
#include <vector>

#include "core/errors.h"
#include "nn/layer.h"

namespace nnext::nn {

// Only images lie in another order, H, W, C. They are turned here, so that the weights behind a Flatten have PyTorch's
// order: 0.3 % of a step of LeNet-5.
template <class T>
class Reshape final : public Layer<T> {
 public:
  // Of a sample as people write it; one extent may be 0, which is then what follows from the others.
  Reshape(const char* operation, std::vector<Size> extents) : operation_(operation), extents_(std::move(extents)) {
    for (const Size extent : extents_)
      if (extent > 0) known_ = core::checked_product(known_, extent);
  }

  std::optional<Intake> intake() const override {
    return Intake{.channels = open() ? 0 : known_, .axes = 0, .flat = true};
  }
  // How many numbers a sample has: of what is open the next layer can say, where that is a row.
  bool keeps_channels() const override { return !open() || extents_.size() == 1; }
  bool joins_places() const override { return true; }
  Shape out_shape(std::span<const Shape> in) const override {
    const Size numbers = in.front().numbers();
    if (open() ? numbers % known_ != 0 : numbers != known_)
      core::fail_value("[", operation_, "] x is ", text(in.front()), " a sample, ", numbers,
                       " numbers, which do not go into shape ", shape_text(),
                       "; change the shape, or what comes before the layer");
    std::vector<Size> extents = extents_;
    for (Size& extent : extents)
      if (extent == 0) extent = numbers / known_;
    if (extents.size() == 3) return Shape(std::span(extents).subspan(1), extents.front(), true);  // those of an image
    return Shape(std::span(extents).first(extents.size() - 1), extents.back(), false);
  }
  Traits traits(const Shape& in, bool) const override {
    const bool same = !in.turned() && !out_shape({&in, 1}).turned();
    return {.forward_identity = same, .backward_identity = same};
  }
  // Where both are images, a sample lies there as people write it.
  Room room(const Shape& in, Size, bool) const override {
    return {.scratch = in.turned() && out_shape({&in, 1}).turned() ? in.numbers() * sizeof(T) : 0};
  }
  void forward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const override {
    turn(pass, frame, *frame.in, frame.x, part, *frame.out, frame.y);
  }
  void backward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const override {
    turn(pass, frame, *frame.out, frame.dy, part, *frame.in, frame.dx);
  }

 private:
  bool open() const { return std::find(extents_.begin(), extents_.end(), Size{0}) != extents_.end(); }
  std::string shape_text() const {
    std::string joined;
    for (const Size extent : extents_)
      joined += (joined.empty() ? "(" : ", ") + (extent > 0 ? std::to_string(extent) : "-1");
    return joined + (extents_.size() == 1 ? ",)" : ")");
  }

  // Each sample from how it lies in one shape to how it lies in the other, of which one at least is turned.
  static void turn(const Pass<T>& pass, const Frame<T>& frame, const Shape& in, ConstMatrix<T> from, const Part& part,
                   const Shape& out, Matrix<T> to) {
    for (Size i = part.begin; i < part.end; ++i) {
      const T* written = from.row(i);
      if (in.turned()) {
        T* const between = out.turned() ? reinterpret_cast<T*>(frame.scratch) : to.row(i);
        transpose(pass, in.places(), in.channels, written, between);
        written = between;
      }
      if (out.turned()) transpose(pass, out.channels, out.places(), written, to.row(i));
    }
  }
  static void transpose(const Pass<T>& pass, Size rows, Size cols, const T* from, T* to) {
    pass.kernels.layout.transpose(rows, cols, from, static_cast<core::Stride>(cols), to,
                                  static_cast<core::Stride>(rows));
  }

  const char* operation_;
  std::vector<Size> extents_;
  Size known_ = 1;  // the product of those that are told
};

}  // namespace nnext::nn
