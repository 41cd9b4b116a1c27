#include "nn/registry.h"

#include "core/errors.h"
#include "nn/layers/activation.h"
#include "nn/layers/attention_pooling.h"
#include "nn/layers/batch_norm.h"
#include "nn/layers/branches.h"
#include "nn/layers/conv.h"
#include "nn/layers/dropout.h"
#include "nn/layers/embedding.h"
#include "nn/layers/gaussian_noise.h"
#include "nn/layers/layer_norm.h"
#include "nn/layers/linear.h"
#include "nn/layers/pool.h"
#include "nn/layers/prelu.h"
#include "nn/layers/recurrent.h"
#include "nn/layers/reshape.h"
#include "nn/layers/softmax.h"
#include "ops/named.h"

namespace nnext::nn {
namespace {

using core::Config;

template <class T>
struct Kind {
  const char* name;
  void (*add)(Builder<T>&, const Config&);
};

// An activation by its name among the kernels, with the numbers that it takes beside x.
template <class T>
void add_activation(Builder<T>& to, const char* name, double first = 0, double second = 0) {
  const kernels::ActivationArguments<T> arguments{static_cast<T>(first), static_cast<T>(second)};
  to.add(std::make_unique<Activation<T>>(ops::find_activation(to.kernels(), name), arguments));
}

template <class T>
void add_row_norm(Builder<T>& to, const char* operation, const kernels::RowNormKernels<T>& kernels,
                  const Config& config) {
  to.add(std::make_unique<LayerNorm<T>>(operation, kernels, config));
}

// -1 is the size that follows from the others.
template <class T>
void add_reshape(Builder<T>& to, const Config& config) {
  std::vector<Size> extents;
  for (const double extent : config.numbers("shape")) extents.push_back(extent < 0 ? 0 : static_cast<Size>(extent));
  to.add(std::make_unique<Reshape<T>>("reshape", std::move(extents)));
}

// What one body computes added to the input, or to what the shortcut makes of it.
template <class T>
void add_residual(Builder<T>& to, const Config& config) {
  to.add_branches({{"body", &config.list("body")}, {"shortcut", &config.list("shortcut")}},
                  std::make_unique<Add<T>>("residual"));
}

template <class T>
void add_branches(Builder<T>& to, const Config& config) {
  std::vector<typename Builder<T>::Branch> branches;
  for (const std::vector<Config>& layers : config.lists("branches"))
    branches.emplace_back("branches." + std::to_string(branches.size()), &layers);
  if (config.text("join") == "add")
    to.add_branches(branches, std::make_unique<Add<T>>("branches"));
  else
    to.add_branches(branches, std::make_unique<Concat<T>>());
}

// Layers one above the other, with dropout between them.
template <class T>
void add_recurrent(Builder<T>& to, const char* cell, const Config& config) {
  const Size layers = config.size("num_layers"), directions = config.flag("bidirectional") ? 2 : 1;
  for (Size i = 0; i < layers; ++i) {
    if (i > 0 && config.number("dropout") > 0) {
      to.begin_inner();
      to.add(std::make_unique<Dropout<T>>(config.number("dropout"), to.number()));
    }
    if (i > 0) to.begin_inner();
    const Size inputs = i == 0 ? config.size("input_size") : directions * config.size("hidden_size");
    const bool sequences = i + 1 < layers || config.flag("return_sequences");
    to.add(std::make_unique<Recurrent<T>>(to.kernels(), config, cell, i, inputs, sequences));
  }
}

// A row a kind.
template <class T>
inline constexpr Kind<T> kKinds[] = {
    {"Linear", [](Builder<T>& to, const Config& c) { to.add(std::make_unique<Linear<T>>(to.kernels(), c)); }},
    {"Identity", [](Builder<T>& to, const Config&) { add_activation(to, "identity"); }},
    {"ReLU", [](Builder<T>& to, const Config&) { add_activation(to, "relu"); }},
    {"LeakyReLU",
     [](Builder<T>& to, const Config& c) { add_activation(to, "leaky_relu", c.number("negative_slope")); }},
    {"Hardtanh",
     [](Builder<T>& to, const Config& c) { add_activation(to, "hardtanh", c.number("min_val"), c.number("max_val")); }},
    {"Hardswish", [](Builder<T>& to, const Config&) { add_activation(to, "hardswish"); }},
    {"Tanh", [](Builder<T>& to, const Config&) { add_activation(to, "tanh"); }},
    {"Sigmoid", [](Builder<T>& to, const Config&) { add_activation(to, "sigmoid"); }},
    {"Softsign", [](Builder<T>& to, const Config&) { add_activation(to, "softsign"); }},
    {"ELU", [](Builder<T>& to, const Config& c) { add_activation(to, "elu", c.number("alpha")); }},
    {"SELU", [](Builder<T>& to, const Config&) { add_activation(to, "selu"); }},
    {"Softplus",
     [](Builder<T>& to, const Config& c) { add_activation(to, "softplus", c.number("beta"), c.number("threshold")); }},
    {"SiLU", [](Builder<T>& to, const Config&) { add_activation(to, "silu"); }},
    {"Mish", [](Builder<T>& to, const Config&) { add_activation(to, "mish"); }},
    {"GELU", [](Builder<T>& to,
                const Config& c) { add_activation(to, c.text("approximate") == "tanh" ? "gelu_tanh" : "gelu"); }},
    {"PReLU", [](Builder<T>& to, const Config& c) { to.add(std::make_unique<PReLU<T>>(c)); }},
    {"Softmax", [](Builder<T>& to, const Config&) { to.add(std::make_unique<Softmax<T>>(to.kernels().softmax)); }},
    {"LogSoftmax",
     [](Builder<T>& to, const Config&) { to.add(std::make_unique<Softmax<T>>(to.kernels().log_softmax)); }},
    {"Dropout",
     [](Builder<T>& to, const Config& c) { to.add(std::make_unique<Dropout<T>>(c.number("p"), to.number())); }},
    {"AlphaDropout",
     [](Builder<T>& to, const Config& c) { to.add(std::make_unique<AlphaDropout<T>>(c.number("p"), to.number())); }},
    {"GaussianNoise",
     [](Builder<T>& to, const Config& c) {
       to.add(std::make_unique<GaussianNoise<T>>(c.number("stddev"), to.number()));
     }},
    {"Flatten",
     [](Builder<T>& to, const Config&) { to.add(std::make_unique<Reshape<T>>("flatten", std::vector<Size>{0})); }},
    {"Reshape", [](Builder<T>& to, const Config& c) { add_reshape(to, c); }},
    {"BatchNorm1d", [](Builder<T>& to, const Config& c) { to.add(std::make_unique<BatchNorm<T>>(c, 0)); }},
    {"BatchNorm2d", [](Builder<T>& to, const Config& c) { to.add(std::make_unique<BatchNorm<T>>(c, 2)); }},
    {"LayerNorm", [](Builder<T>& to, const Config& c) { add_row_norm(to, "layer_norm", to.kernels().row_norm, c); }},
    {"RMSNorm", [](Builder<T>& to, const Config& c) { add_row_norm(to, "rms_norm", to.kernels().rms_norm, c); }},
    {"Conv1d", [](Builder<T>& to, const Config& c) { to.add(std::make_unique<Conv<T>>(to.kernels(), c, 1)); }},
    {"Conv2d", [](Builder<T>& to, const Config& c) { to.add(std::make_unique<Conv<T>>(to.kernels(), c, 2)); }},
    {"MaxPool1d", [](Builder<T>& to, const Config& c) { to.add(std::make_unique<MaxPool<T>>(c, 1)); }},
    {"MaxPool2d", [](Builder<T>& to, const Config& c) { to.add(std::make_unique<MaxPool<T>>(c, 2)); }},
    {"AvgPool1d", [](Builder<T>& to, const Config& c) { to.add(std::make_unique<AvgPool<T>>(c, 1)); }},
    {"AvgPool2d", [](Builder<T>& to, const Config& c) { to.add(std::make_unique<AvgPool<T>>(c, 2)); }},
    {"GlobalAvgPool1d", [](Builder<T>& to, const Config&) { to.add(std::make_unique<GlobalAvgPool<T>>(1)); }},
    {"GlobalAvgPool2d", [](Builder<T>& to, const Config&) { to.add(std::make_unique<GlobalAvgPool<T>>(2)); }},
    {"GlobalMaxPool1d", [](Builder<T>& to, const Config&) { to.add(std::make_unique<GlobalMaxPool<T>>()); }},
    {"AttentionPooling",
     [](Builder<T>& to, const Config& c) { to.add(std::make_unique<AttentionPooling<T>>(to.kernels(), c)); }},
    {"Embedding", [](Builder<T>& to, const Config& c) { to.add(std::make_unique<Embedding<T>>(to.kernels(), c)); }},
    {"RNN", [](Builder<T>& to,
               const Config& c) { add_recurrent(to, c.text("nonlinearity") == "relu" ? "rnn_relu" : "rnn_tanh", c); }},
    {"LSTM", [](Builder<T>& to, const Config& c) { add_recurrent(to, "lstm", c); }},
    {"GRU", [](Builder<T>& to, const Config& c) { add_recurrent(to, "gru", c); }},
    {"Residual", [](Builder<T>& to, const Config& c) { add_residual(to, c); }},
    {"Branches", [](Builder<T>& to, const Config& c) { add_branches(to, c); }},
};

// Layers that no other holds are numbered by their place, the others from here on: 14 bits are free for both. More would
// share random numbers.
constexpr Size kFirstInner = Size{1} << 13;

Size number_of(Size place, Size first, const std::string& path) {
  if (place >= kFirstInner)
    core::fail_value("[network] layer ", path, " is one too many: there may be ", kFirstInner,
                     " layers, and as many within others; give fewer");
  return first + place;
}

}  // namespace

template <class T>
void Builder<T>::add_layers(const std::vector<Config>& layers, const std::string& prefix) {
  const std::string path = path_, kind = kind_;
  ++depth_;
  for (Size i = 0; i < layers.size(); ++i) {
    const Size place = depth_ == 1 ? network_.numbering.layers + i : i;
    if (depth_ == 1) network_.begins.push_back({network_.nodes.size(), inner_});
    path_ = prefix + std::to_string(place);
    kind_ = layers[i].type();
    number_ = depth_ == 1 ? number_of(place, 0, path_) : number_of(inner_++, kFirstInner, path_);
    const Kind<T>& row = ops::find_named<Kind<T>>(kKinds<T>, "layer", kind_);
    try {
      row.add(*this, layers[i]);
    } catch (const std::bad_array_new_length&) {
      core::fail_value("layer ", path_, ": a ", kind_,
                       " of these sizes has more numbers than memory has addresses; give smaller ones");
    }
  }
  --depth_;
  path_ = path, kind_ = kind;
}

template <class T>
void Builder<T>::begin_inner() {
  number_ = number_of(inner_++, kFirstInner, path_);
}

template <class T>
void Builder<T>::add(std::unique_ptr<Layer<T>> layer) {
  append(std::move(layer), {network_.output}, 1).kind = kind_;
}

template <class T>
void Builder<T>::add_branches(const std::vector<Branch>& branches, std::unique_ptr<Layer<T>> join) {
  const std::string path = path_;
  const std::vector<Value> begins = append(std::make_unique<Fork<T>>(), {network_.output}, branches.size()).outputs;
  std::vector<Value> ends;
  for (Size i = 0; i < branches.size(); ++i) {
    const auto& [name, layers] = branches[i];
    network_.output = begins[i];
    add_layers(*layers, path + "." + name + ".");
    ends.push_back(network_.output);
  }
  path_ = path;
  append(std::move(join), ends, 1);
}

template <class T>
Node<T>& Builder<T>::append(std::unique_ptr<Layer<T>> layer, std::vector<Value> inputs, Size outputs) {
  Node<T>& node = network_.nodes.emplace_back(Node<T>{path_, "", number_, std::move(layer), std::move(inputs), {}, 0});
  while (node.outputs.size() < outputs) node.outputs.push_back(network_.values++);
  network_.output = node.outputs.front();
  return node;
}

template class Builder<float>;
template class Builder<double>;

}  // namespace nnext::nn
