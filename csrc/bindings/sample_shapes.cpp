// What shape samples have, told from that of an array and from what the network takes.
#include "bindings/arrays.h"
#include "bindings/rows_checks.h"

namespace nnext::bindings {
namespace {

using core::Shape;
using Sizes = std::span<const py::ssize_t>;

std::vector<Size> extents_of(Sizes shape) { return {shape.begin(), shape.end()}; }

// "(samples, 3, height, width)", "(samples, steps, 5)" or "(samples, 5)".
std::string wanted_text(const nn::Intake& intake) {
  if (intake.categories > 0) return "(samples, steps), whole numbers";
  if (!intake.channels_first)
    return core::message(intake.axes == 1 ? "(samples, steps, " : "(samples, ", intake.channels, ")");
  const char* const axes = intake.axes == 1 ? ", length)" : ", height, width)";
  return intake.channels == 0 ? core::message("(samples, channels", axes)
                              : core::message("(samples, ", intake.channels, axes);
}

template <class T>
void require_fit(Sizes shape, const nn::Section<T>& section, const Seen& seen, const Argument& argument) {
  const nn::Intake intake = section.intake().value_or(nn::Intake{});
  if (section.takes_only_input() && seen.shape != *section.input() && section.input()->axes > 0)
    fail(argument, "has shape ", shape_text(shape), ", samples of ", text(seen.shape), ", but the network takes ",
         text(*section.input()), "; give samples of that shape, or make the network with another input_shape");
  // Of which the layers say what they take.
  const bool image = seen.shape.channels_first && !intake.channels_first && !intake.flat;
  const Size given = intake.flat ? seen.shape.numbers() : seen.shape.channels;
  if (intake.channels == 0 || image || given == intake.channels) return;
  fail(argument, "has ", given, intake.channels_first ? " channels" : " features", " but the network expects ",
       intake.channels, "; ", argument.name, " has shape ", shape_text(shape), ", give ", wanted_text(intake),
       seen.shape.axes > 0 && !intake.channels_first && !intake.flat ? ", or start the network with Flatten()" : "");
}

template <class T>
void require_shape(Sizes shape, const RowsWanted<T>& wanted, const Seen& seen, const Argument& argument) {
  if (wanted.section != nullptr) require_fit(shape, *wanted.section, seen, argument);
  if (seen.shape.numbers() == 0)
    fail(argument, "has shape ", shape_text(shape), ": 0 ", seen.shape.axes == 0 ? "features" : "numbers a sample",
         "; give at least one");
  if (seen.rows > wanted.max_rows)
    fail(argument, "has ", seen.rows, " rows; at most ", wanted.max_rows, " can be taken at once, give it in parts");
}

// A sample alone, of the shape that the network is known to take.
template <class T>
std::optional<Seen> see_one(Sizes shape, const RowsWanted<T>& wanted) {
  if (!wanted.one_sample || wanted.section == nullptr || !wanted.section->input()) return {};
  const Shape& input = *wanted.section->input();
  if (shape.size() != input.axes + 1 || extents_of(shape) != input.extents()) return {};
  const bool also_rows = input.axes > 0 && wanted.section->read(extents_of(shape.subspan(1))) == input;
  return also_rows ? std::nullopt : std::optional<Seen>({1, input, true});
}

// As samples, whether the network takes such or not; nothing where there are too many axes, or too few.
template <class T>
std::optional<Shape> read(const std::vector<Size>& extents, const RowsWanted<T>& wanted) {
  if (wanted.section != nullptr) return wanted.section->read(extents);
  if (wanted.shape != nullptr && wanted.shape->extents() == extents) return *wanted.shape;
  return Shape(std::span(extents).first(extents.size() - 1), extents.back(), false);
}

// Whether these are rows of the features that the network takes, as mostly. Told without an allocation: those of the
// general way showed in the smallest prediction.
template <class T>
bool are_rows(Sizes shape, const RowsWanted<T>& wanted) {
  if (shape.size() != 2 || wanted.section == nullptr || !wanted.section->input()) return false;
  const Shape& input = *wanted.section->input();
  return input.axes == 0 && input.channels == static_cast<Size>(shape[1]);
}

template <class T>
Seen seen_as(Sizes shape, const RowsWanted<T>& wanted, const Argument& argument) {
  if (are_rows(shape, wanted)) return {static_cast<Size>(shape[0]), *wanted.section->input()};
  const bool one_feature = wanted.section != nullptr && wanted.section->input() == Shape(1);
  if (shape.size() == 1 && one_feature) return {static_cast<Size>(shape[0]), 1};
  if (const std::optional<Seen> one = see_one(shape, wanted)) return *one;
  if (shape.size() < 2)
    fail(argument, "has shape ", shape_text(shape), "; samples must be rows of a 2-D array: for one sample use ",
         "reshape(1, -1), for one feature reshape(-1, 1)");
  const std::optional<Shape> found = read(extents_of(shape.subspan(1)), wanted);
  if (!found)
    fail(argument, "has shape ", shape_text(shape), " but the network's first layer takes ",
         wanted_text(*wanted.section->intake()), "; reshape ", argument.name, ", or start the network with Flatten()");
  return {static_cast<Size>(shape[0]), *found};
}

}  // namespace

template <class T>
Seen see(Sizes shape, const RowsWanted<T>& wanted, const Argument& argument) {
  const Seen seen = seen_as(shape, wanted, argument);
  require_shape(shape, wanted, seen, argument);
  return seen;
}

ChosenRows choose_rows(const Argument& argument, Size rows) {
  const std::span<const std::uint32_t> chosen = argument.rows;
  if (chosen.data() == nullptr) return {0, rows, nullptr};
  bool follow_each_other = true;
  for (Size i = 0; i < chosen.size(); ++i) {
    if (chosen[i] >= rows) fail(argument, "has ", rows, " rows, of which row ", chosen[i], " is to be taken");
    follow_each_other &= chosen[i] == chosen[0] + i;
  }
  if (follow_each_other) return {chosen.empty() ? 0 : chosen[0], chosen.size(), nullptr};
  return {0, chosen.size(), chosen.data()};
}

template Seen see(Sizes, const RowsWanted<float>&, const Argument&);
template Seen see(Sizes, const RowsWanted<double>&, const Argument&);

}  // namespace nnext::bindings
