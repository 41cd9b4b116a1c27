// What a layer is: its parameters and its mathematics, forward beside backward; never its memory, its neighbours or its
// thread. The planner (train/plan.h) asks what it needs and gives it that in a Frame.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/buffer.h"
#include "core/philox.h"
#include "core/shape.h"
#include "core/view.h"
#include "kernels/bf16/bf16_kernels.h"
#include "kernels/kernel_table.h"
#include "runtime/cancel.h"
#include "runtime/team.h"

namespace nnext::nn {

using core::ConstMatrix;
using core::Matrix;
using core::Shape;
using core::Size;
using runtime::Range;

// ---- what a pass gives a layer --------------------------------------------------------------------------------------

template <class T>
struct Pass {
  const kernels::KernelTable<T>& kernels;
  const runtime::Member& me;  // who computes; may be told to stop
  std::uint64_t seed = 0;
  std::uint64_t step = 0;  // with seed and layer the key of random masks
  bool training = false;
  // A step may take several batches one after the other (train/program.h): how many rows of it came before this one.
  // Random masks are numbered by the row in the step; gradients go on from those of the batches before.
  Size first_row = 0;
  bool continues() const { return first_row > 0; }
};

// A layer's memory for one batch. The matrices have all its rows, a sample each; gradients are there in training only.
template <class T>
struct Frame {
  ConstMatrix<T> x;  // input
  Matrix<T> y;       // output
  Matrix<T> dy, dx;
  const Shape* in = nullptr;  // of a row of x and dx, and of y and dy
  const Shape* out = nullptr;
  std::span<const ConstMatrix<T>> more_x{};   // the further inputs of a layer that joins branches
  std::span<const Matrix<T>> more_dx{};       // their gradients, where they have some of their own
  std::span<const ConstMatrix<T>> more_dy{};  // gradients of the further outputs of one that splits into branches
  Matrix<T> saved{};                          // Room::saved numbers a row, from forward to backward
  std::byte* shared = nullptr;                // of all members of the team
  std::byte* own = nullptr;                   // of this member alone
  std::byte* scratch = nullptr;               // the same, for the time of one call: other layers use it, too
  // Room::carried numbers a row: what it goes on from, and where it leaves what others go on from, which may be the same
  // place unless there is a way back. Null: from zeros, and nowhere.
  const T* state = nullptr;
  T* next_state = nullptr;
  // Of sequences that have ends of their own: how many steps of each row of x, and of y, count; null: all do. What comes
  // after the end is 0 in x and dy, and whatever a layer leaves there in y and dx becomes 0.
  const std::uint32_t* in_lengths = nullptr;
  const std::uint32_t* out_lengths = nullptr;

  Size rows() const { return x.rows; }
  Size in_length(Size row) const { return in_lengths == nullptr ? in->places() : in_lengths[row]; }
};

// Some rows with a row for each place instead of each sample: what a layer sees that treats all places alike.
template <class T>
Matrix<T> by_places(Matrix<T> rows, const Shape& shape) {
  const Size places = shape.axes == 0 ? 1 : shape.places();
  return {rows.data, rows.rows * places, shape.channels};
}

// What a member is given of a pass: rows of the batch, or of the features those that it owns, in the layer's blocks.
enum class Split { rows, features };
struct Part : Range {
  Split split = Split::rows;
  bool first = true;  // the first that this member gets in this round
};

// ---- what a layer tells the planner ---------------------------------------------------------------------------------

struct Traits {
  bool forward_identity = false;           // y is x: forward() is not called
  bool backward_identity = false;          // dx is dy: nor is backward()
  bool in_place = false;                   // y may be x, and dx may be dy unless gradients() reads that
  bool reads_x = false;                    // backward() or gradients() read x, so no later layer may overwrite it;
  bool reads_y = false;                    // the same of y
  bool gradients_follow_backward = false;  // gradients() needs what backward() leaves, also where nobody needs dx
  bool carries_state = false;              // in training, too: a batch goes on from the one before (Room::carried)
  bool backward_consumes = false;          // backward() may be called once for each forward()
  bool rows_together = false;              // rows go through it all at once: it reads its weights again for each step
  Size row_grain = 1;                      // members share out rows by multiples of it
  Size min_rows = 1;                       // that a batch must have
};

struct Room {
  Size saved = 0, carried = 0;            // numbers a row
  Size shared = 0, own = 0, scratch = 0;  // bytes
  double flops = 0;                       // of the forward pass, a row
};

// What a layer wants its input to look like.
struct Intake {
  Size channels = 0;  // 0: any number
  int axes = -1;      // beside the channels; -1: any number
  bool channels_first = false;
  Size categories = 0;  // not 0: whole numbers below that, of which a place has one, without an axis for it
  bool flat = false;    // any shape as a row of features, of which, if not `channels`, the next layer says how many
};

// ---- parameters -----------------------------------------------------------------------------------------------------

enum class Role { parameter, buffer };  // changed by the optimizer; by the layer itself, when a step is applied

// `values` are `stored` numbers that lie as the kernels want them; Layer::to_logical gives them their public shape. A
// layer's constructor tells all but the values: Network::allocate() makes room, once all descriptions are known to fit.
template <class T>
struct Parameter {
  std::string name;
  std::vector<Size> shape;
  Size stored;
  Role role = Role::parameter;
  core::Buffer<T> values{};
};

// A contiguous part of one parameter whose gradient is computed, and then applied, in one go while it is in L1.
struct Piece {
  Size parameter = 0;
  Size offset = 0, count = 0;  // in Parameter::values
  Size group = 0;              // pieces of one group follow each other and belong to one member
  Size block = 0;              // of the layer's features, which it belongs to
};
inline constexpr Size kMaxPiece = 3072;  // elements: a gradient tile of 12 KB in float32, 48 rows of a panel of 64

// Where a step sees but one row, and so does the next: that row, and where what this layer gives for it goes. A layer may go
// forward for it as soon as a block of its weights has changed, whose numbers it then reads once less.
template <class T>
struct Ahead {
  const T* x = nullptr;
  T* y = nullptr;
  Size blocks = 0;  // that it has gone forward for
};

// Where gradients go: at(piece) is where that of a piece is to be written, done(piece) takes it from there.
template <class T>
class Sink {
 public:
  virtual ~Sink() = default;
  virtual T* at(const Piece& piece) = 0;
  virtual void done(const Piece&) {}
  // In place of both where a gradient's kernel can apply it: a step, if that is all there is to do, then applied(piece).
  virtual kernels::InPlace<T> in_place(const Piece&) { return {}; }
  virtual void applied(const Piece&) {}
  kernels::Prefetch prefetch{};  // what this member reads next; at() changes it
  Ahead<T>* ahead = nullptr;     // null: there is nothing to go forward for
};

// What a layer keeps beside its parameters, packed for the kernels: nothing, what forward() reads in training, or what
// backward() reads as well, such as a transposed copy.
enum class Packed { none, forward, all };

// Where a layer's random numbers come from.
struct Streams {
  std::uint64_t seed;
  Size layer;  // a number that no other layer of the network has

  // Of the start values of its parameter `index`. The third field, a step elsewhere, counts from the fifth parameter
  // on.
  core::PhiloxStream parameter(Size index) const {
    return {seed, core::Purpose::initialize, layer * 4 + index % 4, index / 4};
  }
};

// ---- the layer ------------------------------------------------------------------------------------------------------

template <class T>
class Layer {
 public:
  virtual ~Layer() = default;

  // Nothing where it takes whatever comes. The first layer of a network that wants something says how its samples are
  // written.
  virtual std::optional<Intake> intake() const { return {}; }
  // Whether its outputs have the channels of its input, unless it wants some of its own (intake).
  virtual bool keeps_channels() const { return true; }
  virtual bool element_wise() const { return false; }  // it does the same with each number, whatever its channel
  // Whether what it gives at a place depends on others, so that it matters how many there are.
  virtual bool joins_places() const { return false; }
  // Whether sequences may go through it a step at a time, with what it carries from one to the next.
  virtual bool goes_by_steps() const { return !joins_places(); }
  // Whether it knows how to treat sequences that have ends of their own, and then how many steps it gives for so many.
  virtual bool takes_lengths() const { return !joins_places(); }
  virtual Size out_length(Size in_length) const { return in_length; }
  // Of its output. Throws std::invalid_argument unless the layer takes such inputs.
  virtual Shape out_shape(std::span<const Shape> in) const { return in.front(); }
  virtual Traits traits(const Shape& in, bool training) const = 0;
  // For a batch of `rows`.
  virtual Room room(const Shape& in, Size rows, bool training) const = 0;

  // forward() and backward() are called for all rows once a round, with a barrier before each round but the first:
  // where a row needs to know something of all rows.
  virtual int rounds(bool /*training*/) const { return 1; }
  // Blocks of features that forward() can compute by themselves, each from all of x with parameters of its own: it may
  // then be called for features instead of rows.
  virtual Size feature_blocks() const { return 1; }
  // Whether pieces may come block by block instead, and gradients() makes use of Sink::ahead where all of a block come in
  // one call, those of its last parameter first.
  virtual bool goes_ahead() const { return false; }
  virtual void forward(const Pass<T>&, const Frame<T>&, const Part&, int round) const = 0;
  virtual void backward(const Pass<T>&, const Frame<T>&, const Part&, int round) const = 0;

  std::vector<Parameter<T>> parameters;
  bool trainable = true;
  // Start values, unfinished where the host asks to stop; not in the constructor, as a file brings its own.
  virtual void initialize(const Streams&, runtime::Cancel&) {}

  // The parameters cut into pieces of at most kMaxPiece, in the order in which they are best computed: as they lie.
  virtual std::vector<Piece> pieces() const {
    std::vector<Piece> all;
    for (Size i = 0; i < parameters.size(); ++i)
      for (Size first = 0, size = parameters[i].stored; first < size; first += kMaxPiece)
        all.push_back({.parameter = i, .offset = first, .count = std::min(kMaxPiece, size - first)});
    return all;
  }
  // What the gradients of all pieces share is written by all members together, before a barrier, if there is such.
  virtual bool prepares_gradients() const { return false; }
  virtual void prepare_gradients(const Pass<T>&, const Frame<T>&) const {}
  // Gradients over the whole batch of this member's pieces. Where pass.continues(), at(piece) holds those of the step's
  // batches before, and each chain over rows goes on from there: the same bits as one batch of all their rows.
  virtual void gradients(const Pass<T>& pass, const Frame<T>& frame, std::span<const Piece> mine, Sink<T>& sink) const {
    for (const Piece& piece : mine) {
      if (pass.me.stop()) return;
      T* const out = sink.at(piece);
      gradient(pass, frame, piece, sink.prefetch, out);
      sink.done(piece);
    }
  }
  // A step is applied: of a buffer, whose "gradient" is what its batches were like.
  virtual void update_buffer(const Piece&, const T* /*observed*/) {}

  // The piece has changed: updated() keeps as much as `packed` says in step; whoever changes parameters otherwise sets
  // none. A layer whose input needs no gradient, usually the first, gets along with Packed::forward.
  virtual void updated(const Piece&) {}
  virtual void pack(Packed wanted) { packed = std::max(packed, wanted); }  // before the pass; allocates
  Packed packed = Packed::none;

  // From now on products in training round their operands to bf16, where the layer has such; null: no longer.
  virtual void use_bf16(const kernels::Bf16Kernels* kernels) { bf16 = kernels; }
  const kernels::Bf16Kernels* bf16 = nullptr;

  // A layer that can be part of a tiny network (train/tiny.h): as the begin of one of its layers, or as its end.
  enum class Tiny { no, begins, ends };
  virtual Tiny tiny(kernels::TinyLayer<T>&) const { return Tiny::no; }

  // Numbers stored like parameter i (its values, gradients, optimizer state) from and to the public row-major shape;
  // unfinished where the host asks to stop. Without a `cancel` nobody is asked.
  virtual void to_logical(Size i, const T* stored, T* logical, runtime::Cancel* cancel) const {
    copy(stored, parameters[i].stored, logical, cancel);
  }
  virtual void from_logical(Size i, const T* logical, T* stored, runtime::Cancel* cancel) const {
    copy(logical, parameters[i].stored, stored, cancel);
  }
  // Numbers stored like parameter i as columns, and the sums of their squares: each is a chain over the rows of the
  // public shape's transpose, so the same for every layout. Column j of those in `part` goes to out[j].
  virtual Size columns(Size i) const { return parameters[i].stored; }
  virtual void column_squares(const kernels::KernelTable<T>&, Size /*i*/, const T* stored, Range part,
                              double* out) const {
    for (Size j = part.begin; j < part.end; ++j)
      out[j] = static_cast<double>(stored[j]) * static_cast<double>(stored[j]);
  }

 protected:
  virtual void gradient(const Pass<T>&, const Frame<T>&, const Piece&, const kernels::Prefetch&, T* /*out*/) const {}

 private:
  static void copy(const T* from, Size count, T* to, runtime::Cancel* cancel) {
    constexpr Size part = Size{1} << 18;  // below 1 ms
    runtime::for_parts(count, part, cancel,
                       [&](Size first, Size last) { std::copy(from + first, from + last, to + first); });
  }
};

}  // namespace nnext::nn
