// A network with its training, as Python holds it: every array comes in through bindings/arrays.h, every long call
// leaves Python's lock to others.
#pragma once

#include <memory>
#include <string>

#include "bindings/arrays.h"
#include "bindings/rows.h"
#include "nn/initializer.h"
#include "train/epoch.h"
#include "train/own_loop.h"
#include "train/predict.h"
#include "train/row_predictor.h"

namespace nnext::bindings {

// Checked samples, kept for all epochs of a fit.
template <class T>
struct SampleArrays {
  Rows<T> x;
  TargetArrays<T> targets;
  py::array_t<T> weights;
  bool weighted;
  Size outputs;

  Size rows() const { return x.view.rows; }
  ops::Targets<T> target_view() const { return targets.view(rows(), outputs); }
  const T* weight_data() const { return weighted ? weights.data() : nullptr; }
};

template <class T>
class Model {
 public:
  explicit Model(std::uint64_t seed) : state_(seed), own_loop_(std::make_unique<train::OwnLoop<T>>(state_)) {}
  ~Model() { forget_lost_passes(); }
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  // Building: layers in order.
  void add_linear(Size in_features, Size out_features, bool bias, const nn::Initializer& weight_init,
                  const nn::Initializer& bias_init);
  void add_activation(const std::string& name, double argument);
  void add_softmax();
  void add_dropout(double p);
  void add_flatten();
  // Features the network takes (0: any) and gives; throws where the layers do not fit together.
  Size in_features() const;
  Size out_features(Size in_features) const;

  // Parameters as (layer, name, shape), in the order of `index` below.
  std::vector<std::tuple<Size, std::string, std::vector<Size>>> parameters() const;
  py::list get_parameters();  // all of one moment: also during a fit the state after a whole step
  // Index to values. Either all are set, in one go for predictions under way, or none.
  void set_parameters(const py::dict& values);
  py::list get_gradients();
  py::tuple get_state();  // likewise: parameters, optimizer state [index][state], counters
  void set_optimizer_state(Size index, Size state, const py::object& values);
  Size optimizer_states() const { return state_.optimizer == nullptr ? 0 : state_.optimizer->states(); }
  void set_trainable(Size layer, bool trainable);

  void set_loss(const std::string& loss, bool fuse_last_layer);
  // The kernels for products in bf16; throws where there are none for this network.
  const kernels::Bf16Kernels& find_bf16() const;
  void set_precision(const std::string& precision);  // "float32" (of T) or "bf16"
  void set_optimizer(std::unique_ptr<optim::Optimizer<T>> optimizer);
  using Counters = std::tuple<std::uint64_t, std::uint64_t, std::uint64_t>;  // as in train::Counters
  Counters get_counters();
  void set_counters(const Counters& counters);

  SampleArrays<T> samples(const py::object& x, const py::object& y, const py::object& sample_weight, bool flatten,
                          const std::string& operation, const py::object& scale) const;
  // For epochs that Python runs: X checked, of a type that forward() reads where it lies; the order of an epoch's
  // samples, which counts as an epoch; a copy of the state before a step, and the way back to the last copy whose
  // parameters are finite.
  py::array rows(const py::object& x, bool flatten, const std::string& operation, const py::object& scale) const;
  py::array_t<std::uint32_t> begin_epoch(Size samples, bool shuffle);
  void keep_copy();
  void go_back();
  bool parameters_finite() const { return state_.parameters_finite(); }
  // One fit at a time goes from begin_fit(id) to end_fit(id), which does nothing if another one is in progress.
  void begin_fit(std::uint64_t id) { state_.gate.begin_fit(id); }
  void end_fit(std::uint64_t id);
  train::EpochReport fit_epoch(const SampleArrays<T>& samples, const py::object& outputs,
                               const train::EpochOptions& options);
  py::array_t<T> predict(const py::object& x, const py::object& out, bool check, bool flatten, const py::object& scale);
  // For one sample; the network must know how many features that has.
  const train::RowPredictor<T>& row_predictor();
  py::tuple evaluate(const SampleArrays<T>& samples);

  py::array_t<T> forward(const py::object& x, bool training, bool flatten, const py::object& scale);
  py::array_t<T> backward(const py::object& dy);
  double loss_and_gradients(const SampleArrays<T>& samples);
  void step(double lr);

 private:
  struct Place {
    nn::Layer<T>* layer;
    Size in_layer;
  };
  Place place(Size index) const;                                            // of parameter `index`
  py::array_t<T> logical(Size index, const core::Buffer<T>& stored) const;  // stored like parameter `index`
  py::list logical(const std::vector<core::Buffer<T>>& stored) const;       // like all of them
  py::array_t<T> checked(Size index, const py::handle& values, const char* operation) const;
  Rows<T> some_rows(const py::object& x, bool flatten, const char* operation, const py::object& scale) const;
  void add(std::unique_ptr<nn::Layer<T>> layer) { state_.network.layers.push_back(std::move(layer)); }
  void forget_passes() { own_loop_->reset(), fit_.reset(), copies_ = {}; }
  void forget_lost_passes();
  train::Gate::Training begin(const char* operation);
  template <class F>
  void change(const char* operation, F f);
  train::StateCopy<T> copy_state();

  train::State<T> state_;
  std::unique_ptr<train::OwnLoop<T>> own_loop_;
  std::unique_ptr<train::Fit<T>> fit_;
  std::unique_ptr<const train::RowPredictor<T>> row_predictor_;  // made when it is first asked for
  train::Snapshots<T> copies_;                                   // of an epoch that Python runs
};

}  // namespace nnext::bindings
