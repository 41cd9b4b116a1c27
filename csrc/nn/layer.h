// What every layer can do. A layer owns its parameters and describes itself; it never changes them: optim and train do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/buffer.h"
#include "core/view.h"
#include "kernels/bf16/bf16_kernels.h"
#include "kernels/kernel_table.h"
#include "runtime/team.h"

namespace nnext::nn {

using core::ConstMatrix;
using core::Matrix;
using core::Size;

// The facts of one pass over some rows of a batch.
template <class T>
struct Pass {
  const kernels::KernelTable<T>& kernels;
  const runtime::Member& me;  // who computes these rows; may be told to stop
  std::uint64_t seed = 0;
  std::uint64_t step = 0;        // with seed and layer the key of random masks
  bool training = false;         // dropout acts only in training
  Size first_row = 0;            // of the rows given, within the batch
  kernels::Prefetch prefetch{};  // what the member reads next
};

// Numbers that training changes. `values` lies as the kernels want it; Layer::to_logical gives them their public shape.
template <class T>
struct Parameter {
  std::string name;
  std::vector<Size> shape;
  core::Buffer<T> values;
};

// A contiguous part of one parameter whose gradient is computed, and then applied, in one go while it is in L1.
struct Piece {
  Size parameter = 0;
  Size offset = 0, count = 0;  // in Parameter::values
  Size block = 0;              // of the layer's outputs, which it belongs to
};
inline constexpr Size kMaxPiece = 3072;  // elements: a gradient tile of 12 KB in float32, 48 rows of a panel of 64

// What a layer keeps beside its parameters, derived from them: nothing, what forward() reads in training, or what
// backward() reads as well, such as a transposed copy.
enum class Derived { none, forward, all };

template <class T>
class Layer {
 public:
  virtual ~Layer() = default;

  // Features of the rows it takes; 0 where it takes any number.
  virtual Size in_features() const { return 0; }
  // Throws std::invalid_argument unless the layer takes rows of in_features.
  virtual Size out_features(Size in_features) const = 0;

  // y is x and dx is dy: neither forward nor backward is called.
  virtual bool passes_through(bool /*training*/) const { return false; }
  // y may be x and dx may be dy.
  virtual bool in_place() const { return false; }
  // backward() reads y, so no later layer may overwrite it.
  virtual bool needs_output() const { return false; }

  virtual void forward(const Pass<T>& pass, ConstMatrix<T> x, Matrix<T> y) const = 0;
  // Where outputs come in blocks, each from all of x and parameters of its own, forward() for blocks [first, last).
  virtual Size blocks() const { return 1; }
  virtual void forward_blocks(const Pass<T>&, ConstMatrix<T> /*x*/, Size /*first*/, Size /*last*/,
                              Matrix<T> /*y*/) const {}
  virtual void backward(const Pass<T>& pass, ConstMatrix<T> y, ConstMatrix<T> dy, Matrix<T> dx) const = 0;

  std::vector<Parameter<T>> parameters;
  bool trainable = true;

  // The parameters cut into pieces of at most kMaxPiece, in the order in which they are best computed.
  virtual std::vector<Piece> pieces() const { return {}; }
  // Memory for what the gradients of all pieces share, for a batch of `rows`; 0: they need nothing. All members of the
  // team write it together, and each piece's gradient() needs all of it.
  virtual Size scratch_bytes(Size /*rows*/) const { return 0; }
  virtual void prepare_gradient(const Pass<T>&, ConstMatrix<T> /*x*/, ConstMatrix<T> /*dy*/,
                                std::byte* /*scratch*/) const {}
  // out[0 .. count) = the gradient of the piece over the whole batch.
  virtual void gradient(const Pass<T>&, const Piece&, ConstMatrix<T> /*x*/, ConstMatrix<T> /*dy*/,
                        std::byte* /*scratch*/, T* /*out*/) const {}
  // updated() keeps as much as `fresh` says in step with the parameters; whoever changes them otherwise sets none. A
  // layer whose input needs no gradient, usually the first, gets along with Derived::forward.
  virtual void updated(const Piece&) {}
  virtual void refresh(Derived wanted) { fresh = std::max(fresh, wanted); }  // before the pass; allocates
  Derived fresh = Derived::none;

  // From now on products in training round their operands to bf16, where the layer has such; null: no longer.
  virtual void use_bf16(const kernels::Bf16Kernels*) {}

  // Numbers stored like parameter i (its values, gradients, optimizer state) from and to the public row-major shape.
  virtual void to_logical(Size i, const T* stored, T* logical) const;
  virtual void from_logical(Size i, const T* logical, T* stored) const;
};

template <class T>
void Layer<T>::to_logical(Size i, const T* stored, T* logical) const {
  std::copy_n(stored, parameters[i].values.size(), logical);
}
template <class T>
void Layer<T>::from_logical(Size i, const T* logical, T* stored) const {
  std::copy_n(logical, parameters[i].values.size(), stored);
}

}  // namespace nnext::nn
