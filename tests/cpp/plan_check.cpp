#include <map>

#include "core_checks.h"
#include "train/plan.h"

namespace nnext::testing {

namespace {

using nn::Section;
using nn::Value;
using train::Place;
using train::Plan;
using train::Stage;
using train::Use;

constexpr Size kBatch = 5;

// A pass as the plan lays it out, with names of values in place of numbers: whoever reads must find what it expects.
class Rehearsal {
 public:
  Rehearsal(const Section<float>& section, const core::Shape& in, Size head, Use use)
      : section_(section), plan_(section, in, kBatch, head, use), cells_(plan_.numbers()), names_(section.values()) {
    for (Value value = 0; value < section.values(); ++value) names_[value] = static_cast<int>(value) + 1;
    write(plan_.input(), names_[section.input_value()]);
    forward(head);
    if (use == Use::train) backward(head);
  }
  bool good() const { return good_; }

 private:
  nn::Traits traits_of(const nn::Node<float>& node) const {
    return node.layer->traits(section_.shapes(plan_.input_shape())[node.inputs.front()], plan_.training());
  }
  // The name of a gradient of value v is -v: of what is the same numbers, the same.
  int& gradient(Value value) { return gradients_.try_emplace(value, -static_cast<int>(value) - 1).first->second; }

  void write(const Place& place, int name) {
    for (Size i = 0; i < kBatch * place.features; ++i) cells_.at(place.offset + i) = name;
  }
  void expect(const Place& place, int name) {
    for (Size i = 0; i < kBatch * place.features; ++i) good_ &= cells_.at(place.offset + i) == name;
  }
  const Stage<float>* stage_of(const nn::Node<float>& node) const {
    for (const Stage<float>& stage : plan_.stages())
      if (stage.node == &node) return &stage;
    return nullptr;
  }

  void forward(Size head) {
    Size done = 0, at_head = 0;
    for (const nn::Node<float>& node : section_.nodes()) {
      const nn::Traits traits = traits_of(node);
      if (static_cast<Size>(&node - section_.nodes().data()) == head)
        head_ = node.inputs.front(), expect(plan_.head(), names_[head_]), at_head = done;
      const Stage<float>* stage = stage_of(node);
      if (stage != nullptr) ++done;
      for (const Value value : node.outputs)
        names_[value] = traits.forward_identity ? names_[node.inputs.front()] : names_[node.outputs.front()];
      if (traits.forward_identity) continue;
      expect(stage->x, names_[node.inputs.front()]);
      for (Size k = 1; k < node.inputs.size(); ++k) expect(stage->more_x.at(k - 1), names_[node.inputs[k]]);
      if (stage->saved.features > 0) write(stage->saved, kSaved);
      write(stage->y, names_[node.outputs.front()]);
    }
    if (head >= section_.nodes().size()) head_ = section_.output(), at_head = done;
    good_ &= plan_.head_stages() == at_head;
    expect(plan_.head(), names_[head_]);
    expect(plan_.output(), names_[section_.output()]);
    if (plan_.training()) expect(plan_.input(), names_[section_.input_value()]);
  }

  // From the gradient at the loss. Afterwards those of the parameters read x and dy.
  void backward(Size head) {
    write(plan_.head_gradient(), gradient(head_));
    for (Size i = std::min(head, section_.nodes().size()); i-- > 0;) {
      const nn::Node<float>& node = section_.nodes()[i];
      const nn::Traits traits = traits_of(node);
      if (traits.backward_identity) {
        for (const Value value : node.inputs) gradients_[value] = gradient(node.outputs.front());
        continue;
      }
      const Stage<float>& stage = *stage_of(node);
      expect(stage.dy, gradient(node.outputs.front()));
      for (Size k = 1; k < node.outputs.size(); ++k) expect(stage.more_dy.at(k - 1), gradient(node.outputs[k]));
      read_again(stage, node);
      write(stage.dx, gradient(node.inputs.front()));
      for (Size k = 1; k < node.inputs.size(); ++k) write(stage.more_dx.at(k - 1), gradient(node.inputs[k]));
    }
    for (Size i = 0; i < plan_.head_stages(); ++i) {
      const Stage<float>& stage = plan_.stages()[i];
      if (!stage.trains()) continue;
      read_again(stage, *stage.node);
      if (!stage.traits.in_place) expect(stage.dy, gradient(stage.node->outputs.front()));
    }
    expect(plan_.input_gradient(), gradient(section_.input_value()));
  }
  void read_again(const Stage<float>& stage, const nn::Node<float>& node) {
    if (stage.traits.reads_x) expect(stage.x, names_[node.inputs.front()]);
    if (stage.traits.reads_y) expect(stage.y, names_[node.outputs.front()]);
    if (stage.saved.features > 0) expect(stage.saved, kSaved);
  }

  static constexpr int kSaved = 1 << 20;
  const Section<float>& section_;
  const Plan<float> plan_;
  std::vector<int> cells_;  // who has written each number last
  std::vector<int> names_;  // of each value: the same where the numbers are
  std::map<Value, int> gradients_{};
  Value head_ = 0;
  bool good_ = true;
};

std::vector<Place> places(const Plan<float>& plan) {
  std::vector<Place> all{plan.input(), plan.head(), plan.output()};
  for (const Stage<float>& stage : plan.stages()) {
    all.insert(all.end(), {stage.x, stage.y});
    all.insert(all.end(), stage.more_x.begin(), stage.more_x.end());
    if (stage.saved.features > 0) all.push_back(stage.saved);
    if (!plan.training()) continue;
    all.insert(all.end(), {stage.dy, stage.dx});
    all.insert(all.end(), stage.more_dy.begin(), stage.more_dy.end());
  }
  return all;
}

// Two places are the same numbers or have none in common.
bool nothing_overlaps(const Plan<float>& plan) {
  for (const Place& a : places(plan))
    for (const Place& b : places(plan)) {
      const bool same = a.offset == b.offset && a.features == b.features;
      const bool apart = a.offset + kBatch * a.features <= b.offset || b.offset + kBatch * b.features <= a.offset;
      if (!same && !apart) return false;
    }
  return true;
}

void check_in_place(Statements& says) {
  const auto in_place = [](const std::vector<Config>& layers, Size stage, Use use, Size less = 0) {
    const Whole whole(layers);
    const Plan<float> plan(whole.section, 8, kBatch, whole.section.nodes().size() - less, use);
    return plan.stages().at(stage).x.offset == plan.stages().at(stage).y.offset;
  };
  for (const Use use : {Use::predict, Use::evaluate, Use::train}) {
    const bool training = use == Use::train;
    const std::string when = training ? " (training)" : use == Use::predict ? " (prediction)" : " (evaluation)";
    says.holds("relu goes in place on what a linear layer gives" + when, in_place({linear(8, 8), relu()}, 1, use));
    says.holds("gelu goes in place unless its gradient reads x" + when,
               in_place({linear(8, 8), gelu()}, 1, use) == !training);
    says.holds("relu goes in place on tanh unless tanh's gradient reads it" + when,
               in_place({linear(8, 8), tanh(), relu()}, 2, use) == !training);
    says.holds("batch normalization goes in place unless its gradient reads x" + when,
               in_place({linear(8, 8), batch_norm(8)}, 1, use) == !training);
    says.holds("a linear layer never goes in place" + when, !in_place({linear(8, 8), linear(8, 8)}, 1, use));
    says.holds("nothing writes over the input" + when, !in_place({relu()}, 0, use));
    says.holds("nothing writes over what the loss reads" + when,
               !in_place({linear(8, 8), describe("Softmax")}, 1, use, 1));
    // The stages are linear, with gradients to add the fork, relu, and the sum.
    says.holds("nothing writes over what branches share" + when,
               !in_place({linear(8, 8), residual({relu()})}, training ? 2 : 1, use));
  }
}

void check_memory(Statements& says) {
  const auto numbers = [](Size depth, Use use) {
    std::vector<Config> layers;
    for (Size i = 0; i < depth; ++i) layers.insert(layers.end(), {linear(64, 64), relu()});
    return Plan<float>(Whole(layers).section, 64, kBatch, layers.size(), use).numbers();
  };
  says.holds("predictions of a deep network need two layers' memory", numbers(40, Use::predict) == 2 * kBatch * 64);
  says.holds("evaluations keep every layer's", numbers(40, Use::evaluate) == 41 * kBatch * 64);
  says.holds("training every layer's with their gradients", numbers(40, Use::train) == 2 * 41 * kBatch * 64);
}

bool slices_are_good(const Section<float>& section, const Shape& shape) {
  bool good = true;
  for (Size last = 1; last <= shape.layers.size(); ++last)
    for (Size first = 0; first < last; ++first) {
      const Section<float> slice(section, first, last);
      const core::Shape in = section.shapes(shape.in)[slice.input_value()];
      for (const Use use : {Use::predict, Use::evaluate, Use::train})
        good &= Rehearsal(slice, in, slice.nodes().size(), use).good();
    }
  return good;
}

}  // namespace

void check_plans(Statements& says) {
  for (const Shape& shape : all_shapes()) {
    const Whole whole(shape.layers);
    const Section<float>& section = whole.section;
    for (const Use use : {Use::predict, Use::evaluate, Use::train}) {
      const std::string name =
          std::string("plan of ") + shape.name + " for use " + std::to_string(static_cast<int>(use));
      for (const Size less : {0, 1}) {
        const Size head = section.nodes().size() - less;
        says.holds(name + (less == 0 ? "" : ", last layer with the loss") + ": whoever reads finds what was written",
                   Rehearsal(section, shape.in, head, use).good());
      }
      if (use != Use::predict)
        says.holds(name + ": nothing overlaps",
                   nothing_overlaps(Plan<float>(section, shape.in, kBatch, section.nodes().size(), use)));
    }
    says.holds(std::string("plans of all slices of ") + shape.name + ": the same", slices_are_good(section, shape));
  }
  check_in_place(says);
  check_memory(says);
}

}  // namespace nnext::testing
