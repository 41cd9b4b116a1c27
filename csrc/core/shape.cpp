#include "core/shape.h"

#include <algorithm>

#include "core/errors.h"

namespace nnext::core {

Shape::Shape(std::span<const Size> space_, Size channels_, bool channels_first_)
    : channels(channels_), axes(space_.size()), channels_first(channels_first_) {
  if (axes > kMaxAxes) fail_value("a sample has ", axes + 1, " axes; at most ", kMaxAxes + 1, " are possible");
  std::copy(space_.begin(), space_.end(), space.begin());
}

Size Shape::product_of_space() const {
  Size product = 1;
  for (Size i = 0; i < axes; ++i) product = checked_product(product, space[i]);
  return product;
}

Shape Shape::with_channels(Size count) const {
  Shape other = *this;
  other.channels = count;
  other.single = false;
  return other;
}

std::vector<Size> Shape::extents() const {
  std::vector<Size> all(space.begin(), space.begin() + static_cast<Stride>(axes));
  if (!single) all.insert(channels_first ? all.begin() : all.end(), channels);
  return all;
}

std::string text(const Shape& shape) {
  std::string joined = "(";
  const std::vector<Size> extents = shape.extents();
  for (const Size extent : extents) joined += (joined.size() > 1 ? ", " : "") + std::to_string(extent);
  return joined + (extents.size() == 1 ? ",)" : ")");
}

}  // namespace nnext::core
