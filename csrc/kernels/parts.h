// The parts of one instruction set's kernel table; each is defined in the kernel source of that name, rms_norm in that of
// row_norm.
#pragma once

#include "kernels/kernel_table.h"

namespace nnext::kernels::NNEXT_ISA {

extern const GemmKernels<float> gemm_f32;
extern const GemmKernels<double> gemm_f64;
extern const LayoutKernels<float> layout_f32;
extern const LayoutKernels<double> layout_f64;
extern const ElementwiseKernels<float> elementwise_f32;
extern const ElementwiseKernels<double> elementwise_f64;
extern const SoftmaxKernels<float> softmax_f32;
extern const SoftmaxKernels<double> softmax_f64;
extern const SoftmaxKernels<float> log_softmax_f32;
extern const SoftmaxKernels<double> log_softmax_f64;
extern const PReLUKernels<float> prelu_f32;
extern const PReLUKernels<double> prelu_f64;
extern const NoiseKernels<float> noise_f32;
extern const NoiseKernels<double> noise_f64;
extern const LossKernels<float> loss_f32;
extern const LossKernels<double> loss_f64;
extern const ReduceKernels<float> reduce_f32;
extern const ReduceKernels<double> reduce_f64;
extern const NormalizeKernels<float> normalize_f32;
extern const NormalizeKernels<double> normalize_f64;
extern const RowNormKernels<float> row_norm_f32;
extern const RowNormKernels<double> row_norm_f64;
extern const RowNormKernels<float> rms_norm_f32;
extern const RowNormKernels<double> rms_norm_f64;
extern const PoolKernels<float> pool_f32;
extern const PoolKernels<double> pool_f64;
extern const RecurrentKernels<float> recurrent_f32;
extern const RecurrentKernels<double> recurrent_f64;
extern const UpdateKernels<float> update_f32;
extern const UpdateKernels<double> update_f64;
extern const ConvertKernels<float> convert_f32;
extern const ConvertKernels<double> convert_f64;
extern const PeakKernels<float> peak_f32;
extern const PeakKernels<double> peak_f64;
extern const TinyKernels<float> tiny_f32;
extern const TinyKernels<double> tiny_f64;
extern const Tables tables;

}  // namespace nnext::kernels::NNEXT_ISA
