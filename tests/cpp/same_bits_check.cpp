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
    {"product", 0x61803d8c6618e282, 0x5380be1194f796d3},
    {"exp", 0x9edbd8099d3ae416, 0xd1a95814ed2379a5},
    {"log", 0xbeaf022ba6ceb3c9, 0xc8a3d8642558a26d},
    {"identity", 0xde89e365b93e56d1, 0x1c377fc0b98617e9},
    {"relu", 0x0e3d281b95147349, 0xe51963c0ed205a65},
    {"leaky_relu", 0x3ef3852898471f8d, 0xb1ce8d1960cab01d},
    {"tanh", 0x8835649c8a0f0a57, 0x3e325dc00032f79c},
    {"sigmoid", 0xc46deaa3ae3ffee5, 0xb6c54d8f607241ac},
    {"softmax", 0x8e2cc86bfdf32e10, 0x1d874adfb90b45a5},
    {"softmax gradient", 0x24498abac19b050c, 0x303d89c84ecccc73},
    {"mse", 0xf013d795ae34fe8d, 0x355bb0148566d1ba},
    {"bce", 0x44e43903006861f9, 0x5a660ce2ca21a7f0},
    {"bce_with_logits", 0x59feabb524094f65, 0xb842e58f105bd8e6},
    {"cross_entropy", 0xc67897f1acb73711, 0x3453d39e1177c1ad},
    {"cross_entropy_indexed", 0x85ce550ac2019236, 0x1929ef6c3e6bf59e},
    {"column_sums", 0x26e4e32eb9ce8dfa, 0xdc71843fb78124fa},
    {"sgd", 0x7e0eb581a8c19671, 0xde3f3b994b7ba0d1},
    {"adam", 0xcf7e75bd249e512d, 0xd4ca7a39aa63aac6},
    {"adagrad", 0xf075813a449155bb, 0xfeaa366e13a223f5},
};

// FNV-1a over the bits, every NaN being the same.
template <class T>
std::uint64_t digest(const std::vector<T>& values) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (T value : values) {
    const Bits bits = __builtin_bit_cast(Bits, std::isnan(value) ? std::numeric_limits<T>::quiet_NaN() : value);
    for (std::size_t byte = 0; byte < sizeof bits; ++byte) hash = (hash ^ (bits >> 8 * byte & 0xff)) * 0x100000001b3u;
  }
  return hash;
}

// Runs every kernel on one instruction set; results come in the order of kDigests.
template <class T>
class Battery {
 public:
  explicit Battery(const kernels::KernelTable<T>& table) : table_(table) {}

  std::vector<std::uint64_t> run() {
    add(product());
    add(mapped([&](auto n, auto* x, auto* y) { table_.elementwise.exp(n, x, y); }));
    add(mapped([&](auto n, auto* x, auto* y) { table_.elementwise.log(n, x, y); }));
    for (const auto& activation : std::span(table_.elementwise.activations, table_.elementwise.activation_count))
      add(mapped([&](auto n, auto* x, auto* y) {
        activation.forward(n, T(0.1), x, y);
        activation.backward(n, T(0.1), y, x, y + n);
      }));
    add(by_row([&](auto m, auto n, auto* x, auto*, auto*, auto*, auto* y) { table_.softmax.forward(m, n, x, y); }));
    add(by_row(
        [&](auto m, auto n, auto* x, auto* t, auto*, auto*, auto* y) { table_.softmax.backward(m, n, t, x, y); }));
    for (const auto& loss : std::span(table_.loss.losses, table_.loss.loss_count)) {
      const bool of_probabilities = std::string(loss.name) == "bce";
      add(by_row([&](auto m, auto n, auto* x, auto* t, auto* scale, auto* row_loss, auto* dy) {
        loss.dense(m, n, T(0.75), of_probabilities ? t : x, t, scale, row_loss, dy);
      }));
      if (loss.indexed == nullptr) continue;
      add(by_row([&](auto m, auto n, auto* x, auto*, auto* scale, auto* row_loss, auto* dy) {
        std::vector<std::int32_t> labels(m);
        for (auto& label : labels) label = static_cast<std::int32_t>(random_.bits() % n);
        loss.indexed(m, n, T(0.75), x, labels.data(), scale, row_loss, dy);
      }));
    }
    add(by_row([&](auto m, auto n, auto* x, auto*, auto*, auto*, auto* y) {
      table_.reduce.column_sums(m, n, x, static_cast<std::ptrdiff_t>(n), y);
    }));
    const auto& update = table_.update;
    add(updated([&](auto n, auto* w, auto* g, auto* first, auto*) {
      kernels::SgdStep<T> step{.lr = T(0.1), .momentum = T(0.9), .weight_decay = T(0.01), .nesterov = false};
      update.sgd(n, step, w, g, nullptr);
      update.sgd(n, step, w, g, first);
      step.nesterov = true;
      update.sgd(n, step, w, g, first);
    }));
    add(updated([&](auto n, auto* w, auto* g, auto* first, auto* second) {
      update.adam(n, {T(0.002), T(0.9), T(0.99), T(0.1), T(0.01), T(3), T(1e-8), T(0.01)}, w, g, first, second);
    }));
    add(updated([&](auto n, auto* w, auto* g, auto* first, auto*) {
      update.adagrad(n, {T(0.1), T(1e-10), T(0.01)}, w, g, first);
    }));
    return digests_;
  }

 private:
  void add(const std::vector<T>& values) { digests_.push_back(digest(values)); }
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
  Random random_{9};
  std::vector<std::uint64_t> digests_;
};

template <class T>
void check(const Isa& isa, Report& report) {
  const std::vector<std::uint64_t> got = Battery<T>(isa.tables->get<T>()).run();
  for (std::size_t i = 0; i < std::size(kDigests); ++i) {
    char what[100];
    std::snprintf(what, sizeof what, "digest of %s is 0x%016llx", kDigests[i].name,
                  static_cast<unsigned long long>(got[i]));
    report.start(isa, type_name<T>(), what);
    report.finish(got[i] == (sizeof(T) == 4 ? kDigests[i].f32 : kDigests[i].f64) ? 0 : HUGE_VAL);
  }
}

}  // namespace

void check_same_bits(const Isa& isa, Report& report) {
  if (std::string(isa.name) == "baseline") return;  // it rounds products and sums on their own
  check<float>(isa, report);
  check<double>(isa, report);
}

}  // namespace nnext::testing
