// Which kernels for products in bf16 this CPU can run, and which are in use.
#pragma once

#include <string_view>
#include <vector>

#include "kernels/bf16/bf16_kernels.h"
#include "kernels/kernel_table.h"

namespace nnext::kernels {

// Those this CPU and the operating system support beside the avx512 kernels, best first; empty elsewhere.
const std::vector<const Bf16Kernels*>& available_bf16();

// The one in use for networks with these float32 kernels, or null: the panels of those that
// are not avx512's are cut otherwise.
const Bf16Kernels* current_bf16(const KernelTable<float>& kernels);

// Puts another one in use. Throws std::invalid_argument when it is unknown or unsupported here.
void select_bf16(std::string_view name);

}  // namespace nnext::kernels
