// L-BFGS: steps along the gradient times an approximation of the inverse Hessian, which is told from the last changes of
// weights and gradient. Liu and Nocedal, Mathematical Programming 45 (1989); Nocedal and Wright, algorithm 7.4. As
// torch.optim.LBFGS with line_search_fn="strong_wolfe" does it.
//
// Works on all numbers at once, as one vector in double, in an order that no instruction set changes.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "core/size.h"

namespace nnext::optim {

using core::Size;
using Vector = std::vector<double>;

// Where the loss has been told, with its gradient.
struct Point {
  Vector x, gradient;
  double loss = 0;
};
// Whether the next iteration is to be left out.
using Enough = std::function<bool()>;
// Tells loss and gradient at x, which it may round. False where the host asks to stop.
using Objective = std::function<bool(Point&)>;

// How a step changed weights and gradient, s and y.
struct Change {
  Vector weights, gradient;
  bool curves() const;  // y^T s > 0, which keeps the Hessian positive
};

struct Lbfgs {
  Size max_iterations, max_evaluations;
  double tolerance_gradient, tolerance_change;
  Size history;
  double lr = 1;            // how far along a direction the search begins
  double weight_decay = 0;  // what is minimized is the loss and weight_decay / 2 times the sum of x^2

  // Goes from `at`, where the loss is known, to where it is less. `changes` are the last ones, oldest first, and go on.
  // The last look is at where it has come to. False where the host asks to stop: then `at` and `changes` mean nothing.
  bool minimize(Point& at, std::vector<Change>& changes, const Objective& loss, const Enough& enough) const;
};

}  // namespace nnext::optim
