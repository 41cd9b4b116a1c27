#include "ops/matmul.h"

#include <vector>

#include "core/buffer.h"
#include "core/errors.h"
#include "runtime/team.h"

namespace nnext::ops {
namespace {

using core::Buffer;
using runtime::Member;
using runtime::Range;

constexpr Size kBlockRowTiles = 20;  // rows of a packed at a time: 20 tiles x 384 x 4 bytes = 430 KB, a share of L2

// One member's part of the product, and the scratch it packs blocks of a and b into.
template <class T>
class Product {
 public:
  Product(const KernelTable<T>& kernels, ConstMatrix<T> a, ConstMatrix<T> b, Matrix<T> c)
      : gemm_(kernels.gemm),
        a_(a),
        b_(b),
        c_(c),
        block_m_(gemm_.tile_rows * kBlockRowTiles),
        block_k_(std::min(gemm_.block_k, a.cols)),
        packed_a_(packs_a() ? std::min(block_m_, a.rows) * block_k_ : 0),
        packed_b_(packs_b() ? gemm_.panel() * block_k_ : 0) {}

  void run(const Member& me, Range rows, Range cols) {
    for (Size i = rows.begin; i < rows.end; i += block_m_) {
      const Size m = std::min(block_m_, rows.end - i);
      for (Size p = 0; p < a_.cols || p == 0; p += block_k_) {
        const Size k = std::min(block_k_, a_.cols - p);
        const Operand a = pack_a(i, m, p, k);
        for (Size j = cols.begin; j < cols.end; j += gemm_.panel()) {
          if (me.stop()) return;
          multiply(a, i, m, p, k, j, std::min(gemm_.panel(), cols.end - j));
        }
        if (a_.cols == 0) break;
      }
    }
  }

 private:
  struct Operand {
    const T* data;
    Stride row, k;
  };

  // Packed: rows too far apart would fight for the same cache sets, or neither stride is 1.
  bool packs_a() const { return a_.rows > 4 * gemm_.tile_rows || (a_.row_stride != 1 && a_.col_stride != 1); }
  // Packed: columns are not contiguous, or the block is used often enough to pay for it.
  bool packs_b() const { return b_.col_stride != 1 || a_.rows > 4 * gemm_.tile_rows; }

  // a[i .. i + m, p .. p + k]; packed it is [m / tile][k][tile], so that the kernel reads it in order.
  Operand pack_a(Size i, Size m, Size p, Size k) {
    const T* from = &a_(i, p);
    if (packed_a_.size() == 0) return {from, a_.row_stride, a_.col_stride};
    const Size tile = gemm_.tile_rows;
    for (Size r0 = 0; r0 < m; r0 += tile) {
      const Size rows = std::min(tile, m - r0);
      T* to = packed_a_.data() + r0 * k;
      for (Size r = 0; r < rows; ++r)
        for (Size q = 0; q < k; ++q) to[q * rows + r] = a_(i + r0 + r, p + q);
    }
    return {packed_a_.data(), 0, 0};
  }

  // b[p .. p + k, j .. j + n]
  Operand pack_b(Size p, Size k, Size j, Size n) {
    if (packed_b_.size() == 0) return {&b_(p, j), 1, b_.row_stride};
    const Size width = gemm_.panel();
    if (b_.col_stride == 1) {
      for (Size q = 0; q < k; ++q) std::copy_n(&b_(p + q, j), n, packed_b_.data() + q * width);
    } else {
      for (Size c = 0; c < n; ++c)
        for (Size q = 0; q < k; ++q) packed_b_[q * width + c] = b_(p + q, j + c);
    }
    return {packed_b_.data(), 1, static_cast<Stride>(width)};
  }

  void multiply(const Operand& a, Size i, Size m, Size p, Size k, Size j, Size n) {
    const Operand b = pack_b(p, k, j, n);
    T* c = &c_(i, j);
    kernels::PanelProduct<T> product{
        m, n, k, a.data, a.row, a.k, b.data, b.k, p == 0 ? nullptr : c, c_.row_stride, c, c_.row_stride};
    if (a.row != 0 || a.k != 0) return gemm_.multiply_panel(product);
    const Size tile = gemm_.tile_rows;
    for (Size r = 0; r < m; r += tile) {
      product.m = std::min(tile, m - r);
      product.a = a.data + r * k;
      product.a_row = 1;
      product.a_k = static_cast<Stride>(product.m);
      product.c = c + static_cast<Stride>(r) * c_.row_stride;
      product.init = p == 0 ? nullptr : product.c;
      gemm_.multiply_panel(product);
    }
  }

  const kernels::GemmKernels<T>& gemm_;
  ConstMatrix<T> a_, b_;
  Matrix<T> c_;
  Size block_m_, block_k_;
  Buffer<T> packed_a_, packed_b_;
};

}  // namespace

template <class T>
void matmul(const KernelTable<T>& kernels, ConstMatrix<T> a, ConstMatrix<T> b, Matrix<T> c, runtime::Cancel& cancel) {
  if (c.rows == 0 || c.cols == 0) return;
  const double flops = 2.0 * static_cast<double>(c.rows) * static_cast<double>(c.cols) * static_cast<double>(a.cols);
  const int members = runtime::members_for(flops);
  std::vector<Product<T>> products(static_cast<Size>(members), Product<T>(kernels, a, b, c));
  // The longer side is split, so that each member repeats as little of the packing as possible.
  const bool split_rows = c.rows >= c.cols;
  auto share = [&](Member& me) {
    const Range rows = split_rows ? me.share(c.rows, kernels.gemm.tile_rows) : Range{0, c.rows};
    const Range cols = split_rows ? Range{0, c.cols} : me.share(c.cols, kernels.gemm.panel());
    products[static_cast<Size>(me.index())].run(me, rows, cols);
  };
  runtime::run_on_team(members, share, runtime::where_long(flops, cancel));
}

template void matmul(const KernelTable<float>&, ConstMatrix<float>, ConstMatrix<float>, Matrix<float>,
                     runtime::Cancel&);
template void matmul(const KernelTable<double>&, ConstMatrix<double>, ConstMatrix<double>, Matrix<double>,
                     runtime::Cancel&);

}  // namespace nnext::ops
