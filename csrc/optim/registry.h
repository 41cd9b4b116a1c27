// From the description of an optimizer to its rule: one row a kind in registry.cpp.
#pragma once

#include <memory>

#include "core/config.h"
#include "optim/optimizer.h"

namespace nnext::optim {

// Throws std::invalid_argument where it is not known. The learning rate is not part of the rule: each step is told.
template <class T>
std::unique_ptr<Optimizer<T>> make_optimizer(const core::Config& config);

}  // namespace nnext::optim
