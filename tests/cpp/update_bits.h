// Every update rule on fixed numbers, for same_bits_check.cpp.
#pragma once

#include <algorithm>
#include <vector>

#include "kernels/kernel_table.h"

namespace nnext::testing {

// Calls add(name, kernel) for each rule, where kernel(n, w, g, first, second) changes w and what the rule remembers.
template <class T, class Add>
void run_update_rules(const kernels::UpdateKernels<T>& update, Add add) {
  const kernels::MomentsStep<T> moments{T(0.9), T(0.99), T(0.1), T(0.01), T(3), T(1e-8), T(0.01), T(1)};
  add("sgd", [&](auto n, auto* w, auto* g, auto* first, auto*) {
    kernels::SgdStep<T> step{.lr = T(0.1), .momentum = T(0.9), .weight_decay = T(0.01), .share = 1, .nesterov = false};
    update.sgd(n, step, w, g, nullptr);
    update.sgd(n, step, w, g, first);
    step.nesterov = true;
    update.sgd(n, step, w, g, first);
  });
  add("adam", [&](auto n, auto* w, auto* g, auto* first, auto* second) {
    update.adam(n, {moments, T(0.002)}, w, g, first, second, nullptr);
  });
  add("nadam", [&](auto n, auto* w, auto* g, auto* first, auto* second) {
    update.nadam(n, {moments, T(0.001), T(0.002)}, w, g, first, second);
  });
  add("adagrad", [&](auto n, auto* w, auto* g, auto* first, auto*) {
    update.adagrad(n, {T(0.1), T(1e-10), T(0.01)}, w, g, first);
  });
  add("dampened sgd", [&](auto n, auto* w, auto* g, auto* first, auto*) {
    update.sgd(n, {T(0.1), T(0.9), T(0.01), T(0.7), false}, w, g, first);
  });
  add("decoupled adam with the largest v", [&](auto n, auto* w, auto* g, auto* first, auto* second) {
    std::vector<T> largest(n, T(0.3));
    auto decoupled = moments;
    decoupled.weight_decay = 0, decoupled.keep = T(0.999);
    update.adam(n, {decoupled, T(0.002)}, w, g, first, second, largest.data());
  });
  add("rmsprop", [&](auto n, auto* w, auto* g, auto* first, auto* second) {
    std::vector<T> mean(n);
    update.rmsprop(n, {T(0.1), T(0.9), T(0.1), T(1e-8), T(0.5), T(0.01)}, w, g, first, second, mean.data());
  });
  add("adadelta", [&](auto n, auto* w, auto* g, auto* first, auto* second) {
    update.adadelta(n, {T(1), T(0.9), T(0.1), T(1e-6), T(0.01)}, w, g, first, second);
  });
  add("lion", [&](auto n, auto* w, auto* g, auto* first, auto*) {
    update.lion(n, {T(0.01), T(0.9), T(0.99), T(0.1), T(0.01), T(0.999)}, w, g, first);
  });
  add("rprop", [&](auto n, auto* w, auto* g, auto* first, auto* second) {
    update.rprop(n, {T(0.5), T(1.2), T(1e-6), T(50), T(0.01), T(0.01), false}, w, g, first, second);
  });
  add("clipped gradient with l1", [&](auto n, auto* w, auto* g, auto*, auto*) {
    std::vector<T> changed(g, g + n);
    update.prepare(n, T(0.5), T(0.01), w, changed.data());
    std::copy(changed.begin(), changed.end(), w);
  });
}

}  // namespace nnext::testing
