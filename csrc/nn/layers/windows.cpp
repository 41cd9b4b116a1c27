#include "nn/layers/windows.h"

#include "core/errors.h"

namespace nnext::nn {

namespace {

Size at(const core::Config& config, const char* name, Size axis) {
  return static_cast<Size>(config.numbers(name).at(axis));
}

}  // namespace

ops::Window read_window(const core::Config& config, Size axis) {
  ops::Window window{.kernel = at(config, "kernel_size", axis)};
  window.stride = config.has("stride") ? at(config, "stride", axis) : window.kernel;
  if (config.has("dilation")) window.dilation = at(config, "dilation", axis);
  if (config.is_text("padding")) {
    window.before = (window.reach() - 1) / 2;
    window.after = window.reach() - 1 - window.before;
  } else {
    window.before = window.after = at(config, "padding", axis);
  }
  return window;
}

void require_image(const char* operation, const Shape& in) {
  if (in.axes != 2 || !in.channels_first)
    core::fail_value("[", operation, "] x is ", text(in), " a sample but the layer takes images (channels, height, ",
                     "width); give input_shape=(channels, height, width), or change what comes before the layer");
}

Shape window_places(const char* operation, const Shape& in, const ops::Window& h, const ops::Window& w) {
  const Size space[] = {h.places(in.space[0]), w.places(in.space[1])};
  if (space[0] == 0 || space[1] == 0)
    core::fail_value("[", operation, "] images of ", in.space[0], " x ", in.space[1], " with padding are smaller than ",
                     "the window of ", h.reach(), " x ", w.reach(), "; change kernel_size or padding");
  return {space, in.channels, true};
}

}  // namespace nnext::nn
