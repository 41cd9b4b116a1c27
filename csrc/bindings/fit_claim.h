// What keeps other fits away from a network while one lasts, which is many calls with Python in between. As it is entered
// and left in C++, a signal handler or a lack of memory finds it entered and known to `with`, or neither.
#pragma once

#include <atomic>
#include <utility>

#include "bindings/model.h"

namespace nnext::bindings {

template <class T>
class FitClaim {
 public:
  // Where it `keeps` them, the plan, the memory and the copies of the fit are there for the next one.
  FitClaim(py::object network, bool keeps)
      : network_(std::move(network)), model_(network_.cast<Model<T>&>()), keeps_(keeps) {}
  ~FitClaim() { leave(); }
  FitClaim(const FitClaim&) = delete;
  FitClaim& operator=(const FitClaim&) = delete;

  // Throws std::runtime_error while another one is entered.
  void enter() {
    static std::atomic<std::uint64_t> last{0};
    const std::uint64_t id = ++last;
    model_.begin_fit(id);
    id_ = id;
  }
  void leave() {
    if (id_ != 0) model_.end_fit(std::exchange(id_, 0), keeps_);
  }

 private:
  py::object network_;
  Model<T>& model_;
  bool keeps_;
  std::uint64_t id_ = 0;  // 0: not entered
};

}  // namespace nnext::bindings
