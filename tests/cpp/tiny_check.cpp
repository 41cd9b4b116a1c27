// Passes of tiny networks against multiply_panel and column_sums, bit for bit: every size of two layers, memory limits.
#include "checks.h"

namespace nnext::testing {
namespace {

// y = (x w1 + b1) w2 + b2 and back, by both ways. Rows of the other way's operands lie as this one wants them.
template <class T>
class TinyCheck {
 public:
  explicit TinyCheck(const kernels::KernelTable<T>& table) : table_(table) {}

  std::size_t wrong(std::size_t rows, std::size_t in, std::size_t middle, std::size_t out, Side side) {
    Layer layers[] = {make(rows, in, middle, side, 0), make(rows, middle, out, side, 1)};
    const std::size_t x_row = in + in % 3;
    const auto number = [&](auto, auto) { return static_cast<T>(random_.uniform(-1, 1)); };
    const T* x = x_.lay(side, rows, in, x_row, number);
    layers[1].tiny.transposed = transposed_.at(side, out * whole(middle));
    const kernels::TinyLayer<T> tiny[] = {layers[0].tiny, layers[1].tiny};
    const std::vector<T> dy = random_.template uniforms<T>(rows * out, -1, 1);

    table_.tiny.forward(tiny, 2, rows, x, x_row);
    std::copy(dy.begin(), dy.end(), tiny[1].dy);
    table_.tiny.backward(tiny, 2, rows, x, x_row);

    std::vector<T> y1(rows * middle), y2(rows * out), dy1(rows * middle);
    multiply(rows, middle, in, x, x_row, 1, tiny[0].weight, whole(middle), tiny[0].bias, y1.data(), middle);
    multiply(rows, out, middle, y1.data(), middle, 1, tiny[1].weight, whole(out), tiny[1].bias, y2.data(), out);
    std::vector<T> transposed(out * middle);
    for (std::size_t i = 0; i < middle; ++i)
      for (std::size_t j = 0; j < out; ++j) transposed[j * middle + i] = tiny[1].weight[i * whole(out) + j];
    multiply(rows, middle, out, dy.data(), out, 1, transposed.data(), middle, nullptr, dy1.data(), middle);
    return differ(y1.data(), tiny[0].y, rows * middle) + differ(y2.data(), tiny[1].y, rows * out) +
           differ(dy1.data(), tiny[0].dy, rows * middle) + wrong_gradients(tiny[0], rows, x, x_row, dy1.data()) +
           wrong_gradients(tiny[1], rows, y1.data(), middle, dy.data());
  }

 private:
  static constexpr std::size_t kRoom = 64 * 64;
  struct Layer {
    kernels::TinyLayer<T> tiny;
  };
  struct Rooms {
    Guarded<T> weight{kRoom}, bias{64}, y{kRoom}, dy{kRoom}, dweight{kRoom}, dbias{64};
  };

  std::size_t whole(std::size_t n) const {
    return (n + table_.tiny.vector_lanes - 1) / table_.tiny.vector_lanes * table_.tiny.vector_lanes;
  }
  Layer make(std::size_t rows, std::size_t in, std::size_t out, Side side, int i) {
    Rooms& rooms = rooms_[i];
    T* weight = rooms.weight.at(side, in * whole(out));
    for (std::size_t e = 0; e < in * whole(out); ++e)
      weight[e] = e % whole(out) < out ? static_cast<T>(random_.uniform(-1, 1)) : T(0);
    return {{.in = in,
             .out = out,
             .weight = weight,
             .bias = rooms.bias.put(side, random_.template uniforms<T>(out, -1, 1)),
             .y = rooms.y.at(side, rows * out),
             .dy = rooms.dy.at(side, rows * out),
             .dweight = rooms.dweight.at(side, in * whole(out)),
             .dbias = rooms.dbias.at(side, whole(out))}};
  }
  void multiply(std::size_t m, std::size_t n, std::size_t k, const T* a, std::size_t a_row, std::size_t a_k, const T* b,
                std::size_t b_k, const T* init, T* c, std::size_t c_row) const {
    table_.gemm.multiply_panel({.m = m,
                                .n = n,
                                .k = k,
                                .a = a,
                                .a_row = static_cast<std::ptrdiff_t>(a_row),
                                .a_k = static_cast<std::ptrdiff_t>(a_k),
                                .b = b,
                                .b_k = static_cast<std::ptrdiff_t>(b_k),
                                .init = init,
                                .init_row = 0,
                                .c = c,
                                .c_row = static_cast<std::ptrdiff_t>(c_row)});
  }
  std::size_t wrong_gradients(const kernels::TinyLayer<T>& layer, std::size_t rows, const T* x, std::size_t x_row,
                              const T* dy) const {
    std::vector<T> dw(layer.in * whole(layer.out)), db(whole(layer.out));
    multiply(layer.in, layer.out, rows, x, 1, x_row, dy, layer.out, nullptr, dw.data(), whole(layer.out));
    table_.reduce.column_sums(rows, layer.out, dy, static_cast<std::ptrdiff_t>(layer.out), nullptr, db.data());
    return differ(dw.data(), layer.dweight, dw.size()) + differ(db.data(), layer.dbias, layer.out);
  }
  static std::size_t differ(const T* want, const T* got, std::size_t n) {
    return std::memcmp(want, got, n * sizeof(T)) != 0;
  }

  const kernels::KernelTable<T>& table_;
  Rooms rooms_[2];
  Guarded<T> x_{kRoom}, transposed_{kRoom};
  Random random_{10};
};

template <class T>
void check(const Isa& isa, bool quick, Report& report) {
  const kernels::KernelTable<T>& table = isa.tables->get<T>();
  TinyCheck<T> tiny(table);
  report.start(isa, type_name<T>(), "tiny networks, widths 1..max_out");
  std::size_t wrong = 0;
  for (std::size_t middle = 1; middle <= table.tiny.max_out; ++middle)
    for (std::size_t out = 1; out <= table.tiny.max_out; out += quick ? 5 : 1)
      for (Side side : {Side::low, Side::high})
        wrong += tiny.wrong(1 + (middle * 7 + out) % 19, 1 + (middle * 3 + out) % 21, middle, out, side);
  report.finish(wrong == 0 ? 0 : HUGE_VAL);
}

}  // namespace

void check_tiny(const Isa& isa, bool quick, Report& report) {
  check<float>(isa, quick, report);
  check<double>(isa, quick, report);
}

}  // namespace nnext::testing
