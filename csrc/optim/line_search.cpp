#include "optim/line_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace nnext::optim {
namespace {

// Where the cubic through both points, with their slopes, is least: equation 3.59. In the middle of [from, to] where it
// has no such place, as when a loss is not finite.
double least_of_cubic(Trial a, Trial b, double from, double to) {
  if (a.t > b.t) std::swap(a, b);
  const double d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t);
  const double square = d1 * d1 - a.slope * b.slope;
  if (!(square >= 0 && std::isfinite(square))) return (from + to) / 2;
  const double d2 = std::sqrt(square);
  return std::clamp(b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2)), from, to);
}

}  // namespace

// A loss that is NaN or infinite is a wall: too far.
std::optional<Trial> LineSearch::evaluate(double t) {
  std::optional<Trial> at = along_(t);
  ++evaluations_;
  if (at && (!std::isfinite(at->loss) || !std::isfinite(at->slope))) at->loss = std::numeric_limits<double>::infinity();
  return at;
}

bool LineSearch::is_flat(const Trial& at) const { return std::abs(at.slope) <= -kFlatness * start_.slope; }

std::optional<Trial> LineSearch::from(double t) {
  const std::optional<Trial> first = evaluate(t);
  if (!first || !find_bracket(*first)) return {};
  if (low_.loss > high_.loss) std::swap(low_, high_);
  while (!found_ && rounds_ < kMaxRounds && std::abs(high_.t - low_.t) * longest_ >= tolerance_)
    if (!narrow()) return {};
  return low_;
}

// Goes on and on until the loss has risen or the slope has turned. False where the host asks to stop.
bool LineSearch::find_bracket(Trial at) {
  for (low_ = start_; rounds_ < kMaxRounds; ++rounds_) {
    high_ = at;
    if (!decreases(at) || (rounds_ > 1 && at.loss >= low_.loss)) return true;
    found_ = is_flat(at);
    if (found_) low_ = at;
    if (found_ || at.slope >= 0) return true;
    const double next = least_of_cubic(low_, at, at.t + 0.01 * (at.t - low_.t), 10 * at.t);
    low_ = at;
    const std::optional<Trial> further = evaluate(next);
    if (!further) return false;
    at = *further;
  }
  low_ = start_, high_ = at;
  return true;
}

// The next point to try: not twice near an end.
double LineSearch::place_within() {
  const double left = std::min(low_.t, high_.t), right = std::max(low_.t, high_.t), edge = 0.1 * (right - left);
  double t = least_of_cubic(low_, high_, left, right);
  const bool near = std::min(right - t, t - left) < edge;
  if (near && (!progresses_ || t >= right || t <= left)) {
    t = std::abs(t - right) < std::abs(t - left) ? right - edge : left + edge;
    progresses_ = true;
  } else {
    progresses_ = !near;
  }
  return t;
}

// Puts a point from within in the place of an end. False where the host asks to stop.
bool LineSearch::narrow() {
  const std::optional<Trial> at = evaluate(place_within());
  ++rounds_;
  if (!at) return false;
  if (!decreases(*at) || at->loss >= low_.loss) {
    high_ = *at;
    if (low_.loss > high_.loss) std::swap(low_, high_);
    return true;
  }
  found_ = is_flat(*at);
  if (!found_ && at->slope * (high_.t - low_.t) >= 0) high_ = low_;
  low_ = *at;
  return true;
}

}  // namespace nnext::optim
