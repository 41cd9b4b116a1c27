// Digests of what every kernel gives for fixed inputs. All instruction sets with a hardware FMA must meet those of
// digests.h, on every machine and with every compiler: avx2 == avx512 == neon, bit for bit. A kernel that has none
// there yet must give the same on all instruction sets of this machine.
#include <map>
#include <span>

#include "checks.h"
#include "digests.h"
#include "update_bits.h"

namespace nnext::testing {
namespace {

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
    run_softmax_and_noise();
    run_losses();
    add_by_row("column_sums", [&](auto m, auto n, auto* x, auto*, auto*, auto*, auto* y) {
      table_.reduce.column_sums(m, n, x, static_cast<std::ptrdiff_t>(n), nullptr, y);
    });
    add("column_squares", [&] { return column_squares(); });
    run_normalize();
    run_row_norm();
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
        const kernels::ActivationArguments<T> arguments{T(0.1), T(1)};
        activation.forward(n, arguments, x, y);
        activation.backward(n, arguments, activation.from_x ? x : y, x, y + n);
      });
  }
  void run_softmax_and_noise() {
    const auto run = [&](const std::string& name, const kernels::SoftmaxKernels<T>& kernel, T below) {
      add_by_row(name, [&](auto m, auto n, auto* x, auto*, auto*, auto*, auto* y) { kernel.forward(m, n, x, y); });
      add_by_row(name + " gradient", [&](auto m, auto n, auto* x, auto* t, auto*, auto*, auto* y) {
        std::vector<T> outputs(t, t + m * n);
        for (T& output : outputs) output -= below;
        kernel.backward(m, n, outputs.data(), x, y);
      });
    };
    run("softmax", table_.softmax, 0);
    run("log_softmax", table_.log_softmax, 1);
    for (const bool shared : {false, true})
      add_by_row(shared ? "prelu of one weight" : "prelu",
                 [&](auto m, auto n, auto* x, auto* t, auto*, auto*, auto* y) {
                   std::vector<T> dx(m * n), sums(m * n);
                   table_.prelu.forward(m, n, shared, t, x, y);
                   table_.prelu.backward(1, m, n, shared, t, x, y, dx.data(), sums.data());
                   for (std::size_t i = 0; i < m * n; ++i) y[i] += dx[i] + sums[i];
                 });
    add_mapped("noise", [&](auto n, auto* x, auto* y) {
      std::vector<std::uint32_t> words(2 * n);
      for (auto& word : words) word = static_cast<std::uint32_t>(random_.bits());
      table_.noise.add_normal(n, 0.7, words.data(), x, y);
      std::fill_n(x, n, T(0));
      table_.noise.add_normal(n, 0.7, words.data(), x, y + n);
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
  void run_normalize() {
    const auto& normalize = table_.normalize;
    add_by_row("moments", [&](auto m, auto n, auto* x, auto*, auto*, auto*, auto* y) {
      normalize.moments(m, n, x, static_cast<std::ptrdiff_t>(n), y, y + n);
    });
    add_by_row("normalize", [&](auto m, auto n, auto* x, auto* t, auto*, auto*, auto* y) {
      const auto row = static_cast<std::ptrdiff_t>(n);
      normalize.forward(m, n, x, row, t, x, t + n, y, row);
    });
    add_by_row("normalize gradient", [&](auto m, auto n, auto* x, auto* t, auto*, auto*, auto* y) {
      const auto row = static_cast<std::ptrdiff_t>(n);
      std::vector<T> sum(n), dot(n);
      normalize.backward_sums(m, n, t, row, x, row, t, sum.data(), dot.data());
      normalize.backward(m, n, t, row, x, row, t, x, sum.data(), dot.data(), y, row);
    });
  }
  void run_row_norm() {
    run_row_norm("row norm", table_.row_norm);
    run_row_norm("rms norm", table_.rms_norm);
  }
  void run_row_norm(const std::string& name, const kernels::RowNormKernels<T>& norm) {
    const auto moments_of = [&](auto m, auto n, auto* x, auto* y) {
      std::vector<T> moments(2 * m);
      norm.forward(m, n, T(1e-5), x, nullptr, nullptr, moments.data(), y);
      return moments;
    };
    add_by_row(name, [&](auto m, auto n, auto* x, auto* t, auto*, auto*, auto* y) {
      std::vector<T> moments(2 * m);
      norm.forward(m, n, T(1e-5), x, t, x, moments.data(), y);
    });
    add_by_row(name + " gradient", [&](auto m, auto n, auto* x, auto* t, auto*, auto*, auto* y) {
      norm.backward(m, n, x, moments_of(m, n, x, y).data(), t, t, y);
    });
    add_by_row(name + " weights", [&](auto m, auto n, auto* x, auto* t, auto*, auto*, auto* y) {
      norm.weight_sums(m, n, n, x, moments_of(m, n, x, y).data(), t, y);
    });
  }
  std::vector<double> column_squares() {
    constexpr std::size_t m = 35, n = 203;
    std::vector<double> sum(n);
    table_.reduce.column_squares(m, n, values(m * n, -1, 1).data(), n, sum.data());
    return sum;
  }
  void run_updates() {
    add_updated("lerp", [&](auto n, auto* w, auto* g, auto*, auto*) { table_.elementwise.lerp(n, T(0.9), g, w); });
    run_update_rules<T>(table_.update, [&](const char* name, auto kernel) { add_updated(name, kernel); });
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

// The digest in digests.h, or else that of the first instruction set.
template <class T>
std::uint64_t wanted(const std::string& name, std::uint64_t found) {
  static std::map<std::string, std::uint64_t> of_the_first;
  for (const Digest& row : kDigests)
    if (row.name == name) return sizeof(T) == 4 ? row.f32 : row.f64;
  return of_the_first.emplace(name, found).first->second;
}

template <class T>
void check(const Isa& isa, Report& report) {
  for (const auto& result : Battery<T>(isa.tables->get<T>()).run()) {
    char what[100];
    std::snprintf(what, sizeof what, "digest of %s is 0x%016llx", result.name.c_str(),
                  static_cast<unsigned long long>(result.digest));
    report.start(isa, type_name<T>(), what);
    report.finish(result.digest == wanted<T>(result.name, result.digest) ? 0 : HUGE_VAL);
  }
}

}  // namespace

void check_same_bits(const Isa& isa, Report& report) {
  if (std::string(isa.name) == "baseline") return;  // it rounds products and sums on their own
  check<float>(isa, report);
  check<double>(isa, report);
}

}  // namespace nnext::testing
