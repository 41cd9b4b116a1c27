#include "course.h"

#include <bit>

#include "../check.h"

namespace nnext::testing {

namespace {

constexpr std::uint64_t kSeed = 20260;

// FNV-1a by words of 32 bits.
class Digest {
 public:
  void add(std::uint32_t word) { value_ = (value_ ^ word) * 0x100000001B3u; }
  void add(std::uint64_t word) { add(static_cast<std::uint32_t>(word)), add(static_cast<std::uint32_t>(word >> 32)); }
  void add(const float* numbers, Size count) {
    for (Size i = 0; i < count; ++i) add(std::bit_cast<std::uint32_t>(numbers[i]));
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xCBF29CE484222325u;
};

std::uint64_t digest_of(const std::vector<float>& numbers) {
  Digest all;
  all.add(numbers.data(), numbers.size());
  return all.value();
}

// Calls f(cancel) until the host lets it end.
template <class F>
void insist(F f) {
  for (bool stopped = true; stopped;) {
    runtime::Cancel cancel;
    f(cancel);
    stopped = cancel.requested();
  }
}

// The mean squared error as a host would compute it, for the samples from `first` on.
double host_mse(core::ConstMatrix<float> outputs, const float* y, const std::uint32_t* order, core::Matrix<float> dy) {
  double sum = 0;
  const double count = static_cast<double>(outputs.rows * outputs.cols);
  for (Size i = 0; i < outputs.rows; ++i)
    for (Size j = 0; j < outputs.cols; ++j) {
      const float error = outputs(i, j) - y[order[i] * outputs.cols + j];
      dy(i, j) = static_cast<float>(2 * static_cast<double>(error) / count);
      sum += static_cast<double>(error) * static_cast<double>(error);
    }
  return sum / count;
}

template <class N>
void permute(std::vector<N>& values, Size cols, const train::Order& order) {
  const std::vector<N> before = values;
  for (Size i = 0; i < order.size(); ++i) std::copy_n(before.data() + order[i] * cols, cols, values.data() + i * cols);
}

}  // namespace

std::uint64_t digest(const std::vector<core::Buffer<float>>& parameters) {
  Digest all;
  for (const auto& numbers : parameters) all.add(numbers.data(), numbers.size());
  return all.value();
}

// Of all but the count of epochs, which a training step by step has more of.
std::uint64_t digest(const train::StateCopy<float>& state) {
  Digest all;
  all.add(digest(state.parameters));
  all.add(digest(state.averages));
  for (const auto& states : state.optimizer_state) all.add(digest(states));
  for (const optim::Progress& progress : state.progress)
    all.add(progress.steps), all.add(std::bit_cast<std::uint64_t>(progress.product));
  all.add(state.counters.step);
  return all.value();
}

Course::Course(const Case& what) : what_(what), trainer_(kSeed, what.layers, {}, true, {}, drawing_) {
  Random random(kSeed + what.in);
  x_ = random.uniforms<float>(what.rows * what.in, -1, 1);
  y_ = random.uniforms<float>(std::max(what.rows, kProbe) * what.out, -1, 1);
  probe_ = random.uniforms<float>(kProbe * what.in, -1, 1);
  for (Size i = 0; i < std::max(what.rows, kProbe); ++i)
    classes_.push_back(static_cast<std::int32_t>(random.bits() % what.out));
  if (what.converted) wide_.assign(x_.begin(), x_.end());
}

void Course::settle(int epoch, const std::function<void()>& seen) {
  const Config* loss = what_.way == Way::host_loss ? nullptr : &what_.loss;
  const auto compile = [&](const Config& optimizer) {
    insist([&](auto& cancel) {
      trainer_.compile(loss, optimizer, what_.bf16 ? "bf16" : "float32", what_.settings, cancel);
    });
    seen();
  };
  const auto set_trainable = [&](bool trainable) {
    insist([&](auto& cancel) { trainer_.set_trainable({what_.frozen}, trainable, cancel); });
    seen();
  };
  if (epoch == 0) compile(sgd(0.9));
  if (epoch == 1) set_trainable(false);
  if (epoch == 2) set_trainable(true), compile(adam(what_.settings.clip_norm > 0 ? "NAdam" : "Adam"));
}

train::EpochReport Course::epoch(runtime::Cancel& cancel, const std::function<void()>& within) {
  if (what_.way != Way::own_loop)
    return trainer_.fit_epoch(samples(rows(0, what_.rows), 0, within),
                              {what_.batch, what_.shuffle, {{"lr", what_.rate}}}, cancel);
  for (Size first = 0; first < what_.rows; first += what_.batch)
    own_step(first, std::min(what_.batch, what_.rows - first));
  return {};
}

void Course::epoch_by_steps(const std::function<void()>& seen) {
  runtime::Cancel cancel;
  const auto x = x_, y = y_;
  const auto wide = wide_;
  const auto classes = classes_;
  // Epochs are counted by steps here, so the order is that of the epoch in the course.
  if (what_.shuffle) reorder(train::shuffled_order(trainer_.section().network().seed, epochs_++, what_.rows, cancel));
  const Size step = what_.batch * what_.settings.accumulate;
  for (Size first = 0; first < what_.rows; first += step) {
    const Size count = std::min(step, what_.rows - first);
    trainer_.fit_epoch(samples(rows(first, count), first, {}), {what_.batch, false, {{"lr", what_.rate}}}, cancel);
    seen();
  }
  x_ = x, y_ = y, wide_ = wide, classes_ = classes;
}

void Course::reorder(const train::Order& order) {
  permute(x_, what_.in, order);
  permute(y_, what_.out, order);
  permute(classes_, 1, order);
  if (what_.converted) permute(wide_, what_.in, order);
}

void Course::own_step(Size first, Size count) {
  insist([&](runtime::Cancel& cancel) {
    trainer_.loss_and_gradients(rows(first, count), targets(first, count), {}, cancel);
    if (!cancel.requested()) trainer_.step(std::vector<train::SettingValue>{{"lr", what_.rate}}, cancel);
  });
}

std::uint64_t Course::predict(Size first, Size count) {
  std::vector<float> outputs(count * what_.out);
  const DenseRows<float> x = probe(first, count);
  insist([&](auto& cancel) { trainer_.predict(x, {outputs.data(), count, what_.out}, cancel); });
  return digest_of(outputs);
}

std::uint64_t Course::predict_row(Size row) {
  std::vector<float> output(what_.out);
  if (!trainer_.predict_row_at_once(probe_.data() + row * what_.in, output.data())) return predict(row, 1);
  return digest_of(output);
}

std::uint64_t Course::evaluate() {
  std::vector<float> outputs(kProbe * what_.out);
  const DenseRows<float> x = probe(0, kProbe);
  insist(
      [&](auto& cancel) { trainer_.evaluate(x, targets(0, kProbe), {}, {outputs.data(), kProbe, what_.out}, cancel); });
  return digest_of(outputs);
}

// ---- samples --------------------------------------------------------------------------------------------------------

template <class N>
DenseRows<float> Course::rows_of(const std::vector<N>& numbers, Size first, Size count) const {
  const data::Stored stored{data::kNumberType<N>, numbers.data() + first * what_.in,
                            static_cast<core::Stride>(what_.in * sizeof(N))};
  return {trainer_.section().network().kernels, count, what_.in, stored, 1};
}

DenseRows<float> Course::rows(Size first, Size count) const {
  return what_.converted ? rows_of(wide_, first, count) : rows_of(x_, first, count);
}

ops::Targets<float> Course::targets(Size first, Size count) const {
  if (what_.classes) return {classes_.data() + first, {}};
  return {nullptr, {y_.data() + first * what_.out, count, what_.out}};
}

Samples<float> Course::samples(const DenseRows<float>& x, Size first, const std::function<void()>& within) const {
  Samples<float> given{x, {}, {}, {}};
  if (what_.way != Way::host_loss) {
    given.targets = targets(first, x.rows);
    return given;
  }
  given.host_loss = [y = y_.data() + first * what_.out, within](auto outputs, const std::uint32_t* order, auto dy) {
    if (within) within();
    return train::HostLoss{host_mse(outputs, y, order, dy)};
  };
  return given;
}

// ---- states ---------------------------------------------------------------------------------------------------------

Saved Course::save() {
  const train::StateCopy<float> state = trainer_.copy_state();
  Saved saved{{}, {}, {}, state.progress, state.counters, state.position};
  trainer_.section().for_parameters([&](const auto& node, const auto& parameter, Size index) {
    Size count = 1;
    for (const Size side : parameter.shape) count *= side;
    const auto logical = [&](const core::Buffer<float>& stored) {
      std::vector<float> numbers(count);
      node.layer->to_logical(index - node.first_parameter, stored.data(), numbers.data(), nullptr);
      return numbers;
    };
    saved.parameters.push_back(logical(state.parameters[index]));
    if (!state.averages.empty()) {
      const core::Buffer<float>& average = state.averages[index];
      saved.averages.push_back(average.size() > 0 ? logical(average) : std::vector<float>{});
    }
    const auto& states = state.optimizer_state[index];
    if (saved.optimizer.size() < states.size()) saved.optimizer.resize(states.size());
    for (Size s = 0; s < states.size(); ++s) {
      saved.optimizer[s].resize(index + 1);
      saved.optimizer[s][index] = logical(states[s]);
    }
  });
  return saved;
}

void Course::restore(const Saved& saved) {
  train::GivenState<float> given{{}, {}, {}, saved.progress, saved.counters, saved.position};
  for (Size i = 0; i < saved.parameters.size(); ++i) given.parameters.push_back({i, saved.parameters[i].data()});
  for (Size i = 0; i < saved.averages.size(); ++i)
    if (!saved.averages[i].empty()) given.averages.push_back({i, saved.averages[i].data()});
  for (const auto& state : saved.optimizer) {
    given.optimizer.emplace_back();
    for (Size i = 0; i < state.size(); ++i)
      if (!state[i].empty()) given.optimizer.back().push_back({i, state[i].data()});
  }
  insist([&](auto& cancel) { trainer_.set_state(given, cancel); });
}

}  // namespace nnext::testing
