#include "nn/layers/windows.h"

#include "core/errors.h"

namespace nnext::nn {

namespace {

// A field that has a number for each axis, or one where there is but one axis.
Size at(const core::Config& config, const char* name, Size axis) {
  return config.is_list(name) ? static_cast<Size>(config.numbers(name).at(axis))
                              : static_cast<Size>(config.number(name));
}

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

}  // namespace

Windows read_windows(const core::Config& config, int axes) {
  if (axes == 1) return {ops::Window{}, read_window(config, 0)};
  return {read_window(config, 0), read_window(config, 1)};
}

void require_axes(const char* operation, const Shape& in, int axes) {
  if (in.axes == static_cast<Size>(axes) && (in.channels_first || axes == 1)) return;
  const char* const wanted =
      axes == 1 ? "signals (channels, length) or sequences (steps, features)" : "images (channels, height, width)";
  core::fail_value("[", operation, "] x is ", text(in), " a sample but the layer takes ", wanted,
                   "; give such an input_shape, or change what comes before the layer");
}

std::array<Size, 2> lines_and_columns(const Shape& in) {
  return in.axes == 1 ? std::array<Size, 2>{1, in.space[0]} : std::array<Size, 2>{in.space[0], in.space[1]};
}

Shape window_places(const char* operation, const Shape& in, const Windows& windows) {
  const std::array<Size, 2> size = lines_and_columns(in);
  const Size space[] = {windows[0].places(size[0]), windows[1].places(size[1])};
  if (space[1] == 0 && in.axes == 1)
    core::fail_value("[", operation, "] ", in.channels_first ? "signals" : "sequences", " of ", size[1],
                     " with padding are shorter than the window of ", windows[1].reach(),
                     "; change kernel_size or padding");
  if (space[0] == 0 || space[1] == 0)
    core::fail_value("[", operation, "] images of ", size[0], " x ", size[1], " with padding are smaller than the ",
                     "window of ", windows[0].reach(), " x ", windows[1].reach(), "; change kernel_size or padding");
  return {std::span(space).last(in.axes), in.channels, in.channels_first};
}

Size window_length(const Windows& windows, Size in_length) { return in_length == 0 ? 0 : windows[1].places(in_length); }

}  // namespace nnext::nn
