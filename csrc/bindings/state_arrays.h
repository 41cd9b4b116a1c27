// All numbers of a training as NumPy arrays, of one moment. They are made beforehand, with Python's lock, and filled
// inside the gate without it: that is the only copy, so a file of them takes no memory but its own size.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bindings/arrays.h"
#include "runtime/cancel.h"
#include "train/trainer.h"

namespace nnext::bindings {

template <class T>
class StateArrays {
 public:
  enum class Of { numbers, everything };  // parameters and averages, or what the optimizer keeps as well

  // Waits for a step at most; throws when the host asks to stop.
  StateArrays(const train::Trainer<T>& trainer, Of of);

  py::list tensors() const { return as_list(tensors_); }
  py::list averages() const { return as_list(averages_); }  // None for buffers; empty where there are none
  py::list sums() const;                                    // [tensor][state]
  const std::vector<optim::Progress>& progress() const { return progress_; }
  const train::Counters& counters() const { return counters_; }
  const train::Position& position() const { return position_; }
  const std::vector<std::string>& frozen() const { return frozen_; }
  std::uint64_t compilation() const { return compilation_; }

 private:
  using Array = std::optional<py::array_t<T>>;
  using Arrays = std::vector<Array>;
  static py::list as_list(const Arrays& arrays);

  // What decides how many arrays there are. Between two looks another thread may compile, or make a first step.
  struct Counts {
    bool averages = false;
    core::Size sums = 0;  // of a parameter
    bool operator==(const Counts&) const = default;
  };
  Counts count(const train::Training<T>& training) const;
  void make(const nn::Section<T>& section, const Counts& counts);
  template <class F>
  void for_arrays(F f);
  void fill(const train::Training<T>& training, runtime::Cancel& cancel);

  const Of of_;
  Arrays tensors_, averages_;
  std::vector<Arrays> sums_;  // [tensor][state]; none of buffers
  std::vector<optim::Progress> progress_;
  train::Counters counters_;
  train::Position position_;
  std::vector<std::string> frozen_;  // paths of layers
  std::uint64_t compilation_ = 0;    // the number of what was compiled
};

// The numbers that predict, averages in place of parameters if there are some: likewise.
template <class T>
py::list shown_arrays(const train::Trainer<T>& trainer);
// The gradients of the last backward pass in a loop of one's own: likewise. Throws std::runtime_error where there are none.
template <class T>
py::list gradient_arrays(train::Trainer<T>& trainer);

}  // namespace nnext::bindings
