// A layer of an RNN, an LSTM or a GRU, in one direction or in both, whose outputs then lie beside each other.
//
// Its parameters have PyTorch's names, weight_ih_l0 [gates * hidden][inputs] and so on; the directions' follow each other.
#pragma once

#include "core/config.h"
#include "nn/initializer.h"
#include "nn/layer.h"
#include "ops/recurrent.h"

namespace nnext::nn {

template <class T>
class Recurrent final : public Layer<T> {
 public:
  // Layer `number` of those that follow each other, with so many inputs. Only the last may give but its last step.
  Recurrent(const kernels::KernelTable<T>& kernels, const core::Config& config, const char* cell, Size number,
            Size inputs, bool sequences);

  std::optional<Intake> intake() const override { return Intake{.channels = recurrence_.of_x().rows, .axes = 1}; }
  bool joins_places() const override { return true; }
  bool goes_by_steps() const override { return directions_.size() == 1; }
  bool takes_lengths() const override { return true; }
  Shape out_shape(std::span<const Shape> in) const override;
  Traits traits(const Shape&, bool) const override {
    return {.reads_x = true,
            .reads_y = sequences_,
            .gradients_follow_backward = true,
            .carries_state = stateful_,
            .backward_consumes = true,
            .rows_together = true};
  }
  Room room(const Shape& in, Size rows, bool training) const override;
  void forward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int round) const override;
  void backward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int round) const override;
  void initialize(const Streams& streams, runtime::Cancel& cancel) override;
  std::vector<Piece> pieces() const override;
  void gradients(const Pass<T>& pass, const Frame<T>& frame, std::span<const Piece> mine, Sink<T>& sink) const override;
  void updated(const Piece& piece) override;
  void pack(Packed wanted) override;
  void to_logical(Size i, const T* stored, T* logical, runtime::Cancel* cancel) const override;
  void from_logical(Size i, const T* logical, T* stored, runtime::Cancel* cancel) const override;
  Size columns(Size) const override { return recurrence_.gates().cell->gates * hidden(); }
  void column_squares(const kernels::KernelTable<T>& kernels, Size i, const T* stored, Range part,
                      double* out) const override;

 private:
  enum Tensor : Size { kWeightX, kWeightH, kBiasX, kBiasH };
  struct Transposed {
    core::Buffer<T> x{}, h{};  // empty until pack() wants them
  };
  struct SavedRow;
  struct Scratch;

  Size hidden() const { return recurrence_.gates().units; }
  Size carried() const { return (recurrence_.gates().cell->has_c ? 2 : 1) * hidden(); }  // numbers of a row
  Size tensors() const { return has_bias_ ? 4 : 2; }                                     // of a direction
  Tensor tensor(Size parameter) const { return static_cast<Tensor>(parameter % tensors()); }
  static bool is_weight(Tensor tensor) { return tensor == kWeightX || tensor == kWeightH; }
  static bool is_of_h(Tensor tensor) { return tensor == kWeightH || tensor == kBiasH; }
  const ops::PanelLayout& layout(Tensor t) const { return is_of_h(t) ? recurrence_.of_h() : recurrence_.of_x(); }
  const T* values(Size direction, Tensor t) const { return this->parameters[direction * tensors() + t].values.data(); }
  ops::PanelRows panel_rows(const Piece& piece) const;
  void sum_biases(Size direction, T* bias) const;
  ops::Sequences sequences(const Frame<T>& frame, Size first, Size direction) const;
  ops::RecurrentMemory<T> memory(const Frame<T>& frame, Size first, Size direction) const;
  void add_state(const Frame<T>& frame, Size first, ops::RecurrentMemory<T>& memory) const;
  void weight_gradients(const Pass<T>& pass, const Frame<T>& frame, std::span<const Piece> mine, Sink<T>& sink) const;
  template <class F>
  void for_columns(Size i, runtime::Cancel* cancel, F f) const;  // f(stored column, public row)

  const kernels::KernelTable<T>& kernels_;
  const char* operation_;
  Initializer weight_init_, recurrent_init_, bias_init_;
  double forget_bias_ = 0;
  ops::Recurrence<T> recurrence_;
  bool sequences_, has_bias_, stateful_;
  std::vector<Transposed> directions_;
};

}  // namespace nnext::nn
