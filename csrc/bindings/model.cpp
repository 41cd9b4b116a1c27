#include "bindings/model.h"

#include <pybind11/stl.h>

#include <map>
#include <optional>

#include "bindings/config.h"
#include "bindings/interrupt.h"
#include "bindings/settings.h"
#include "core/errors.h"
#include "kernels/dispatch.h"
#include "train/output_rows.h"

namespace nnext::bindings {

template <class T>
typename Model<T>::Holder Model<T>::make(std::uint64_t seed, const py::sequence& layers, const Sizes& input_shape,
                                         bool draws, const Numbering& numbering) {
  const std::vector<core::Config> configs = as_configs(layers);
  Holder made;
  interruptible([&](runtime::Cancel& cancel) {
    const nn::Numbering from{std::get<0>(numbering), std::get<1>(numbering)};
    made.reset(new Model(seed, configs, input_shape, draws, from, cancel));
  });
  return made;
}

template <class T>
typename Model<T>::Holder Model<T>::slice(Size first, Size last) {
  Holder made;
  interruptible([&](runtime::Cancel&) { made.reset(new Model(trainer_, first, last)); });
  return made;
}

template <class T>
typename Model<T>::Numbering Model<T>::numbering() const {
  const nn::Numbering numbering = trainer_.section().numbering();
  return {numbering.layers, numbering.inner};
}

// ---- shapes ---------------------------------------------------------------------------------------------------------

template <class T>
std::optional<std::vector<Size>> Model<T>::input_shape() const {
  const std::optional<core::Shape>& input = trainer_.section().input();
  return input ? std::optional(input->extents()) : std::nullopt;
}

template <class T>
core::Shape Model<T>::read(const Sizes& input_shape) const {
  const std::optional<core::Shape> shape = trainer_.section().read(input_shape);
  if (!shape)
    core::fail_value("[network] samples have ", input_shape.size(), " axes, which the first layer does not take");
  return *shape;
}

template <class T>
typename Model<T>::Output Model<T>::output(const Sizes& input_shape) const {
  const core::Shape shape = trainer_.section().out_shape(read(input_shape));
  return {shape.extents(), shape.channels_first ? 0 : shape.axes};
}

template <class T>
std::optional<std::vector<Size>> Model<T>::output_lengths(const Sizes& input_shape,
                                                          const std::vector<Size>& lengths) const {
  return lengths_behind(read(input_shape), lengths);
}

template <class T>
std::optional<std::vector<Size>> Model<T>::lengths_behind(const core::Shape& shape,
                                                          const std::vector<Size>& lengths) const {
  std::map<Size, Size> known;
  std::vector<Size> found;
  for (const Size length : lengths) {
    if (!known.contains(length)) {
      const std::optional<Size> out = trainer_.section().out_length(shape, length);
      if (!out) return std::nullopt;
      known[length] = *out;
    }
    found.push_back(known[length]);
  }
  return found;
}

// Of each row; empty where all places count.
template <class T>
std::vector<Size> Model<T>::output_ends(const data::Source<T>& x) const {
  if (!x.has_lengths()) return {};
  std::vector<Size> lengths(x.rows);
  for (Size i = 0; i < x.rows; ++i) lengths[i] = x.length(i);
  return lengths_behind(x.shape, lengths).value_or(std::vector<Size>{});
}

template <class T>
std::vector<typename Model<T>::LayerInfo> Model<T>::layers(const Sizes& input_shape) const {
  const nn::Section<T>& section = trainer_.section();
  const std::vector<core::Shape> shapes = section.shapes(read(input_shape));
  std::vector<LayerInfo> all;
  for (const nn::Node<T>& node : section.nodes()) {
    const core::Shape& out = shapes[node.outputs.front()];
    const nn::Room room = node.layer->room(shapes[node.inputs.front()], 1, false);
    const bool computes = !node.layer->traits(shapes[node.inputs.front()], false).forward_identity;
    all.emplace_back(node.path, out.extents(), computes ? room.flops : 0, computes ? out.numbers() * sizeof(T) : 0);
  }
  return all;
}

// ---- settings -------------------------------------------------------------------------------------------------------

template <class T>
void Model<T>::compile(const py::object& loss, const py::dict& optimizer, const std::string& precision,
                       const train::StepSettings& settings, std::uint64_t number) {
  std::optional<core::Config> loss_config;
  if (!loss.is_none()) loss_config = as_config(loss.cast<py::dict>());
  const core::Config optimizer_config = as_config(optimizer);
  interruptible([&](runtime::Cancel& cancel) {
    trainer_.compile(loss_config ? &*loss_config : nullptr, optimizer_config, precision, settings, cancel, number);
  });
}

template <class T>
void Model<T>::set_trainable(const std::vector<std::string>& paths, bool trainable) {
  interruptible([&](runtime::Cancel& cancel) { trainer_.set_trainable(paths, trainable, cancel); });
}

// ---- samples and fit ------------------------------------------------------------------------------------------------

// At least one row, and no more than can be shuffled.
template <class T>
Rows<T> Model<T>::some_rows(const py::object& x, const py::object& scale, const Argument& argument) const {
  const RowsWanted<T> wanted{.section = &trainer_.section(), .max_rows = train::kMaxSamples, .scale = scale};
  Rows<T> rows = as_rows<T>(x, wanted, argument);
  if (rows.source().rows == 0) fail(argument, "has 0 rows; give at least one sample");
  return rows;
}

template <class T>
std::unique_ptr<SampleArrays<T>> Model<T>::samples(const py::object& x, const py::object& y,
                                                   const py::object& sample_weight, const std::string& operation,
                                                   const py::object& scale, const py::object& rows) const {
  const char* op = operation.c_str();
  auto made = std::make_unique<SampleArrays<T>>();
  SampleArrays<T>& samples = *made;
  Argument argument{op, "X", kEncode};
  if (!rows.is_none()) {
    samples.chosen = py::array_t<std::uint32_t, py::array::c_style | py::array::forcecast>(rows);
    argument.rows = {samples.chosen.data(), static_cast<Size>(samples.chosen.size())};
  }
  samples.x = some_rows(x, scale, argument);
  samples.output = trainer_.section().out_shape(samples.x.source().shape);
  samples.counted = samples.rows();
  if (samples.x.source().has_lengths())
    interruptible([&](runtime::Cancel&) { samples.counted = trainer_.counted(samples.x.source()); });
  if (const ops::Loss<T> loss = compiled().loss; loss.kind != nullptr) {
    samples.targets = as_targets<T>(y, loss, samples.rows(), samples.output, {op, "y", kLabel});
    samples.weights = as_sample_weight<T>(sample_weight, loss, samples.target_view(), samples.rows(), samples.output,
                                          output_ends(samples.x.source()), {op, "sample_weight"});
  }
  return made;
}

// Samples that another network has checked may be anything to this one.
template <class T>
void Model<T>::require_own(const SampleArrays<T>& samples, const char* operation) const {
  if (trainer_.section().out_shape(samples.x.source().shape) != samples.output)
    core::fail_value("[", operation, "] the samples were made for another network, which gives ", text(samples.output),
                     " for each; make them with this one");
}

namespace {

// A loss of the host's as the core calls it, without Python's lock: f(outputs, rows) -> (loss, gradient) or, where the
// optimizer's settings are others from this step on, (loss, gradient, settings). It runs in the floating-point mode that
// is in place now.
template <class T>
auto call_host(const py::object& f, const core::Shape& output) {
  return [&f, &output, mode = runtime::FloatMode::of_thread()](ConstMatrix<T> outputs, const std::uint32_t* order,
                                                               Matrix<T> dy) {
    const py::gil_scoped_acquire gil;
    const runtime::InFloatMode hosts(mode);  // what is converted below is in one of its own
    const py::array_t<std::uint32_t> rows(static_cast<py::ssize_t>(outputs.rows), order);
    const auto result = f(copy_of(outputs, output), rows).template cast<py::tuple>();
    const Argument argument{"fit", "the gradient of the loss function"};
    const py::array_t<T> gradient = as_contiguous<T>(as_numbers(result[1], argument), argument);
    require_extents(gradient, Extents(dy.rows, output), "its outputs have", argument);
    train::take_rows<T>(kernels::current_kernels<T>().layout, output, gradient.data(), dy);
    train::HostLoss said{result[0].template cast<double>()};
    if (result.size() > 2) said.settings = as_step_settings(result[2].template cast<py::dict>());
    return said;
  };
}

}  // namespace

template <class T>
train::EpochReport Model<T>::fit_epoch(const SampleArrays<T>& samples, const py::object& outputs,
                                       const train::EpochOptions& options, const py::object& host_loss) {
  require_own(samples, "fit");
  train::Samples<T> given{samples.x.source(), {}, samples.weight_view(), {}};
  if (host_loss.is_none())
    given.targets = samples.target_view();
  else
    given.host_loss = call_host<T>(host_loss, samples.output);
  py::array_t<T> kept;
  if (!outputs.is_none()) {
    kept = as_output<T>(outputs, Extents(samples.rows(), samples.output), {"fit", "outputs"});
    given.outputs = {kept.mutable_data(), samples.rows(), samples.output.numbers()};
  }
  train::EpochReport report;
  interruptible([&](runtime::Cancel& cancel) { report = trainer_.fit_epoch(given, options, cancel); });
  return report;
}

template <class T>
py::array_t<std::uint32_t> Model<T>::begin_epoch(Size samples, bool shuffle) {
  train::Order order;
  interruptible([&](runtime::Cancel& cancel) { order = trainer_.begin_epoch(samples, shuffle, cancel); });
  return py::array_t<std::uint32_t>(static_cast<py::ssize_t>(order.size()), order.data());
}

// ---- predictions ----------------------------------------------------------------------------------------------------

template <class T>
py::array_t<T> Model<T>::predict(const py::object& x, const py::object& out, bool check, const py::object& scale) {
  const nn::Section<T>& section = trainer_.section();
  const RowsWanted<T> wanted{.section = &section, .one_sample = true, .finite = check, .scale = scale};
  const Rows<T> rows = as_rows<T>(x, wanted, {"predict", "X", kEncode});
  const data::Source<T>& source = rows.source();
  const core::Shape output = section.out_shape(source.shape);
  const Size count = source.rows, outputs = output.numbers();
  const Extents extents = rows.one_sample ? Extents(output) : Extents(count, output);
  py::array_t<T> result = as_output<T>(out, extents, {"predict", "out"});
  const bool one_row = count == 1 && source.in_place() && !output.turned() && source.shape == section.input();
  if (one_row && trainer_.predict_row_at_once(source.view(0, 1).data, result.mutable_data())) return result;
  const bool overlap = !out.is_none() && may_overlap(rows.keep, result);
  py::array_t<T> written = overlap ? py::array_t<T>({count, outputs}) : result;
  const Matrix<T> to(written.mutable_data(), count, outputs);
  interruptible([&](runtime::Cancel& cancel) { trainer_.predict(source, to, cancel); });
  if (overlap) std::copy_n(to.data, count * outputs, result.mutable_data());
  return result;
}

// (loss, outputs)
template <class T>
py::tuple Model<T>::evaluate(const SampleArrays<T>& samples) {
  require_own(samples, "evaluate");
  py::array_t<T> outputs = new_array<T>(Extents(samples.rows(), samples.output));
  const Matrix<T> to(outputs.mutable_data(), samples.rows(), samples.output.numbers());
  double loss = 0;
  interruptible([&](runtime::Cancel& cancel) {
    loss = trainer_.evaluate(samples.x.source(), samples.target_view(), samples.weight_view(), to, cancel);
  });
  return py::make_tuple(loss, outputs);
}

template <class T>
py::array_t<T> Model<T>::outputs(const SampleArrays<T>& samples) {
  require_own(samples, "evaluate");
  py::array_t<T> outputs = new_array<T>(Extents(samples.rows(), samples.output));
  const Matrix<T> to(outputs.mutable_data(), samples.rows(), samples.output.numbers());
  interruptible([&](runtime::Cancel& cancel) { trainer_.predict(samples.x.source(), to, cancel); });
  return outputs;
}

// The members above; the others are instantiated in model_state.cpp and model_loop.cpp.
template class Model<float>;
template class Model<double>;

}  // namespace nnext::bindings
