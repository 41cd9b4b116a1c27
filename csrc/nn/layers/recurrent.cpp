// Memory, passes and gradients: longer than most files, as all of these know where in that memory what lies.
#include "nn/layers/recurrent.h"

#include "core/errors.h"

namespace nnext::nn {
namespace {

// Gradients of the weights are computed for about so many steps of all rows together: h, x and gates stay in L2 then.
constexpr Size kStepsAtOnce = 256;

template <class T>
Size whole_lines(Size numbers) {
  return core::round_up(numbers, core::kCacheLine / sizeof(T));
}

}  // namespace

template <class T>
Recurrent<T>::Recurrent(const kernels::KernelTable<T>& kernels, const core::Config& config, const char* cell,
                        Size number, Size inputs, bool sequences)
    : kernels_(kernels),
      operation_(cell[0] == 'r' ? "rnn" : cell),
      weight_init_(make_initializer(config.child("weight_init"))),
      recurrent_init_(make_initializer(config.child("recurrent_init"))),
      bias_init_(make_initializer(config.child("bias_init"))),
      forget_bias_(config.has("forget_bias") ? config.number("forget_bias") : 0),
      recurrence_(kernels, {ops::find_cell<T>(cell), config.size("hidden_size")}, inputs),
      sequences_(sequences),
      has_bias_(config.flag("bias")),
      stateful_(config.has("stateful") && config.flag("stateful")),
      directions_(config.flag("bidirectional") ? 2 : 1) {
  if (stateful_ && directions_.size() > 1)
    core::fail_value("[", operation_,
                     "] stateful is true but so is bidirectional, and what comes last cannot be carried ",
                     "to what comes first; leave one of them out");
  const Size rows = recurrence_.gates().cell->gates * hidden();
  for (Size direction = 0; direction < directions_.size(); ++direction) {
    const std::string suffix = "_l" + std::to_string(number) + (direction > 0 ? "_reverse" : "");
    this->parameters.push_back({"weight_ih" + suffix, {rows, inputs}, recurrence_.of_x().size()});
    this->parameters.push_back({"weight_hh" + suffix, {rows, hidden()}, recurrence_.of_h().size()});
    if (!has_bias_) continue;
    for (const char* name : {"bias_ih", "bias_hh"})
      this->parameters.push_back({name + suffix, {rows}, recurrence_.of_x().cols});
  }
}

template <class T>
Shape Recurrent<T>::out_shape(std::span<const Shape> in) const {
  const Shape& x = in.front();
  if (x.axes != 1 || x.channels_first)
    core::fail_value("[", operation_, "] x is ", text(x), " a sample but the layer takes sequences (steps, ",
                     recurrence_.of_x().rows, "); give such an input_shape, or change what comes before the layer");
  if (x.channels != recurrence_.of_x().rows)
    core::fail_value("[", operation_, "] x has ", x.channels, " features a step but the layer expects ",
                     recurrence_.of_x().rows, "; change input_size or what comes before the layer");
  const Size channels = hidden() * directions_.size();
  return sequences_ ? x.with_channels(channels) : Shape(channels);
}

// ---- memory ---------------------------------------------------------------------------------------------------------

// Where a row of `saved` has the numbers of a direction: those of all steps, one array after the other.
template <class T>
struct Recurrent<T>::SavedRow {
  Size gates, c, tanh_c, h, size;  // where each begins, and all of a direction

  SavedRow(const Recurrent& layer, Size steps) {
    const ops::GateLayout<T>& gates_ = layer.recurrence_.gates();
    const Size states = steps * gates_.units;
    gates = 0, c = steps * gates_.numbers();
    tanh_c = c + (gates_.cell->has_c ? states : 0);
    h = tanh_c + (gates_.cell->has_c ? states : 0);
    size = h + (layer.sequences_ ? 0 : states);
  }
  // A distance of an odd number of cache lines: rows a multiple of 4096 bytes apart would share their places in L1.
  Size row(Size directions) const {
    const Size line = core::kCacheLine / sizeof(T), lines = core::divide_up(directions * size, line);
    return (lines | 1) * line;
  }
};

// What a member has for the time of a call, where each begins in numbers.
template <class T>
struct Recurrent<T>::Scratch {
  // A pass forward: biases; when nothing is saved, the gates of a row alone, and gates and states of a step.
  Size row, gates, c, h, forward;
  // Backward, and sums of the weights' gradients. The runs behind these are no numbers.
  Size dh, carried, backward, sums, runs_bytes;

  Scratch(const Recurrent& layer, Size rows, bool saves) {
    const ops::GateLayout<T>& gates_ = layer.recurrence_.gates();
    const Size states = whole_lines<T>(rows * gates_.units);
    row = whole_lines<T>(gates_.numbers()), gates = row + (saves ? 0 : row);
    c = gates + (saves ? 0 : rows * gates_.numbers());
    h = c + (saves || !gates_.cell->has_c ? 0 : states);
    forward = h + (saves || layer.sequences_ ? 0 : 2 * states);
    dh = 0, carried = states, backward = 2 * states;
    sums =
        whole_lines<T>(layer.directions_.size() * (layer.recurrence_.of_x().size() + layer.recurrence_.of_h().size()));
    runs_bytes = rows * sizeof(kernels::Run);
  }
  Size bytes(bool training) const {
    return training ? std::max(std::max(forward, backward) * sizeof(T), sums * sizeof(T) + runs_bytes)
                    : forward * sizeof(T);
  }
};

template <class T>
Room Recurrent<T>::room(const Shape& in, Size rows, bool training) const {
  const Size directions = directions_.size();
  return {.saved = training ? SavedRow(*this, in.places()).row(directions) : 0,
          .carried = carried(),
          .scratch = Scratch(*this, rows, training).bytes(training),
          .flops = recurrence_.flops() * static_cast<double>(in.places() * directions)};
}

template <class T>
ops::Sequences Recurrent<T>::sequences(const Frame<T>& frame, Size first, Size direction) const {
  return {frame.in->places(), frame.in_lengths == nullptr ? nullptr : frame.in_lengths + first, direction > 0};
}

// Of the rows from `first` on.
template <class T>
ops::RecurrentMemory<T> Recurrent<T>::memory(const Frame<T>& frame, Size first, Size direction) const {
  const Size units = hidden(), numbers = recurrence_.gates().numbers();
  const bool has_c = recurrence_.gates().cell->has_c;
  const auto steps = [](T* data, Size row, Size step, Size kept = SIZE_MAX) {
    return ops::Steps<T>{data, static_cast<core::Stride>(row), static_cast<core::Stride>(step), kept};
  };
  ops::RecurrentMemory<T> memory;
  memory.x = {frame.x.row(first), frame.x.row_stride, static_cast<core::Stride>(frame.in->channels)};
  T* const y = frame.y.row(first) + direction * units;
  if (sequences_)
    memory.h = steps(y, frame.y.cols, frame.out->channels);
  else
    memory.last = steps(y, frame.y.cols, 0);
  if (frame.saved) {
    const SavedRow at(*this, frame.in->places());
    T* const row = frame.saved.row(first) + direction * at.size;
    memory.gates = steps(row + at.gates, frame.saved.cols, numbers);
    if (has_c) memory.c = steps(row + at.c, frame.saved.cols, units);
    if (has_c) memory.tanh_c = steps(row + at.tanh_c, frame.saved.cols, units);
    if (!sequences_) memory.h = steps(row + at.h, frame.saved.cols, units);
  } else {
    const Scratch at(*this, frame.rows(), false);
    T* const scratch = reinterpret_cast<T*>(frame.scratch);
    memory.row = scratch + at.row;
    memory.gates = steps(scratch + at.gates, numbers, 0);
    if (has_c) memory.c = steps(scratch + at.c, units, 0);
    if (!sequences_) memory.h = steps(scratch + at.h, 2 * units, units, 2);
  }
  add_state(frame, first, memory);
  return memory;
}

// In training beside others that are stateful, one that is not begins from zeros.
template <class T>
void Recurrent<T>::add_state(const Frame<T>& frame, Size first, ops::RecurrentMemory<T>& memory) const {
  if (frame.state == nullptr || (frame.saved && !stateful_)) return;
  const auto row = static_cast<core::Stride>(carried());
  const T* const from = frame.state + first * carried();
  T* const to = frame.next_state + first * carried();
  memory.h_start = {from, row}, memory.h_carried = {to, row};
  if (recurrence_.gates().cell->has_c) memory.c_start = {from + hidden(), row}, memory.c_carried = {to + hidden(), row};
}

// ---- passes ---------------------------------------------------------------------------------------------------------

// One number for each gate: that of x plus that of h, where a slot has both.
template <class T>
void Recurrent<T>::sum_biases(Size direction, T* bias) const {
  const ops::GateLayout<T>& gates = recurrence_.gates();
  std::fill_n(bias, gates.numbers(), T{0});
  if (!has_bias_) return;
  for (const Tensor t : {kBiasX, kBiasH})
    for (Size col = 0; col < recurrence_.of_x().cols; col += gates.of_weight()) {
      T* const to = bias + gates.place(is_of_h(t), col);
      kernels_.elementwise.add(gates.of_weight(), to, values(direction, t) + col, to);
    }
}

template <class T>
void Recurrent<T>::forward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const {
  T* const bias = reinterpret_cast<T*>(frame.scratch);
  for (Size d = 0; d < directions_.size(); ++d) {
    sum_biases(d, bias);
    recurrence_.forward(pass.me, {0, part.size()}, sequences(frame, part.begin, d), memory(frame, part.begin, d),
                        values(d, kWeightX), values(d, kWeightH), bias);
  }
}

// Nobody needs dx where the weights of x are not transposed.
template <class T>
void Recurrent<T>::backward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const {
  const Scratch at(*this, frame.rows(), true);
  T* const scratch = reinterpret_cast<T*>(frame.scratch);
  const auto channels = static_cast<core::Stride>(frame.out->channels);
  for (Size d = 0; d < directions_.size(); ++d) {
    ops::RecurrentGradients<T> gradients{.dy = {frame.dy.row(part.begin) + d * hidden(), frame.dy.row_stride, channels},
                                         .of_last = !sequences_,
                                         .dx = {},
                                         .adds = d > 0,
                                         .dh = scratch + at.dh,
                                         .carried = scratch + at.carried};
    if (this->packed == Packed::all)
      gradients.dx = {frame.dx.row(part.begin), frame.dx.row_stride, static_cast<core::Stride>(frame.in->channels)};
    recurrence_.backward(pass.me, {0, part.size()}, sequences(frame, part.begin, d), memory(frame, part.begin, d),
                         directions_[d].x.data(), directions_[d].h.data(), gradients);
  }
}

// ---- gradients ------------------------------------------------------------------------------------------------------

// Those of the weights all together, as they read the same steps; the others one by one.
template <class T>
void Recurrent<T>::gradients(const Pass<T>& pass, const Frame<T>& frame, std::span<const Piece> mine,
                             Sink<T>& sink) const {
  weight_gradients(pass, frame, mine, sink);
  for (const Piece& piece : mine) {
    const Tensor t = tensor(piece.parameter);
    const Size d = piece.parameter / tensors();
    if (is_weight(t)) continue;
    if (pass.me.stop()) return;
    T* const out = sink.at(piece);
    if (!pass.continues()) std::fill_n(out, piece.count, T{0});
    recurrence_.add_bias_gradient({0, frame.rows()}, sequences(frame, 0, d), memory(frame, 0, d).gates, is_of_h(t),
                                  piece.offset, piece.count, out);
    sink.done(piece);
  }
}

template <class T>
void Recurrent<T>::weight_gradients(const Pass<T>& pass, const Frame<T>& frame, std::span<const Piece> mine,
                                    Sink<T>& sink) const {
  const Scratch at(*this, frame.rows(), true);
  T* const scratch = reinterpret_cast<T*>(frame.scratch);
  auto* const runs = reinterpret_cast<kernels::Run*>(frame.scratch + at.sums * sizeof(T));
  // Calls f(piece, its sums) for those of weights.
  const auto for_weights = [&](auto f) {
    T* sums = scratch;
    for (const Piece& piece : mine) {
      if (!is_weight(tensor(piece.parameter))) continue;
      f(piece, sums);
      sums += piece.count;
    }
  };
  for_weights([&](const Piece& piece, T* sums) {
    if (pass.continues())
      std::copy_n(sink.at(piece), piece.count, sums);
    else
      std::fill_n(sums, piece.count, T{0});
  });
  const Size rows = frame.rows(), at_once = std::max<Size>(1, kStepsAtOnce / frame.in->places());
  for (Size first = 0; first < rows && !pass.me.stop(); first += at_once) {
    const Range some{0, std::min(at_once, rows - first)};
    for_weights([&](const Piece& piece, T* sums) {
      const Size d = piece.parameter / tensors();
      recurrence_.add_weight_gradient(some, sequences(frame, first, d), memory(frame, first, d),
                                      is_of_h(tensor(piece.parameter)), panel_rows(piece), runs, sums);
    });
  }
  for_weights([&](const Piece& piece, const T* sums) {
    if (pass.me.stop()) return;
    std::copy_n(sums, piece.count, sink.at(piece));
    sink.done(piece);
  });
}

// The members above; the others are instantiated in recurrent_parameters.cpp.
template class Recurrent<float>;
template class Recurrent<double>;

}  // namespace nnext::nn
