// Start values of parameters, each element a function of (seed, layer, parameter, index): the same for every layout,
// instruction set and number of threads.
#pragma once

#include "core/config.h"
#include "core/philox.h"
#include "core/view.h"
#include "kernels/kernel_table.h"
#include "runtime/cancel.h"

namespace nnext::nn {

struct Initializer {
  enum class Kind {
    constant,
    ones,
    uniform,
    normal,
    truncated_normal,
    he_uniform,
    he_normal,
    glorot_uniform,
    glorot_normal,
    lecun_uniform,
    lecun_normal,
    fan_in_uniform,
    orthogonal
  };
  const char* name = "zeros";
  Kind kind = Kind::constant;
  // constant: its value; uniform: low and high; (truncated) normal: mean and standard deviation; he: negative slope;
  // glorot and orthogonal: gain
  double a = 0, b = 0;
};

Initializer make_initializer(const core::Config& config);  // throws std::invalid_argument

// Throws std::invalid_argument where start values may be as large, and that is infinite as a T.
template <class T>
void require_in_range(const char* initializer, double largest);

// Fills the (out, in) weight or the (out, 1) bias of a layer with `fan_in` inputs and `fan_out` outputs, whose rows lie
// without gaps; unfinished where the host asks to stop. Throws where numbers may come out infinite, whether they do
// with this seed or not.
template <class T>
void initialize(const kernels::NoiseKernels<T>& kernels, const Initializer& initializer,
                const core::PhiloxStream& stream, core::Size fan_in, core::Size fan_out, core::Matrix<T> values,
                runtime::Cancel& cancel);

}  // namespace nnext::nn
