#include <cstring>
#include <random>

#include "core_checks.h"

namespace nnext::testing {

namespace {

using core::ConstMatrix;
using core::Matrix;
using Numbers = std::vector<float>;

constexpr Size kSteps = 9, kFeatures = 5;
const std::vector<std::uint32_t> kLengths{9, 4, 1, 7, 0, 3};  // of the rows of a batch

std::vector<Field> fan_in(std::initializer_list<const char*> names) {
  std::vector<Field> fields;
  for (const char* name : names) fields.emplace_back(name, std::vector<Config>{describe("fan_in_uniform")});
  return fields;
}

Config with(Config config, const std::vector<Field>& fields) {
  for (const Field& field : fields) config.set(field.first, field.second);
  return config;
}

Config conv1d(Size out, Size kernel, Size stride, Size padding, Size dilation) {
  return with(describe("Conv1d", {{"in_channels", whole(kFeatures)},
                                  {"out_channels", whole(out)},
                                  {"kernel_size", whole(kernel)},
                                  {"stride", whole(stride)},
                                  {"padding", whole(padding)},
                                  {"dilation", whole(dilation)},
                                  {"groups", whole(1)},
                                  {"bias", true}}),
              fan_in({"weight_init", "bias_init"}));
}
Config same(Config config) { return with(std::move(config), {{"padding", std::string("same")}}); }
Config pool(const char* type, Size kernel, Size stride, Size padding, bool count_include_pad = true) {
  return describe(type, {{"kernel_size", whole(kernel)},
                         {"stride", whole(stride)},
                         {"padding", whole(padding)},
                         {"count_include_pad", count_include_pad}});
}
Config attention(Size size) {
  return with(describe("AttentionPooling", {{"in_features", whole(kFeatures)}, {"attention_size", whole(size)}}),
              fan_in({"weight_init", "bias_init", "context_init"}));
}

// All gradients, piece after piece, as they lie; a step of several batches goes on from them.
class Gradients final : public nn::Sink<float> {
 public:
  explicit Gradients(const nn::Layer<float>& layer) {
    for (const nn::Parameter<float>& parameter : layer.parameters) values.emplace_back(parameter.stored);
  }
  float* at(const nn::Piece& piece) override { return values[piece.parameter].data() + piece.offset; }
  std::vector<Numbers> values;
};

// A layer's passes over sequences of `steps` steps, of which so many count (null: all), with NaN in all memory that is
// not told. What comes after an end is made 0, as whoever sets lengths does.
class Pass {
 public:
  Pass(nn::Layer<float>& layer, Size steps, ConstMatrix<float> x, const std::uint32_t* lengths)
      : layer_(layer),
        in_(std::span(&steps, 1), kFeatures, false),
        out_(layer.out_shape({&in_, 1})),
        room_(layer.room(in_, x.rows, true)),
        y(x.rows * out_.numbers(), kNan),
        dx(x.rows * in_.numbers(), kNan),
        saved_(x.rows * room_.saved, kNan),
        scratch_(core::round_up(room_.scratch, core::kCacheLine) / sizeof(float) + 16) {
    frame_.x = x;
    frame_.y = {y.data(), x.rows, out_.numbers()};
    frame_.dx = {dx.data(), x.rows, in_.numbers()};
    frame_.in = &in_, frame_.out = &out_;
    if (room_.saved > 0) frame_.saved = {saved_.data(), x.rows, room_.saved};
    frame_.scratch = reinterpret_cast<std::byte*>(scratch_.data());
    if (lengths == nullptr) return;
    for (Size i = 0; i < x.rows; ++i) out_lengths_.push_back(static_cast<std::uint32_t>(layer.out_length(lengths[i])));
    frame_.in_lengths = lengths, frame_.out_lengths = out_lengths_.data();
  }

  void run(const nn::Network<float>& network, ConstMatrix<float> dy, Size first_row, Gradients& gradients) {
    runtime::Barrier barrier(1, false);
    const runtime::Member me(0, 1, barrier, nullptr);
    const nn::Pass<float> pass{.kernels = network.kernels, .me = me, .training = true, .first_row = first_row};
    const nn::Part rows{{0, frame_.rows()}};
    layer_.forward(pass, frame_, rows, 0);
    clear(frame_.y, out_, frame_.out_lengths);
    frame_.dy = {const_cast<float*>(dy.data), dy.rows, dy.cols};
    layer_.backward(pass, frame_, rows, 0);
    clear(frame_.dx, in_, frame_.in_lengths);
    layer_.gradients(pass, frame_, layer_.pieces(), gradients);
  }

  const core::Shape& out() const { return out_; }
  static void clear(Matrix<float> rows, const core::Shape& shape, const std::uint32_t* lengths) {
    for (Size i = 0; i < rows.rows && lengths != nullptr; ++i)
      std::fill(rows.row(i) + std::min<Size>(lengths[i], shape.places()) * shape.channels, rows.row(i) + rows.cols,
                0.f);
  }

 private:
  static constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  nn::Layer<float>& layer_;
  core::Shape in_, out_;
  nn::Room room_;

 public:
  Numbers y, dx;

 private:
  Numbers saved_;
  core::Buffer<float> scratch_;
  std::vector<std::uint32_t> out_lengths_;
  nn::Frame<float> frame_{};
};

Numbers drawn(Size count, unsigned seed) {
  std::mt19937 bits(seed);
  Numbers numbers(count);
  for (float& number : numbers) number = static_cast<float>(bits()) * 0x1p-31f - 1;
  return numbers;
}

bool same_bits(const float* a, const float* b, Size count) { return std::memcmp(a, b, count * sizeof(float)) == 0; }

// In a batch each row has the bits that it has alone, at its own length, and the gradients of the parameters are those of
// the rows one after the other. A sequence that is too short for a window gives no step, and alone nothing at all.
bool rows_are_as_alone(const Config& config) {
  Whole whole({config});
  runtime::Cancel cancel;
  whole.network.allocate();
  whole.network.initialize(cancel);
  nn::Layer<float>& layer = *whole.network.nodes.front().layer;
  layer.pack(nn::Packed::all);
  const Size rows = kLengths.size(), numbers = kSteps * kFeatures;
  Numbers x = drawn(rows * numbers, 1);
  const core::Shape in(std::span(&kSteps, 1), kFeatures, false);
  Pass::clear({x.data(), rows, numbers}, in, kLengths.data());
  Pass batch(layer, kSteps, {x.data(), rows, numbers}, kLengths.data());
  const Size outputs = batch.out().numbers(), channels = batch.out().channels;
  Numbers dy = drawn(rows * outputs, 2);
  std::vector<std::uint32_t> lengths;
  for (const std::uint32_t length : kLengths) lengths.push_back(static_cast<std::uint32_t>(layer.out_length(length)));
  Pass::clear({dy.data(), rows, outputs}, batch.out(), lengths.data());
  Gradients of_batch(layer), of_rows(layer);
  batch.run(whole.network, {dy.data(), rows, outputs}, 0, of_batch);
  bool good = layer.takes_lengths();
  Size done = 0;
  for (Size i = 0; i < rows; ++i) {
    const float *const y = batch.y.data() + i * outputs, *const dx = batch.dx.data() + i * numbers;
    good &= kLengths[i] > 0 || std::all_of(y, y + outputs, [](float number) { return number == 0; });
    if (kLengths[i] == 0 || lengths[i] == 0) continue;
    Pass alone(layer, kLengths[i], {x.data() + i * numbers, 1, kLengths[i] * kFeatures}, nullptr);
    const Size own = alone.out().numbers();
    good &= own == lengths[i] * channels;
    alone.run(whole.network, {dy.data() + i * outputs, 1, own}, done++, of_rows);
    good &= same_bits(alone.y.data(), y, own) && same_bits(alone.dx.data(), dx, alone.dx.size());
  }
  for (Size i = 0; i < of_batch.values.size(); ++i)
    good &= same_bits(of_batch.values[i].data(), of_rows.values[i].data(), of_batch.values[i].size());
  return good;
}

}  // namespace

void check_lengths(Statements& says) {
  const std::vector<std::pair<const char*, Config>> layers{
      {"Conv1d", conv1d(6, 3, 1, 0, 1)},
      {"Conv1d with stride and padding", conv1d(6, 3, 2, 1, 1)},
      {"Conv1d with a wide padding", conv1d(3, 2, 3, 4, 1)},
      {"Conv1d with dilation", conv1d(4, 3, 1, 1, 2)},
      {"Conv1d that keeps the length", same(conv1d(70, 4, 1, 0, 1))},
      {"Conv1d of one place", conv1d(6, 1, 1, 0, 1)},
      {"MaxPool1d", pool("MaxPool1d", 2, 2, 0)},
      {"MaxPool1d with overlaps", pool("MaxPool1d", 3, 2, 1)},
      {"AvgPool1d", pool("AvgPool1d", 3, 1, 1)},
      {"AvgPool1d of what is inside", pool("AvgPool1d", 4, 1, 2, false)},
      {"GlobalMaxPool1d", describe("GlobalMaxPool1d")},
      {"GlobalAvgPool1d", describe("GlobalAvgPool1d")},
      {"AttentionPooling", attention(3)},
      {"AttentionPooling of several panels", attention(150)},
  };
  for (const auto& [name, config] : layers)
    says.holds(std::string("a sequence among longer ones has the bits that it has alone: ") + name,
               rows_are_as_alone(config));
  const auto takes = [](const Config& config) { return Whole({config}).network.nodes.front().layer->takes_lengths(); };
  says.holds("what acts on each step alone takes lengths", takes(linear(5, 3)) && takes(relu()) && takes(dropout(0.5)));
  says.holds("what mixes steps, or rows, without knowing them takes none",
             !takes(describe("Flatten")) && !takes(batch_norm(5)));
}

}  // namespace nnext::testing
