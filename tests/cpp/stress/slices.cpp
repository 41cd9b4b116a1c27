#include <memory>

#include "scenes.h"

namespace nnext::testing {

namespace {

// So that all predictions have the bits of the first.
const Case kWhole = case_at_rest("slices");
constexpr Size kCut = 2;  // layers below it, and above

class Slices {
 public:
  Slices() : course_(kWhole), features_(random_.uniforms<float>(kWhole.rows * 128, -1, 1)) {
    course_.settle(0, [] {});
    record_.add_outputs(course_);
    joined_ = predict_in_two(0);
  }

  Course& course() { return course_; }
  // A slice that comes and goes: it predicts, is compiled and frozen, or trains.
  void use(Random& random) {
    switch (random.bits() % 4) {
      case 0: {
        const Size row = random.bits() % Course::kSingles;
        if (row == 0 && predict_in_two(row) != joined_) Findings::fail(kWhole.name, "two slices give other bits");
        return observe_outputs(course_, record_, random);
      }
      case 1:
        return try_to([&] { compiled(Size{0}, kCut); });
      case 2:
        return try_to([&] {
          runtime::Cancel cancel;
          course_.trainer().set_trainable({random.bits() % 2 == 0 ? "0" : "4"}, random.bits() % 2 == 0, cancel);
        });
      default:
        return try_to([&] { train(*compiled(kCut, kWhole.layers.size())); });
    }
  }
  void train_whole() {
    try_to([&] {
      runtime::Cancel cancel;
      course_.epoch(cancel);
    });
  }

 private:
  std::unique_ptr<Trainer<float>> compiled(Size first, Size last) {
    auto part = std::make_unique<Trainer<float>>(course_.trainer(), first, last);
    runtime::Cancel cancel;
    const Config loss = mse();
    part->compile(&loss, sgd(0.9), "float32", {}, cancel);
    return part;
  }
  void train(Trainer<float>& head) {
    const data::Stored stored{data::kNumberType<float>, features_.data(), 128 * sizeof(float)};
    const DenseRows<float> x(head.section().network().kernels, kWhole.rows, 128, stored, 1);
    const std::vector<float> y(kWhole.rows * kWhole.out);
    runtime::Cancel cancel;
    head.fit_epoch({x, {nullptr, {y.data(), kWhole.rows, kWhole.out}}, {}, {}}, {64, true, {{"lr", 0.0}}}, cancel);
  }
  // What the layers above make of what those below make of a row.
  std::vector<float> predict_in_two(Size row) {
    Trainer<float> low(course_.trainer(), 0, kCut), high(course_.trainer(), kCut, kWhole.layers.size());
    std::vector<float> between(128), output(kWhole.out);
    predict(low, course_.probe_row(row), between);
    predict(high, between.data(), output);
    return output;
  }
  static void predict(Trainer<float>& part, const float* x, std::vector<float>& to) {
    const Size in = part.section().input()->numbers();
    const data::Stored stored{data::kNumberType<float>, x, static_cast<core::Stride>(in * sizeof(float))};
    const DenseRows<float> rows(part.section().network().kernels, 1, in, stored, 1);
    runtime::Cancel cancel;
    part.predict(rows, {to.data(), 1, to.size()}, cancel);
  }

  Random random_{7};
  Course course_;
  std::vector<float> features_, joined_;
  Record record_;
};

}  // namespace

void slices() {
  Slices all;
  Crowd crowd;
  crowd.add(change_threads);
  for (int i = 0; i < 3; ++i) crowd.add([&](Random& mine) { all.use(mine); });
  const auto end = std::chrono::steady_clock::now() + kScene;
  while (std::chrono::steady_clock::now() < end) {
    all.train_whole();
    Findings::beat();
  }
}

}  // namespace nnext::testing
