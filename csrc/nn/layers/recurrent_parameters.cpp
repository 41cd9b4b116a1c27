// What a recurrent layer owns: start values, pieces, packed copies, and the public order.
#include "nn/layers/recurrent.h"

namespace nnext::nn {
namespace {

constexpr Size kMaxTensors = 8;  // of both directions: start values of a gate have streams so far apart

}  // namespace

template <class T>
std::vector<Piece> Recurrent<T>::pieces() const {
  std::vector<Piece> all;
  const auto cut = [&](Size parameter, Size count, Size most) {
    for (Size first = 0; first < count; first += most)
      all.push_back(
          {.parameter = parameter, .offset = first, .count = std::min(most, count - first), .group = all.size()});
  };
  const Size block = recurrence_.gates().of_weight();
  for (Size i = 0; i < this->parameters.size(); ++i) {
    if (!is_weight(tensor(i))) {
      cut(i, this->parameters[i].stored, std::max<Size>(1, kMaxPiece / block) * block);
      continue;
    }
    const ops::PanelLayout& panels = layout(tensor(i));
    const Size rows = std::max<Size>(1, kMaxPiece / panels.width);
    for (Size panel = 0; panel < panels.panels(); ++panel)
      for (Size first = 0; first < panels.rows; first += rows)
        all.push_back({.parameter = i,
                       .offset = (panel * panels.rows + first) * panels.width,
                       .count = std::min(rows, panels.rows - first) * panels.width,
                       .group = all.size()});
  }
  return all;
}

template <class T>
ops::PanelRows Recurrent<T>::panel_rows(const Piece& piece) const {
  const ops::PanelLayout& panels = layout(tensor(piece.parameter));
  const Size row = piece.offset / panels.width;
  return {row / panels.rows, row % panels.rows, piece.count / panels.width};
}

template <class T>
void Recurrent<T>::updated(const Piece& piece) {
  const Tensor t = tensor(piece.parameter);
  if (!is_weight(t) || this->packed == Packed::none || (t == kWeightX && this->packed != Packed::all)) return;
  const Size d = piece.parameter / tensors();
  const bool of_h = t == kWeightH;
  ops::transpose_piece<T>(kernels_, {values(d, t), layout(t)}, panel_rows(piece),
                          {of_h ? directions_[d].h.data() : directions_[d].x.data(),
                           of_h ? recurrence_.h_transposed() : recurrence_.x_transposed()});
}

template <class T>
void Recurrent<T>::pack(Packed wanted) {
  if (this->packed >= wanted) return;
  const std::vector<Piece> all = pieces();  // what follows the allocations cannot fail
  for (Transposed& of : directions_) {
    if (of.h.size() == 0) of.h = core::Buffer<T>(recurrence_.h_transposed().size());
    if (wanted == Packed::all && of.x.size() == 0) of.x = core::Buffer<T>(recurrence_.x_transposed().size());
  }
  this->packed = wanted;
  for (const Piece& piece : all) updated(piece);
}

// Each gate's part is a matrix of its own, from streams of its own.
template <class T>
void Recurrent<T>::initialize(const Streams& streams, runtime::Cancel& cancel) {
  const Size units = hidden(), gates = recurrence_.gates().cell->gates;
  for (Size i = 0; i < this->parameters.size(); ++i) {
    const Tensor t = tensor(i);
    const Size cols = is_weight(t) ? layout(t).rows : 1, fan_in = is_of_h(t) ? units : recurrence_.of_x().rows;
    const Initializer& initializer = t == kWeightX ? weight_init_ : t == kWeightH ? recurrent_init_ : bias_init_;
    core::Buffer<T> logical(core::checked_product(gates * units, cols));
    for (Size gate = 0; gate < gates && !cancel.requested(); ++gate)
      nn::initialize(kernels_.noise, initializer, streams.parameter(i + kMaxTensors * gate), fan_in, units,
                     Matrix<T>(logical.data() + gate * units * cols, units, cols), cancel);
    if (cancel.requested()) return;
    constexpr Size kForget = 1;
    for (Size j = 0; t == kBiasX && forget_bias_ != 0 && j < units; ++j)
      logical.data()[kForget * units + j] += static_cast<T>(forget_bias_);
    from_logical(i, logical.data(), this->parameters[i].values.data(), &cancel);
  }
}

template <class T>
template <class F>
void Recurrent<T>::for_columns(Size i, runtime::Cancel* cancel, F f) const {
  const ops::GateLayout<T>& gates = recurrence_.gates();
  runtime::for_parts(gates.cell->gates * gates.units, 1, cancel, [&](Size row, Size) {
    f(gates.column(is_of_h(tensor(i)), row / gates.units, row % gates.units), row);
  });
}

template <class T>
void Recurrent<T>::to_logical(Size i, const T* stored, T* logical, runtime::Cancel* cancel) const {
  const ops::PanelLayout& panels = layout(tensor(i));
  if (!is_weight(tensor(i))) return for_columns(i, cancel, [&](Size col, Size row) { logical[row] = stored[col]; });
  for_columns(i, cancel, [&](Size col, Size row) {
    for (Size k = 0; k < panels.rows; ++k) logical[row * panels.rows + k] = stored[panels.offset(k, col)];
  });
}

template <class T>
void Recurrent<T>::from_logical(Size i, const T* logical, T* stored, runtime::Cancel* cancel) const {
  const ops::PanelLayout& panels = layout(tensor(i));
  if (!is_weight(tensor(i))) return for_columns(i, cancel, [&](Size col, Size row) { stored[col] = logical[row]; });
  for_columns(i, cancel, [&](Size col, Size row) {
    for (Size k = 0; k < panels.rows; ++k) stored[panels.offset(k, col)] = logical[row * panels.rows + k];
  });
}

// Column j is what leads to number j of the gates, in the public order.
template <class T>
void Recurrent<T>::column_squares(const kernels::KernelTable<T>& kernels, Size i, const T* stored, Range part,
                                  double* out) const {
  const ops::GateLayout<T>& gates = recurrence_.gates();
  const Tensor t = tensor(i);
  const ops::PanelLayout& panels = layout(t);
  std::fill(out + part.begin, out + part.end, 0.0);
  for (Size j = part.begin; j < part.end; ++j) {
    const Size col = gates.column(is_of_h(t), j / gates.units, j % gates.units);
    kernels.reduce.column_squares(is_weight(t) ? panels.rows : 1, 1,
                                  stored + (is_weight(t) ? panels.offset(0, col) : col),
                                  static_cast<core::Stride>(panels.width), out + j);
  }
}

template class Recurrent<float>;
template class Recurrent<double>;

}  // namespace nnext::nn
