#include "ops/matmul.h"

#include <array>
#include <cmath>
#include <utility>

#include "core/buffer.h"
#include "core/errors.h"
#include "runtime/blocks.h"
#include "runtime/costs.h"
#include "runtime/pace.h"
#include "runtime/team.h"

namespace nnext::ops {
namespace {

using core::Buffer;
using runtime::Member;
using runtime::Range;

// A block of b lies packed in L2 while blocks of rows of a pass by. With 1024 steps in a block, c is read and written
// seldom: 256 cost 9 % of a product of 1024^3.
constexpr Size kBlockBytes = Size{1} << 20, kBlockRowTiles = 10;
// The least that a member takes at once: 40 us.
constexpr double kBlockFlops = 4 * runtime::kFlopsPerMember;

// One member's part of the product. It packs blocks of a and b into a scratch of its own.
template <class T>
class Product {
 public:
  Product(const KernelTable<T>& kernels, ConstMatrix<T> a, ConstMatrix<T> b, Matrix<T> c)
      : kernels_(kernels),
        a_(a),
        b_(b),
        c_(c),
        panel_(kernels.gemm.panel()),
        block_m_(std::min(kernels.gemm.tile_rows * kBlockRowTiles, a.rows)),
        block_k_(std::min(kernels.gemm.block_k, a.cols)),
        block_n_(core::round_up(kBlockBytes / sizeof(T) / kernels.gemm.block_k, panel_)),
        packed_a_size_(packs_a() ? block_m_ * block_k_ : 0),
        packed_b_size_(packs_b() ? std::min(block_n_, core::round_up(b.cols, panel_)) * block_k_ : 0) {}

  Size scratch_size() const { return packed_a_size_ + packed_b_size_; }
  // Blocks of c's columns, or of its rows, for `members`. As few as may be where each packs again what others have packed.
  runtime::Blocks::Sizes blocks(bool of_cols, int members) const {
    const Size n = of_cols ? c_.cols : c_.rows, other = of_cols ? c_.rows : c_.cols;
    const Size grain = of_cols ? kernels_.gemm.vector_lanes : kernels_.gemm.tile_rows;
    const Size share = core::round_up(core::divide_up(n, static_cast<Size>(members)), grain);
    if (of_cols ? packs_a() : packs_b() && a_.cols > block_k_) return {share, share, grain};
    const double flops = 2.0 * static_cast<double>(other) * static_cast<double>(std::max<Size>(a_.cols, 1));
    const auto enough = static_cast<Size>(std::min(kBlockFlops / flops, static_cast<double>(share)));
    return {std::max<Size>(enough, 1), of_cols ? std::min(share, block_n_) : share, of_cols ? panel_ : grain};
  }

  void run(const Member& me, Range rows, Range cols, T* scratch) {
    packed_a_ = packed_a_size_ > 0 ? scratch : nullptr;
    packed_b_ = packed_b_size_ > 0 ? scratch + packed_a_size_ : nullptr;
    for (Size j = cols.begin; j < cols.end; j += block_n_) {
      const Range block_cols{j, std::min(j + block_n_, cols.end)};
      for (Size p = 0; p < a_.cols || p == 0; p += std::max<Size>(block_k_, 1)) {
        const Range steps{p, std::min(p + block_k_, a_.cols)};
        pack_b(steps, block_cols);
        for (Size i = rows.begin; i < rows.end; i += block_m_)
          multiply(me, {i, std::min(i + block_m_, rows.end)}, steps, block_cols);
      }
    }
  }

 private:
  // Columns, or rows, or both, too far apart for the kernel or for the cache.
  bool packs_a() const { return a_.col_stride != 1 && (a_.row_stride != 1 || c_.cols > panel_); }
  bool packs_b() const {
    return b_.col_stride != 1 ||
           (a_.rows > 4 * kernels_.gemm.tile_rows && b_.rows * b_.cols * sizeof(T) > runtime::kPackBytes);
  }

  // to[i, j] = from[i, j] with contiguous rows in `to`.
  void pack(ConstMatrix<T> from, T* to, Stride to_row) const {
    if (from.col_stride == 1) {
      kernels_.layout.copy(from.rows, from.cols, from.data, from.row_stride, to, to_row);
    } else if (from.row_stride == 1) {
      kernels_.layout.transpose(from.cols, from.rows, from.data, from.col_stride, to, to_row);
    } else {
      for (Size i = 0; i < from.rows; ++i)
        for (Size j = 0; j < from.cols; ++j) to[static_cast<Stride>(i) * to_row + static_cast<Stride>(j)] = from(i, j);
    }
  }

  // As [panel][k][panel_].
  void pack_b(Range steps, Range cols) {
    if (packed_b_ == nullptr || (b_steps_ == steps && b_cols_ == cols)) return;
    b_steps_ = steps, b_cols_ = cols;
    for (Size j = cols.begin; j < cols.end; j += panel_)
      pack(b_.block(steps.begin, j, steps.size(), std::min(panel_, cols.end - j)),
           packed_b_ + (j - cols.begin) * steps.size(), static_cast<Stride>(panel_));
  }

  // c[rows, cols] += a[rows, steps] * b[steps, cols]
  void multiply(const Member& me, Range rows, Range steps, Range cols) {
    kernels::PanelProduct<T> product{.m = rows.size(),
                                     .n = 0,
                                     .k = steps.size(),
                                     .a = &a_(rows.begin, steps.begin),
                                     .a_row = a_.row_stride,
                                     .a_k = a_.col_stride,
                                     .b = nullptr,
                                     .b_k = static_cast<Stride>(panel_),
                                     .init = nullptr,
                                     .init_row = c_.row_stride,
                                     .c = nullptr,
                                     .c_row = c_.row_stride};
    if (packed_a_ != nullptr) {  // as [k][m]
      pack(a_.block(rows.begin, steps.begin, rows.size(), steps.size()).transposed(), packed_a_,
           static_cast<Stride>(rows.size()));
      product.a = packed_a_, product.a_row = 1, product.a_k = static_cast<Stride>(rows.size());
    }
    for (Size j = cols.begin; j < cols.end && !me.stop(); j += panel_) {
      product.n = std::min(panel_, cols.end - j);
      product.c = &c_(rows.begin, j);
      product.init = steps.begin == 0 ? nullptr : product.c;
      if (packed_b_ != nullptr)
        product.b = packed_b_ + (j - cols.begin) * steps.size();
      else
        product.b = &b_(steps.begin, j), product.b_k = b_.row_stride;
      kernels_.gemm.multiply_panel(product);
    }
  }

  const KernelTable<T>& kernels_;
  ConstMatrix<T> a_, b_;
  Matrix<T> c_;
  Size panel_, block_m_, block_k_, block_n_, packed_a_size_, packed_b_size_;
  T *packed_a_ = nullptr, *packed_b_ = nullptr;
  Range b_steps_{}, b_cols_{};  // that are packed
};

// Memory that a thread keeps from one product to the next: fresh pages of the system cost 5 % of a product of 512^3.
template <class T>
class Scratch {
 public:
  explicit Scratch(Size size) : buffer_(std::move(kept())) {  // of no size where a signal handler multiplies meanwhile
    if (buffer_.size() < size) buffer_ = Buffer<T>(size);
  }
  ~Scratch() { kept() = std::move(buffer_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  T* data() { return buffer_.data(); }

 private:
  static Buffer<T>& kept() {
    thread_local Buffer<T> buffer;
    return buffer;
  }
  Buffer<T> buffer_;
};

// Products of about the same size share one: each has twice the work of the one before.
constinit std::array<runtime::Pace, 24> paces{};
runtime::Pace& pace_of(double flops) {
  const int doublings = std::ilogb(flops / runtime::kFlopsPerMember);
  return paces[static_cast<Size>(std::clamp(doublings, 0, static_cast<int>(paces.size()) - 1))];
}

}  // namespace

template <class T>
void matmul(const KernelTable<T>& kernels, ConstMatrix<T> a, ConstMatrix<T> b, Matrix<T> c, runtime::Cancel& cancel) {
  if (c.rows == 0 || c.cols == 0) return;
  const double flops = 2.0 * static_cast<double>(c.rows) * static_cast<double>(c.cols) * static_cast<double>(a.cols);
  const int members = runtime::members_for(flops);
  const Product<T> product(kernels, a, b, c);
  const Size scratch_size = core::round_up(product.scratch_size(), core::kCacheLine / sizeof(T));
  Scratch<T> scratch(scratch_size * static_cast<Size>(members));
  // Columns are split where there are enough of them: each member then packs only its own part of b.
  const bool split_cols = c.cols >= c.rows || c.cols >= 4 * kernels.gemm.panel() * static_cast<Size>(members);
  pace_of(flops).run(members, [&](int now) {
    runtime::Blocks blocks(split_cols ? c.cols : c.rows, now, product.blocks(split_cols, now));
    auto help = [&](Member& me) {
      Product<T> mine(product);
      T* own = scratch.data() + scratch_size * static_cast<Size>(me.index());
      blocks.each(me, [&](Range block) {
        mine.run(me, split_cols ? Range{0, c.rows} : block, split_cols ? block : Range{0, c.cols}, own);
      });
    };
    const runtime::TeamRun went = runtime::run_with_help(now, help, runtime::where_long(flops, cancel));
    return runtime::Pace::Piece{cancel.requested() ? 0 : flops, went};
  });
}

template void matmul(const KernelTable<float>&, ConstMatrix<float>, ConstMatrix<float>, Matrix<float>,
                     runtime::Cancel&);
template void matmul(const KernelTable<double>&, ConstMatrix<double>, ConstMatrix<double>, Matrix<double>,
                     runtime::Cancel&);

}  // namespace nnext::ops
