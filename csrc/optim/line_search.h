// Searches along a direction for a point at which the loss has become enough less, and flat enough: the strong Wolfe
// conditions. Nocedal and Wright, Numerical Optimization (2006), algorithms 3.5 and 3.6; limits, and what keeps a search
// from standing still, are those of torch.optim.LBFGS, so that both take the same steps.
#pragma once

#include <array>
#include <functional>
#include <optional>

namespace nnext::optim {

// A point at `t` times the direction: the loss there, and its derivative by t.
struct Trial {
  double t, loss, slope;
};
// The loss at a point; nothing where the host asks to stop.
using Along = std::function<std::optional<Trial>(double t)>;

class LineSearch {
 public:
  // `start` is the point at 0, whose slope is negative. Points closer than `tolerance` are taken for the same, where
  // `longest` is the direction's largest element.
  LineSearch(const Trial& start, const Along& along, double longest, double tolerance)
      : start_(start), along_(along), longest_(longest), tolerance_(tolerance) {}
  // The best point found, which begins with one at t.
  std::optional<Trial> from(double t);
  int evaluations() const { return evaluations_; }

 private:
  static constexpr double kDecrease = 1e-4, kFlatness = 0.9;  // of the two conditions
  static constexpr int kMaxRounds = 25;

  std::optional<Trial> evaluate(double t);
  bool decreases(const Trial& at) const { return at.loss <= start_.loss + kDecrease * at.t * start_.slope; }
  bool is_flat(const Trial& at) const;
  bool find_bracket(Trial at);
  bool narrow();
  double place_within();

  Trial start_;
  const Along& along_;
  double longest_, tolerance_;
  Trial low_{}, high_{};    // between them lies a point that is wanted; low has the lesser loss of both
  bool found_ = false;      // low is such a point
  bool progresses_ = true;  // the last point within was not near an end
  int rounds_ = 0, evaluations_ = 0;
};

}  // namespace nnext::optim
