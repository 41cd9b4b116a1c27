// What all activations have in common.
#pragma once

#include "kernels/simd/math.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

// An activation's numbers beside x, in every lane: ActivationArguments of kernel_table.h.
template <class T>
struct Arguments {
  Vec<T> first, second;
};

}  // namespace
}  // namespace nnext::kernels::NNEXT_ISA
