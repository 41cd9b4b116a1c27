#include "nn/registry.h"

#include "core/errors.h"
#include "nn/layers/activation.h"
#include "nn/layers/batch_norm.h"
#include "nn/layers/branches.h"
#include "nn/layers/dropout.h"
#include "nn/layers/flatten.h"
#include "nn/layers/linear.h"
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

// An activation by its name among the kernels; `argument` names the field that is its argument.
template <class T>
void add_activation(Builder<T>& to, const char* name, double argument = 0) {
  to.add(std::make_unique<Activation<T>>(ops::find_activation(to.kernels(), name), argument));
}

// A row a kind.
template <class T>
inline constexpr Kind<T> kKinds[] = {
    {"Linear", [](Builder<T>& to, const Config& c) { to.add(std::make_unique<Linear<T>>(to.kernels(), c)); }},
    {"Identity", [](Builder<T>& to, const Config&) { add_activation(to, "identity"); }},
    {"ReLU", [](Builder<T>& to, const Config&) { add_activation(to, "relu"); }},
    {"LeakyReLU",
     [](Builder<T>& to, const Config& c) { add_activation(to, "leaky_relu", c.number("negative_slope")); }},
    {"Tanh", [](Builder<T>& to, const Config&) { add_activation(to, "tanh"); }},
    {"Sigmoid", [](Builder<T>& to, const Config&) { add_activation(to, "sigmoid"); }},
    {"GELU", [](Builder<T>& to,
                const Config& c) { add_activation(to, c.text("approximate") == "tanh" ? "gelu_tanh" : "gelu"); }},
    {"Softmax", [](Builder<T>& to, const Config&) { to.add(std::make_unique<Softmax<T>>()); }},
    {"Dropout",
     [](Builder<T>& to, const Config& c) { to.add(std::make_unique<Dropout<T>>(c.number("p"), to.number())); }},
    {"Flatten", [](Builder<T>& to, const Config&) { to.add(std::make_unique<Flatten<T>>()); }},
    {"BatchNorm1d", [](Builder<T>& to, const Config& c) { to.add(std::make_unique<BatchNorm1d<T>>(c)); }},
    {"Residual", [](Builder<T>& to, const Config& c) { to.add_residual(c.list("body"), c.list("shortcut")); }},
};

// Layers that no other holds are numbered by their place, the others from here on: 14 bits are free for both.
constexpr Size kFirstInner = Size{1} << 13;

}  // namespace

template <class T>
void Builder<T>::add_layers(const std::vector<Config>& layers, const std::string& prefix) {
  const std::string path = path_, kind = kind_;
  ++depth_;
  for (Size i = 0; i < layers.size(); ++i) {
    path_ = prefix + std::to_string(i);
    kind_ = layers[i].type();
    number_ = depth_ == 1 ? i : kFirstInner + inner_++;
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
void Builder<T>::add(std::unique_ptr<Layer<T>> layer) {
  append(std::move(layer), {network_.output}, 1).kind = kind_;
}

template <class T>
void Builder<T>::add_residual(const std::vector<Config>& body, const std::vector<Config>& shortcut) {
  const std::string path = path_;
  const std::vector<Value> branches = append(std::make_unique<Fork<T>>(), {network_.output}, 2).outputs;
  std::vector<Value> ends;
  for (const auto& [name, layers, begin] :
       {std::tuple(".body.", &body, branches[0]), std::tuple(".shortcut.", &shortcut, branches[1])}) {
    network_.output = begin;
    add_layers(*layers, path + name);
    ends.push_back(network_.output);
  }
  path_ = path;
  append(std::make_unique<Add<T>>(), ends, 1);
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
