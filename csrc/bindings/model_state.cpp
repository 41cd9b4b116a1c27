// Model's tensors and the state of its training, in and out.
#include <pybind11/stl.h>

#include "bindings/interrupt.h"
#include "bindings/model.h"
#include "bindings/state_arrays.h"
#include "core/errors.h"

namespace nnext::bindings {

template <class T>
std::vector<TensorInfo> tensor_table(const nn::Section<T>& section) {
  std::vector<TensorInfo> all;
  section.for_parameters([&](const nn::Node<T>& node, const nn::Parameter<T>& parameter, Size) {
    const char* role = parameter.role == nn::Role::buffer ? "buffer" : "parameter";
    all.emplace_back(node.path + "." + parameter.name, parameter.shape, role);
  });
  return all;
}

template <class T>
const nn::Parameter<T>& Model<T>::parameter(Size index) const {
  return trainer_.section().parameter(index);
}

template <class T>
py::array_t<T> Model<T>::checked(Size index, const py::handle& values, const char* operation) const {
  const nn::Parameter<T>& wanted = parameter(index);
  const Argument argument{operation, wanted.name.c_str()};
  const py::array numbers = as_numbers(values, argument);
  const std::vector<Size> shape(numbers.shape(), numbers.shape() + numbers.ndim());
  if (shape != wanted.shape)
    core::fail_value("[", operation, "] ", wanted.name, " has shape ", shape_text(numbers), " but the model's is ",
                     shape_text(py::array_t<T>(wanted.shape)), "; give arrays of the model's shapes");
  return as_contiguous<T>(numbers, argument);
}

template <class T>
py::list Model<T>::get_tensors() const {
  return shown_arrays(trainer_);
}

template <class T>
void Model<T>::set_tensors(const py::dict& values) {
  std::vector<py::array_t<T>> keep;
  std::vector<train::GivenNumbers<T>> given;
  for (const auto& [key, array] : values) {
    const auto index = py::cast<Size>(key);
    keep.push_back(checked(index, array, "load_state_dict"));
    given.push_back({index, keep.back().data()});
  }
  interruptible([&](runtime::Cancel& cancel) { trainer_.set_parameters(given, {}, cancel); });
}

template <class T>
py::tuple Model<T>::get_weights() const {
  const StateArrays<T> arrays(trainer_, StateArrays<T>::Of::numbers);
  return py::make_tuple(arrays.tensors(), arrays.averages());
}

template <class T>
void Model<T>::set_weights(const py::list& tensors, const py::list& averages) {
  Arrays keep;
  train::GivenState<T> given;
  give(tensors, averages, given, keep);
  interruptible([&](runtime::Cancel& cancel) { trainer_.set_parameters(given.parameters, given.averages, cancel); });
}

template <class T>
void Model<T>::give(const py::list& tensors, const py::list& averages, train::GivenState<T>& to, Arrays& keep) const {
  const Size count = trainer_.section().parameters();
  if (tensors.size() != count || (!averages.empty() && averages.size() != count))
    core::fail_value("[load] there are ", tensors.size(), " tensors and ", averages.size(),
                     " averages, but the model has ", count, "; give all of each, or no averages");
  if (!averages.empty() && !compiled().averages)
    core::fail_value("[load] there are averages, but the model is compiled without ema; compile with it");
  const auto add = [&](std::vector<train::GivenNumbers<T>>& numbers, Size i, const py::handle& array) {
    keep.push_back(checked(i, array, "load"));
    numbers.push_back({i, keep.back().data()});
  };
  for (Size i = 0; i < count; ++i) add(to.parameters, i, tensors[i]);
  for (Size i = 0; i < averages.size(); ++i)
    if (parameter(i).role == nn::Role::parameter) add(to.averages, i, averages[i]);
}

template <class T>
py::list Model<T>::get_gradients() {
  return gradient_arrays(trainer_);
}

namespace {

std::tuple<double, std::uint64_t, std::uint64_t> as_tuple(const train::Position& position) {
  return {position.epochs, position.step, position.steps};
}

}  // namespace

template <class T>
py::tuple Model<T>::get_state() const {
  const StateArrays<T> arrays(trainer_, StateArrays<T>::Of::everything);
  Progress progress;
  for (const optim::Progress& of : arrays.progress()) progress.emplace_back(of.steps, of.product);
  return py::make_tuple(arrays.tensors(), arrays.averages(), arrays.sums(), progress,
                        std::tuple(arrays.counters().step, arrays.counters().epoch), as_tuple(arrays.position()),
                        arrays.frozen(), arrays.compilation());
}

template <class T>
void Model<T>::set_state(const py::list& tensors, const py::list& averages, const py::list& optimizer_state,
                         const Progress& progress, const Counters& counters, const Position& position) {
  const Size count = trainer_.section().parameters();
  if (optimizer_state.size() != count || progress.size() != count)
    core::fail_value("[load] there are ", optimizer_state.size(), " tensors with state and ", progress.size(),
                     " with progress, but the model has ", count, "; give all of each");
  Arrays keep;
  train::GivenState<T> given;
  give(tensors, averages, given, keep);
  given.optimizer.resize(optimizer_states().size());
  for (Size i = 0; i < count; ++i) {
    const auto states = optimizer_state[i].template cast<py::list>();
    const Size wanted = parameter(i).role == nn::Role::buffer ? 0 : given.optimizer.size();
    if (states.size() != wanted)
      core::fail_value("[load] ", parameter(i).name, " has ", states.size(),
                       " arrays of the optimizer's state but needs ", wanted,
                       "; compile with the optimizer that they come from");
    for (Size s = 0; s < wanted; ++s) {
      keep.push_back(checked(i, states[s], "load"));
      given.optimizer[s].push_back({i, keep.back().data()});
    }
    given.progress.push_back({std::get<0>(progress[i]), std::get<1>(progress[i])});
  }
  given.counters = {std::get<0>(counters), std::get<1>(counters)};
  given.position = {std::get<0>(position), std::get<1>(position), std::get<2>(position)};
  interruptible([&](runtime::Cancel& cancel) { trainer_.set_state(given, cancel); });
}

template <class T>
std::tuple<std::uint64_t, std::uint64_t, std::uint64_t> Model<T>::get_counters() const {
  train::Counters counters;
  std::uint64_t most = 0;
  interruptible([&](runtime::Cancel&) { std::tie(counters, most) = trainer_.counters(); });
  return {counters.step, counters.epoch, most};
}

template <class T>
void Model<T>::set_counters(const Counters& counters) {
  interruptible(
      [&](runtime::Cancel& cancel) { trainer_.set_counters({std::get<0>(counters), std::get<1>(counters)}, cancel); });
}

template <class T>
typename Model<T>::Position Model<T>::get_position() const {
  train::Position position;
  interruptible([&](runtime::Cancel&) { position = trainer_.position(); });
  return as_tuple(position);
}

template <class T>
std::vector<std::string> Model<T>::optimizer_states() const {
  return compiled().states;
}

template <class T>
std::string Model<T>::product_name() const {
  return compiled().product;
}

template <class T>
typename train::Trainer<T>::Compiled Model<T>::compiled() const {
  typename train::Trainer<T>::Compiled found;
  interruptible([&](runtime::Cancel&) { found = trainer_.compiled(); });
  return found;
}

template <class T>
std::vector<std::string> Model<T>::frozen() const {
  std::vector<std::string> paths;
  interruptible([&](runtime::Cancel&) { paths = trainer_.frozen(); });
  return paths;
}

template std::vector<TensorInfo> tensor_table(const nn::Section<float>&);
template std::vector<TensorInfo> tensor_table(const nn::Section<double>&);
template class Model<float>;
template class Model<double>;

}  // namespace nnext::bindings
