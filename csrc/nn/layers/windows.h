// What layers have in common whose windows move over images, or over signals and sequences, which are images of
// one line: the numbers of all lie place by place.
#pragma once

#include <array>

#include "core/config.h"
#include "core/shape.h"
#include "ops/conv_shape.h"

namespace nnext::nn {

using core::Shape;
using core::Size;

// The windows of lines and columns, as many as there are axes. stride absent: kernel_size; dilation absent: 1. padding
// "same": as many zeros as keep the size, one more at the end where they are odd.
using Windows = std::array<ops::Window, 2>;
Windows read_windows(const core::Config& config, int axes);

// Throws unless samples are images (2 axes beside their channels), or signals or sequences (1).
void require_axes(const char* operation, const Shape& in, int axes);
// Lines and columns of a sample.
std::array<Size, 2> lines_and_columns(const Shape& in);
// The sample's shape with a place for each window; throws where not one fits.
Shape window_places(const char* operation, const Shape& in, const Windows& windows);
// How many windows a sequence of so many steps has, of those with more: none where it has no step, or too few.
Size window_length(const Windows& windows, Size in_length);

}  // namespace nnext::nn
