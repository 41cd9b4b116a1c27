// Digests of what every kernel gives for fixed inputs. All instruction sets with a hardware FMA must meet the same
// ones, on every machine and with every compiler: avx2 == avx512 == neon, bit for bit. Who changes the rounding of a
// kernel on purpose takes the new digests from the lines that fail, once they are the same everywhere.
#include <span>

#include "checks.h"

namespace nnext::testing {
namespace {

struct Digest {
  const char* name;
  std::uint64_t f32, f64;
};
constexpr Digest kDigests[] = {
    {"product", 0x757bb3014e723e16, 0xb5aa5c19c6505c4b},
    {"exp", 0xda9829869d404e69, 0x7844931b8114ea5b},
    {"log", 0x3d6ea019639c1e9e, 0xa56d2c8168de0c6a},
    {"identity", 0x45673390091ae451, 0x8f90b16413c4111d},
    {"relu", 0x5fe3764e8df49c31, 0xae85cb0062545f09},
    {"leaky_relu", 0x714d54583a149a49, 0xd51b6f4a4701106d},
    {"tanh", 0xd42976278d23e169, 0x984aa3bd318fed43},
    {"sigmoid", 0xc95ee895aea3aabe, 0x6c5298067a2b1403},
    {"softmax", 0x68909de2af4d2ff1, 0x022f6e92ebe770bb},
    {"softmax gradient", 0xdce09db198f2aba8, 0x68e25108a0f89917},
    {"mse", 0x4f2846bc7706e3de, 0x8238fa9c6a7c890d},
    {"bce", 0xa85012e675330a76, 0x411d3401a2e9fbe3},
    {"bce_with_logits", 0xfd97d065b8b28317, 0xdc5de2db5a6a6126},
    {"cross_entropy", 0x4f7f476310afa1d6, 0xcdf210a5a6a40e16},
    {"cross_entropy of labels", 0x08f8214129e48088, 0xd07e5eb95fb160f3},
    {"column_sums", 0x931c3f25778d8fca, 0xbbf2fcb4eb3f8990},
    {"sgd", 0xff9735b8e9adeaf9, 0xf74f9e178568535f},
    {"adam", 0x018dac1433b11770, 0xe1c6ce913dfa2bac},
    {"adagrad", 0x857ee2180cd75279, 0xfee4e60383d55c48},
};

// FNV-1a.
std::uint64_t join(std::uint64_t hash, std::uint64_t byte) { return (hash ^ byte) * 0x100000001b3u; }
std::uint64_t digest(const std::string& text) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : text) hash = join(hash, static_cast<unsigned char>(c));
  return hash;
}
// Over the bits, every NaN being the same.
template <class T>
std::uint64_t digest(const std::vector<T>& values) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  std::uint64_t hash = digest("");
  for (T value : values) {
    const Bits bits = __builtin_bit_cast(Bits, std::isnan(value) ? std::numeric_limits<T>::quiet_NaN() : value);
    for (std::size_t byte = 0; byte < sizeof bits; ++byte) hash = join(hash, bits >> 8 * byte & 0xff);
  }
  return hash;
}

// Runs every kernel on one instruction set, each on random numbers of its own, so that a new one changes no other's.
template <class T>
class Battery {
 public:
  explicit Battery(const kernels::KernelTable<T>& table) : table_(table) {}

  struct Result {
    std::string name;
    std::uint64_t digest;
  };
  std::vector<Result> run() {
    add("product", [&] { return product(); });
    add_mapped("exp", [&](auto n, auto* x, auto* y) { table_.elementwise.exp(n, x, y); });
    add_mapped("log", [&](auto n, auto* x, auto* y) { table_.elementwise.log(n, x, y); });
    run_activations();
    add_by_row("softmax",
               [&](auto m, auto n, auto* x, auto*, auto*, auto*, auto* y) { table_.softmax.forward(m, n, x, y); });
    add_by_row("softmax gradient", [&](auto m, auto n, auto* x, auto* t, auto*, auto*, auto* y) {
      table_.softmax.backward(m, n, t, x, y);
    });
    run_losses();
    add_by_row("column_sums", [&](auto m, auto n, auto* x, auto*, auto*, auto*, auto* y) {
      table_.reduce.column_sums(m, n, x, static_cast<std::ptrdiff_t>(n), y);
    });
    run_updates();
    return results_;
  }

 private:
  template <class Make>
  void add(const std::string& name, Make make) {
    random_ = Random(digest(name));
    results_.push_back({name, digest(make())});
  }
  template <class Kernel>
  void add_mapped(const std::string& name, Kernel kernel) {
    add(name, [&] { return mapped(kernel); });
  }
  template <class Kernel>
  void add_by_row(const std::string& name, Kernel kernel) {
    add(name, [&] { return by_row(kernel); });
  }
  template <class Kernel>
  void add_updated(const std::string& name, Kernel kernel) {
    add(name, [&] { return updated(kernel); });
  }

  void run_activations() {
    for (const auto& activation : std::span(table_.elementwise.activations, table_.elementwise.activation_count))
      add_mapped(activation.name, [&](auto n, auto* x, auto* y) {
        activation.forward(n, T(0.1), x, y);
        activation.backward(n, T(0.1), activation.from_x ? x : y, x, y + n);
      });
  }
  void run_losses() {
    for (const auto& loss : std::span(table_.loss.losses, table_.loss.loss_count)) {
      const bool of_probabilities = std::string(loss.name) == "bce";
      add_by_row(loss.name, [&](auto m, auto n, auto* x, auto* t, auto* scale, auto* row_loss, auto* dy) {
        loss.dense(m, n, T(0.75), of_probabilities ? t : x, t, scale, row_loss, dy);
      });
      if (loss.indexed == nullptr) continue;
      add_by_row(std::string(loss.name) + " of labels",
                 [&](auto m, auto n, auto* x, auto*, auto* scale, auto* row_loss, auto* dy) {
                   std::vector<std::int32_t> labels(m);
                   for (auto& label : labels) label = static_cast<std::int32_t>(random_.bits() % n);
                   loss.indexed(m, n, T(0.75), x, labels.data(), scale, row_loss, dy);
                 });
    }
  }
  void run_updates() {
    const auto& update = table_.update;
    add_updated("sgd", [&](auto n, auto* w, auto* g, auto* first, auto*) {
      kernels::SgdStep<T> step{.lr = T(0.1), .momentum = T(0.9), .weight_decay = T(0.01), .nesterov = false};
      update.sgd(n, step, w, g, nullptr);
      update.sgd(n, step, w, g, first);
      step.nesterov = true;
      update.sgd(n, step, w, g, first);
    });
    add_updated("adam", [&](auto n, auto* w, auto* g, auto* first, auto* second) {
      update.adam(n, {T(0.002), T(0.9), T(0.99), T(0.1), T(0.01), T(3), T(1e-8), T(0.01)}, w, g, first, second);
    });
    add_updated("adagrad", [&](auto n, auto* w, auto* g, auto* first, auto*) {
      update.adagrad(n, {T(0.1), T(1e-10), T(0.01)}, w, g, first);
    });
  }

  std::vector<T> values(std::size_t n, double low, double high) { return random_.uniforms<T>(n, low, high); }

  // 45 columns, in panels of whatever width the instruction set has, of both layouts of a.
  std::vector<T> product() {
    constexpr std::size_t m = 29, n = 45, k = 37;
    const std::vector<T> a = values(m * k, -1, 1), b = values(k * n, -1, 1), bias = values(n, -1, 1);
    std::vector<T> c(2 * m * n);
    const std::size_t panel = table_.gemm.panel();
    for (std::size_t j = 0; j < n; j += panel) {
      const std::size_t width = std::min(panel, n - j);
      table_.gemm.multiply_panel({m, width, k, a.data(), k, 1, &b[j], n, &bias[j], 0, &c[j], n});
      table_.gemm.multiply_panel({m, width, k, a.data(), 1, m, &b[j], n, nullptr, 0, &c[m * n + j], n});
    }
    return c;
  }
  // Half of the inputs vary within [-20, 20], the others have random bits. There is room for two outputs.
  template <class Kernel>
  std::vector<T> mapped(Kernel kernel) {
    constexpr std::size_t n = 2003;
    using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    std::vector<T> x = values(n, -20, 20), y(2 * n);
    for (std::size_t i = 0; i < n; i += 2) x[i] = __builtin_bit_cast(T, static_cast<Bits>(random_.bits()));
    kernel(n, x.data(), y.data());
    return y;
  }
  template <class Kernel>
  std::vector<T> by_row(Kernel kernel) {
    constexpr std::size_t m = 35;
    std::vector<T> all;
    for (std::size_t n : {1, 2, 3, 5, 7, 8, 10, 15, 16, 17, 31, 33, 100}) {
      const std::vector<T> x = values(m * n, -20, 20), t = values(m * n, 0, 1), scale = values(m, 0, 1);
      std::vector<T> loss(m), dy(m * n);
      kernel(m, n, x.data(), t.data(), scale.data(), loss.data(), dy.data());
      all.insert(all.end(), loss.begin(), loss.end());
      all.insert(all.end(), dy.begin(), dy.end());
    }
    return all;
  }
  template <class Kernel>
  std::vector<T> updated(Kernel kernel) {
    constexpr std::size_t n = 203;
    std::vector<T> w = values(n, -1, 1), first(n), second(n);
    for (int count = 0; count < 3; ++count) kernel(n, w.data(), values(n, -1, 1).data(), first.data(), second.data());
    w.insert(w.end(), first.begin(), first.end());
    w.insert(w.end(), second.begin(), second.end());
    return w;
  }

  const kernels::KernelTable<T>& table_;
  Random random_{0};
  std::vector<Result> results_;
};

template <class T>
void check(const Isa& isa, Report& report) {
  for (const auto& [name, got] : Battery<T>(isa.tables->get<T>()).run()) {
    char what[100];
    std::snprintf(what, sizeof what, "digest of %s is 0x%016llx", name.c_str(), static_cast<unsigned long long>(got));
    report.start(isa, type_name<T>(), what);
    const auto* wanted =
        std::find_if(std::begin(kDigests), std::end(kDigests), [&name](const Digest& row) { return row.name == name; });
    const bool known = wanted != std::end(kDigests);  // a kernel without its row fails
    report.finish(known && got == (sizeof(T) == 4 ? wanted->f32 : wanted->f64) ? 0 : HUGE_VAL);
  }
}

}  // namespace

void check_same_bits(const Isa& isa, Report& report) {
  if (std::string(isa.name) == "baseline") return;  // it rounds products and sums on their own
  check<float>(isa, report);
  check<double>(isa, report);
}

}  // namespace nnext::testing
