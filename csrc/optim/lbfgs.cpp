#include "optim/lbfgs.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "optim/line_search.h"

namespace nnext::optim {
namespace {

constexpr double kLeastCurvature = 1e-10;

double dot(const Vector& a, const Vector& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

void add_scaled(double factor, const Vector& x, Vector& y) {
  for (Size i = 0; i < y.size(); ++i) y[i] += factor * x[i];
}

double largest(const Vector& x) {
  double most = 0;
  for (const double value : x) most = std::max(most, std::abs(value));
  return most;
}

double sum_of_sizes(const Vector& x) {
  double sum = 0;
  for (const double value : x) sum += std::abs(value);
  return sum;
}

// -H g by two loops over the changes. Without one, H is the identity.
Vector direction(const Vector& gradient, const std::vector<Change>& changes) {
  Vector d(gradient.size());
  std::transform(gradient.begin(), gradient.end(), d.begin(), std::negate<>());
  if (changes.empty()) return d;
  Vector alpha(changes.size()), rho(changes.size());
  for (Size i = changes.size(); i-- > 0;) {
    rho[i] = 1 / dot(changes[i].gradient, changes[i].weights);
    alpha[i] = dot(changes[i].weights, d) * rho[i];
    add_scaled(-alpha[i], changes[i].gradient, d);
  }
  const Vector& y = changes.back().gradient;
  const double scale = dot(y, changes.back().weights) / dot(y, y);
  for (double& value : d) value *= scale;
  for (Size i = 0; i < changes.size(); ++i)
    add_scaled(alpha[i] - dot(changes[i].gradient, d) * rho[i], changes[i].weights, d);
  return d;
}

Change between(const Point& from, const Point& to) {
  Change change{to.x, to.gradient};
  add_scaled(-1, from.x, change.weights);
  add_scaled(-1, from.gradient, change.gradient);
  return change;
}

}  // namespace

bool Change::curves() const { return dot(gradient, weights) > kLeastCurvature; }

bool Lbfgs::minimize(Point& at, std::vector<Change>& changes, const Objective& loss, const Enough& enough) const {
  const auto penalize = [&](Point& point) {
    point.loss += weight_decay / 2 * dot(point.x, point.x);
    add_scaled(weight_decay, point.x, point.gradient);
  };
  const auto objective = [&](Point& point) {
    if (!loss(point)) return false;
    penalize(point);
    return true;
  };
  Size evaluations = 1;
  if (at.x.empty()) return true;
  penalize(at);
  Point next;
  for (Size iteration = 1; largest(at.gradient) > tolerance_gradient; ++iteration) {
    const Vector d = direction(at.gradient, changes);
    const double slope = dot(at.gradient, d);
    if (slope > -tolerance_change) return true;
    double last = 0;  // where `next` is
    const Along along = [&](double t) -> std::optional<Trial> {
      next.x = at.x;
      add_scaled(t, d, next.x);
      last = t;
      if (!objective(next)) return {};
      return Trial{t, next.loss, dot(next.gradient, d)};
    };
    LineSearch search({0, at.loss, slope}, along, largest(d), tolerance_change);
    const std::optional<Trial> found =
        search.from(changes.empty() ? std::min(1.0, 1 / sum_of_sizes(at.gradient)) * lr : lr);
    if (!found) return false;
    if (found->t != last && !along(found->t)) return false;
    if (found->t == 0) return true;  // nothing lower was found
    evaluations += static_cast<Size>(search.evaluations());
    Change change = between(at, next);
    const double moved = largest(change.weights), gained = std::abs(next.loss - at.loss);
    if (change.curves()) {
      if (changes.size() == history) changes.erase(changes.begin());
      changes.push_back(std::move(change));
    }
    std::swap(at, next);
    if (iteration == max_iterations || evaluations >= max_evaluations || enough()) return true;
    if (moved <= tolerance_change || gained < tolerance_change) return true;
  }
  return true;
}

}  // namespace nnext::optim
