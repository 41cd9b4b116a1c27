// Layers, losses and optimizers as Python describes them to the core.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "core/config.h"

namespace nnext::testing {

using core::Config;
using core::Size;

using Field = std::pair<const char*, Config::Value>;

inline Config describe(const char* type, std::initializer_list<Field> fields = {}) {
  Config config;
  config.set("type", std::string(type));
  for (const Field& field : fields) config.set(field.first, field.second);
  return config;
}

inline std::int64_t whole(Size n) { return static_cast<std::int64_t>(n); }

// ---- layers ---------------------------------------------------------------------------------------------------------

inline Config linear(Size in, Size out, bool bias = true) {
  const std::vector<Config> init{describe("fan_in_uniform")};
  return describe("Linear", {{"in_features", whole(in)},
                             {"out_features", whole(out)},
                             {"bias", bias},
                             {"weight_init", init},
                             {"bias_init", init}});
}
inline Config relu() { return describe("ReLU"); }
inline Config tanh() { return describe("Tanh"); }
inline Config gelu() { return describe("GELU", {{"approximate", std::string("none")}}); }
inline Config dropout(double p) { return describe("Dropout", {{"p", p}}); }
inline Config batch_norm(Size features) {
  return describe("BatchNorm1d",
                  {{"num_features", whole(features)}, {"eps", 1e-5}, {"momentum", 0.1}, {"affine", true}});
}
inline Config residual(std::vector<Config> body, std::vector<Config> shortcut = {}) {
  return describe("Residual", {{"body", std::move(body)}, {"shortcut", std::move(shortcut)}});
}

// ---- losses and optimizers ------------------------------------------------------------------------------------------

inline Config mse() { return describe("mse", {{"with_last_layer", false}}); }
inline Config huber(double delta) { return describe("huber", {{"with_last_layer", false}, {"delta", delta}}); }
inline Config cross_entropy() { return describe("cross_entropy", {{"with_last_layer", false}}); }

inline Config sgd(double momentum = 0) {
  return describe("SGD", {{"lr", 1e-3},
                          {"momentum", momentum},
                          {"dampening", 0.0},
                          {"nesterov", false},
                          {"weight_decay", 0.0},
                          {"l1", 0.0}});
}
inline Config adam(const char* type = "Adam") {
  return describe(type, {{"lr", 1e-3},
                         {"betas", std::vector<double>{0.9, 0.999}},
                         {"eps", 1e-8},
                         {"amsgrad", false},
                         {"decoupled_weight_decay", false},
                         {"weight_decay", 0.0},
                         {"l1", 0.0},
                         {"momentum_decay", 0.004}});
}

}  // namespace nnext::testing
