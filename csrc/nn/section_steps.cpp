// Sections of layers that take sequences: whose steps come one by one, or which have ends of their own.
#include <algorithm>

#include "core/errors.h"
#include "nn/section.h"

namespace nnext::nn {

template <class T>
std::optional<Shape> Section<T>::one_step() const {
  constexpr Size kOne[] = {1};
  if (!takes_steps() || (intake_ && intake_->channels_first)) return {};
  if (intake_ && intake_->categories > 0) return read(kOne);
  const Size channels = input_ ? input_->channels : intake_->channels;
  return channels == 0 ? std::nullopt : std::optional(Shape(kOne, channels, false));
}

template <class T>
void Section<T>::require_steps() const {
  for (const Node<T>& node : nodes_)
    if (!node.layer->goes_by_steps())
      core::fail_value(
          "[step] layer ", node.path, " is a ", node.kind, ", which looks at several steps or from the end; ",
          "only layers that treat each step by itself, and recurrent ones in one direction, go step by step");
}

// Of each value, 0 where it has no steps; calls f(node, before, after) for every layer that sees some, `before` those of
// all its inputs.
template <class T>
template <class F>
std::vector<Size> Section<T>::lengths(const Shape& in, Size length, F f) const {
  const std::vector<Shape> all = shapes(in);
  std::vector<Size> steps(values(), 0), before;
  steps[input_value_] = length;
  for (const Node<T>& node : nodes_) {
    before.clear();
    for (const Value input : node.inputs) before.push_back(steps[input]);
    if (before.front() == 0) continue;
    const Size after = node.layer->out_length(before.front());
    f(node, before, after);
    for (const Value value : node.outputs)
      if (all[value].axes == 1) steps[value] = after;
  }
  return steps;
}

template <class T>
void Section<T>::require_lengths(const Shape& in, std::span<const std::uint32_t> of) const {
  if (of.empty()) return;
  const Size shortest = *std::ranges::min_element(of);
  bool joins = false;
  lengths(in, shortest, [&](const Node<T>& node, const std::vector<Size>&, Size after) {
    joins |= node.inputs.size() > 1;
    if (!node.layer->takes_lengths())
      core::fail_value("layer ", node.path, ": a ", node.kind,
                       " treats all steps alike, but the sequences have lengths ",
                       "of their own; put a layer before it that takes each to its end, such as an LSTM");
    if (after == 0)
      core::fail_value("layer ", node.path, ": the shortest sequence has ", shortest, " steps, too few for the window ",
                       "of this ", node.kind, "; leave such sequences out, or give the layer padding");
  });
  if (joins) require_joinable(in, of);
}

// Branches that agree on one length, such as that of the array, need not agree on another.
template <class T>
void Section<T>::require_joinable(const Shape& in, std::span<const std::uint32_t> of) const {
  std::vector<bool> seen(in.places() + 1);
  for (const std::uint32_t length : of) {
    if (seen[length]) continue;
    seen[length] = true;
    lengths(in, length, [&](const Node<T>& node, const std::vector<Size>& before, Size) {
      const auto other = std::ranges::find_if(before, [&](Size steps) { return steps != before.front(); });
      if (other != before.end())
        core::fail_value("layer ", node.path, ": of a sequence of ", length, " steps one of its branches makes ",
                         before.front(), " and another ", *other,
                         "; give all of them windows, strides and padding that make as many of any length");
    });
  }
}

template <class T>
std::optional<Size> Section<T>::out_length(const Shape& in, Size length) const {
  const Size out = lengths(in, length, [](const Node<T>&, const std::vector<Size>&, Size) {})[output_value_];
  return out == 0 ? std::nullopt : std::optional(out);
}

template std::optional<Shape> Section<float>::one_step() const;
template void Section<float>::require_steps() const;
template void Section<float>::require_lengths(const Shape&, std::span<const std::uint32_t>) const;
template std::optional<Size> Section<float>::out_length(const Shape&, Size) const;
template std::optional<Shape> Section<double>::one_step() const;
template void Section<double>::require_steps() const;
template void Section<double>::require_lengths(const Shape&, std::span<const std::uint32_t>) const;
template std::optional<Size> Section<double>::out_length(const Shape&, Size) const;

}  // namespace nnext::nn
