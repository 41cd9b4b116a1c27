// What layers have in common whose windows move over images: convolutions and pools.
#pragma once

#include "core/config.h"
#include "core/shape.h"
#include "ops/convolution.h"

namespace nnext::nn {

using core::Shape;
using core::Size;

// The window of axis 0 (lines) or 1 (columns). stride absent: kernel_size; dilation absent: 1. padding "same": as many
// zeros as keep the size, one more at the end where they are odd.
ops::Window read_window(const core::Config& config, Size axis);

// Throws unless samples are images.
void require_image(const char* operation, const Shape& in);
// The image's shape with a place for each window; throws where not one fits.
Shape window_places(const char* operation, const Shape& in, const ops::Window& h, const ops::Window& w);

}  // namespace nnext::nn
