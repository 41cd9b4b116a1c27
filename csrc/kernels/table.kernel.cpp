// The kernel table of one instruction set, put together from its parts.
#include "kernels/parts.h"
#include "kernels/simd/simd.h"

namespace nnext::kernels::NNEXT_ISA {

constinit const Tables tables{
    {gemm_f32, layout_f32, elementwise_f32, softmax_f32, log_softmax_f32, prelu_f32, noise_f32, loss_f32, reduce_f32,
     normalize_f32, row_norm_f32, rms_norm_f32, pool_f32, recurrent_f32, update_f32, convert_f32, peak_f32, tiny_f32,
     kFlushSubnormals},
    {gemm_f64, layout_f64, elementwise_f64, softmax_f64, log_softmax_f64, prelu_f64, noise_f64, loss_f64, reduce_f64,
     normalize_f64, row_norm_f64, rms_norm_f64, pool_f64, recurrent_f64, update_f64, convert_f64, peak_f64, tiny_f64,
     kFlushSubnormals},
};

}  // namespace nnext::kernels::NNEXT_ISA
