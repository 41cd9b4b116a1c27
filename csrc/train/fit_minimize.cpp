// A step that looks at the loss of its batches in several places, with all gradients, until it has found a better one.
// It looks around in a second network: meanwhile the first one predicts, and the host may stop the step, which then has
// not happened. In the end the parameters change all at once.
#include <cmath>
#include <utility>

#include "optim/lbfgs.h"
#include "train/fit_run.h"
#include "train/flat.h"

namespace nnext::train {

namespace {

// The last changes of weights and gradients, as the optimizer's state has them: [parameter][2 i] and [2 i + 1].
template <class T>
std::vector<optim::Change> read_changes(Training<T>& training, Flat<T>& flat, Size history) {
  std::vector<optim::Change> changes;
  for (Size i = 0; i < history; ++i) {
    optim::Change change;
    flat.read([&](Size index) { return training.optimizer_state[index][2 * i].data(); }, change.weights);
    flat.read([&](Size index) { return training.optimizer_state[index][2 * i + 1].data(); }, change.gradient);
    if (change.curves()) changes.push_back(std::move(change));
  }
  return changes;
}

template <class T>
void write_changes(const std::vector<optim::Change>& changes, Training<T>& training, Flat<T>& flat) {
  for (Size i = 0; i < changes.size(); ++i) {
    flat.write(changes[i].weights, [&](Size index) { return training.optimizer_state[index][2 * i].data(); });
    flat.write(changes[i].gradient, [&](Size index) { return training.optimizer_state[index][2 * i + 1].data(); });
  }
}

// Of each node that is trained.
template <class T>
std::vector<std::vector<nn::Piece>> trained_pieces(const Training<T>& training) {
  std::vector<std::vector<nn::Piece>> all;
  for (const nn::Node<T>& node : training.section.nodes())
    all.push_back(node.layer->trainable ? node.layer->pieces() : std::vector<nn::Piece>());
  return all;
}

// What goes with new parameters: buffers, as the batches last were, and averages. Packed copies are out of date.
template <class T>
void follow_parameters(Training<T>& training, Gradients<T>& gradients,
                       const std::vector<std::vector<nn::Piece>>& pieces) {
  for (Size i = 0; i < pieces.size(); ++i) {
    nn::Node<T>& node = training.section.nodes()[i];
    for (const nn::Piece& piece : pieces[i])
      if (node.layer->parameters[piece.parameter].role == nn::Role::buffer)
        training.apply(node, piece, gradients.array(training.section.index(node, piece.parameter)) + piece.offset);
      else if (training.averages != nullptr)
        training.averages->follow(node, piece);
    node.layer->packed = nn::Packed::none;
  }
}

// With the settings of this step, which all groups that are trained have in common.
template <class T>
const optim::Lbfgs& minimizer(const Training<T>& training) {
  for (const Group<T>& group : training.groups)
    if (group.trainable) return *group.rule->minimizer();
  return *training.optimizer->minimizer();  // nothing is trained
}

}  // namespace

// Takes over what the layers of the first network are like.
template <class T>
void Fit<T>::begin_trials() {
  const nn::Section<T>& trial = training_.trial->section();
  for (Size i = 0; i < trial.nodes().size(); ++i)
    trial.nodes()[i].layer->trainable = training_.section.nodes()[i].layer->trainable;
}

template <class T>
void Fit<T>::run_minimizing_step(Run& run) {
  Epoch<T>& epoch = run.epoch;
  Flat<T> flat(training_.section);
  const auto values = [&](Size index) { return training_.section.parameter(index).values.data(); };
  const auto trial = [&](Size index) { return training_.trial->values(index); };
  const auto look = [&](optim::Point& at) {
    flat.write(at.x, trial), flat.read(trial, at.x);  // rounded to what the network can have
    for (const Stage<T>& stage : plan_->stages()) stage.layer().packed = nn::Packed::none;
    pack_layers(false);
    const std::optional<double> loss = before_long_update(run);
    if (!loss) return false;
    at.loss = *loss;
    flat.read([&](Size index) { return epoch.gradients().array(index); }, at.gradient);
    return true;
  };

  for (Size index = 0; index < training_.section.parameters(); ++index) training_.trial->take(index);
  optim::Point at;
  flat.read(values, at.x);
  run.first_look = true, run.program = make_program(run);
  if (!look(at)) return;
  run.first_look = false, run.program = make_program(run);
  const double loss = at.loss;
  epoch.diverged = !std::isfinite(loss);
  if (epoch.diverged) return;
  epoch.begin_update(epoch.step);
  const optim::Lbfgs& rule = minimizer(training_);
  std::vector<optim::Change> changes = read_changes(training_, flat, rule.history);
  if (!rule.minimize(at, changes, look, [&] { return run.out_of_time(); })) return;
  while (changes.size() < rule.history) {
    optim::Change& none = changes.emplace_back();
    none.weights.resize(flat.size()), none.gradient.resize(flat.size());
  }
  const std::vector<std::vector<nn::Piece>> pieces = trained_pieces(training_);
  const runtime::Gate::Writer writer(training_.network.gate, &run.cancel);
  if (!writer) return;
  if (epoch.has_host_loss()) snapshots_.take(training_);
  flat.write(at.x, values);  // from here on nothing allocates
  write_changes(changes, training_, flat);
  follow_parameters(training_, epoch.gradients(), pieces);
  training_.end_step();
  epoch.count(loss);
}

template void Fit<float>::begin_trials();
template void Fit<double>::begin_trials();
template void Fit<float>::run_minimizing_step(Run&);
template void Fit<double>::run_minimizing_step(Run&);

}  // namespace nnext::train
