// The shape of one sample: places (pixels, steps of time, or a single one), each with so many channels (features).
//
// Numbers lie place by place, H, W, C or T, F or just F: a batch is rows of numbers whatever the shape. People write
// images channels first, C, H, W; the doors turn them.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/size.h"

namespace nnext::core {

struct Shape {
  static constexpr Size kMaxAxes = 4;

  Size channels = 0;
  std::array<Size, kMaxAxes> space{};  // sizes of the axes beside the channels
  Size axes = 0;                       // how many of these there are
  bool channels_first = false;         // as people write it
  bool single = false;                 // a place has one number, and people write no axis for it

  Shape() = default;
  Shape(Size features) : channels(features) {}  // implicit: a row of features is the shape of most samples
  Shape(std::span<const Size> space_, Size channels_, bool channels_first_);

  // Rows of features, by far the most, are told at once: it showed in the smallest prediction.
  Size places() const { return axes == 0 ? 1 : product_of_space(); }
  Size numbers() const { return axes == 0 ? channels : checked_product(product_of_space(), channels); }
  // Whether the numbers lie in another order than people write them.
  bool turned() const { return channels_first && channels > 1 && places() > 1; }
  Shape with_channels(Size count) const;
  std::vector<Size> extents() const;  // as people write it
  bool operator==(const Shape& other) const {
    return channels == other.channels && axes == other.axes &&
           (axes == 0 || (space == other.space && channels_first == other.channels_first && single == other.single));
  }

 private:
  Size product_of_space() const;
};

// "(3, 32, 32)", as people write it.
std::string text(const Shape& shape);

// How numbers of a sample are turned: from `channels` rows of `places` to places with channels together, or back.
struct Turn {
  Size channels = 1, places = 1;  // 1 of either: nothing to do
  static Turn of(const Shape& shape) { return shape.turned() ? Turn{shape.channels, shape.places()} : Turn{}; }
  explicit operator bool() const { return channels > 1; }
};

}  // namespace nnext::core
