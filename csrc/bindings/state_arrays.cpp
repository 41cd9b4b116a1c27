#include "bindings/state_arrays.h"

#include "bindings/interrupt.h"
#include "core/errors.h"

namespace nnext::bindings {
namespace {

using core::Size;

// Has the system give an array its memory now: that takes longer than the copy, during which nobody trains. `n` numbers.
template <class T>
void touch(T* numbers, Size n, runtime::Cancel& cancel) {
  constexpr Size page = 4096 / sizeof(T), often = 256;  // pages: 1 MiB
  for (Size i = 0; i * page < n && (i % often != 0 || !cancel.poll()); ++i)
    static_cast<volatile T*>(numbers)[i * page] = 0;
}

template <class T>
void touch(py::array_t<T>& array, runtime::Cancel& cancel) {
  touch(array.mutable_data(), static_cast<Size>(array.size()), cancel);
}

// Copies numbers that are stored like parameter `index`, unless the host asks to stop: then nobody gets the copies. No
// Python object is created or counted: the lock is free.
template <class T>
void copy(const nn::Section<T>& section, Size index, const T* stored, py::array_t<T>& to, runtime::Cancel& cancel) {
  if (cancel.poll()) return;
  const nn::Node<T>& node = section.owner(index);
  node.layer->to_logical(index - section.index(node, 0), stored, to.mutable_data(), &cancel);
}

}  // namespace

template <class T>
StateArrays<T>::StateArrays(const train::Trainer<T>& trainer, Of of) : of_(of) {
  Counts made, found;
  interruptible([&](runtime::Cancel&) { trainer.look([&](const auto& training) { found = count(training); }); });
  do {
    made = found;
    make(trainer.section(), made);
    interruptible([&](runtime::Cancel& cancel) {
      for_arrays([&](py::array_t<T>& array) { touch(array, cancel); });
      trainer.look([&](const train::Training<T>& training) {
        found = count(training);
        if (found == made) fill(training, cancel);
      });
    });
  } while (found != made);
}

template <class T>
typename StateArrays<T>::Counts StateArrays<T>::count(const train::Training<T>& training) const {
  const bool optimizes = of_ == Of::everything && training.optimizer != nullptr;
  return {training.averages != nullptr && training.averages->begun(),
          optimizes ? training.optimizer->states().size() : 0};
}

template <class T>
void StateArrays<T>::make(const nn::Section<T>& section, const Counts& counts) {
  tensors_.clear(), averages_.clear(), sums_.clear();
  section.for_parameters([&](const nn::Node<T>&, const nn::Parameter<T>& parameter, Size) {
    const bool changes = parameter.role == nn::Role::parameter;
    const auto made = [&](bool wanted) { return wanted ? Array(std::in_place, parameter.shape) : std::nullopt; };
    tensors_.push_back(made(true));
    if (counts.averages) averages_.push_back(made(changes));
    Arrays& sums = sums_.emplace_back();
    for (Size s = 0; changes && s < counts.sums; ++s) sums.push_back(made(true));
  });
}

template <class T>
template <class F>
void StateArrays<T>::for_arrays(F f) {
  const auto all = [&](Arrays& arrays) {
    for (Array& array : arrays)
      if (array) f(*array);
  };
  all(tensors_), all(averages_);
  for (Arrays& sums : sums_) all(sums);
}

template <class T>
void StateArrays<T>::fill(const train::Training<T>& training, runtime::Cancel& cancel) {
  const nn::Section<T>& section = training.section;
  for (Size i = 0; i < tensors_.size(); ++i) {
    const auto fill_from = [&](const core::Buffer<T>& stored, Array& array) {
      copy(section, i, stored.data(), *array, cancel);
    };
    fill_from(section.parameter(i).values, tensors_[i]);
    if (!averages_.empty() && averages_[i]) fill_from(training.averages->section().parameter(i).values, averages_[i]);
    for (Size s = 0; s < sums_[i].size(); ++s) fill_from(training.optimizer_state[i][s], sums_[i][s]);
  }
  progress_ = training.progress(), counters_ = training.counters, position_ = training.position;
  frozen_ = section.frozen(), compilation_ = training.compilation.load();
}

template <class T>
py::list StateArrays<T>::as_list(const Arrays& arrays) {
  py::list list;
  for (const Array& array : arrays) list.append(array ? py::object(*array) : py::none());
  return list;
}

template <class T>
py::list StateArrays<T>::sums() const {
  py::list list;
  for (const Arrays& sums : sums_) list.append(as_list(sums));
  return list;
}

namespace {

// Arrays for all tensors of a section; fill(arrays, cancel) is called without the lock.
template <class T, class F>
py::list filled(const nn::Section<T>& section, F fill) {
  std::vector<py::array_t<T>> arrays;
  section.for_parameters(
      [&](const nn::Node<T>&, const nn::Parameter<T>& parameter, Size) { arrays.emplace_back(parameter.shape); });
  interruptible([&](runtime::Cancel& cancel) {
    for (py::array_t<T>& array : arrays) touch(array, cancel);
    fill(arrays, cancel);
  });
  py::list list;
  for (const py::array_t<T>& array : arrays) list.append(array);
  return list;
}

}  // namespace

template <class T>
py::list shown_arrays(const train::Trainer<T>& trainer) {
  return filled(trainer.section(), [&](std::vector<py::array_t<T>>& arrays, runtime::Cancel& cancel) {
    trainer.look([&](const train::Training<T>& training) {
      const nn::Section<T>& shown = training.shown();
      for (Size i = 0; i < arrays.size(); ++i) copy(shown, i, shown.parameter(i).values.data(), arrays[i], cancel);
    });
  });
}

template <class T>
py::list gradient_arrays(train::Trainer<T>& trainer) {
  return filled(trainer.section(), [&](std::vector<py::array_t<T>>& arrays, runtime::Cancel& cancel) {
    trainer.with_own_loop("grads", cancel, [&](train::OwnLoop<T>& loop) {
      if (!loop.has_gradients())
        throw std::runtime_error(core::message("[grads] there are no gradients", loop.why(),
                                               "; call backward(dY) or loss_and_grads(X, y) first"));
      for (Size i = 0; i < arrays.size(); ++i)
        copy(trainer.section(), i, loop.gradients()[i].data(), arrays[i], cancel);
    });
  });
}

template class StateArrays<float>;
template class StateArrays<double>;
template py::list shown_arrays(const train::Trainer<float>&);
template py::list shown_arrays(const train::Trainer<double>&);
template py::list gradient_arrays(train::Trainer<float>&);
template py::list gradient_arrays(train::Trainer<double>&);

}  // namespace nnext::bindings
