// The checks of kernel_check, by kernel source. `quick` takes fewer sizes and samples, for an emulated CPU.
#pragma once

#include "check.h"

namespace nnext::testing {

void check_gemm(const Isa& isa, bool quick, Report& report);
void check_math(const std::vector<Isa>& isas, bool quick, Report& report);
void check_elementwise(const Isa& isa, Report& report);
void check_softmax(const Isa& isa, Report& report);
void check_prelu(const Isa& isa, Report& report);
void check_noise(const Isa& isa, Report& report);
void check_loss(const Isa& isa, bool quick, Report& report);
void check_reduce(const Isa& isa, Report& report);
void check_normalize(const Isa& isa, Report& report);
void check_row_norm(const Isa& isa, Report& report);
void check_pool(const Isa& isa, Report& report);
void check_update(const Isa& isa, Report& report);
void check_convert(const Isa& isa, Report& report);
void check_bf16(const Isa& isa, Report& report);
void check_layout(const Isa& isa, Report& report);
void check_peak(const Isa& isa, Report& report);
void check_tiny(const Isa& isa, bool quick, Report& report);
// Every kernel's results have the same bits on all instruction sets with a hardware FMA, on every machine.
void check_same_bits(const Isa& isa, Report& report);

}  // namespace nnext::testing
