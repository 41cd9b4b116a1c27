#include "core_checks.h"
#include "train/program.h"

namespace nnext::testing {

namespace {

using train::Phase;
using train::Plan;
using train::Program;
using train::Work;

// One letter an instruction, a bar for a barrier: "glb|G" gathers, computes a loss and goes back in the first phase.
std::string text(const Program& program) {
  std::string all;
  for (const Phase& phase : program.phases) {
    if (!all.empty()) all += '|';
    if (phase.by == Phase::By::features) all += "by features: ";
    for (const train::Instruction& at : phase.instructions) all += "gflobpGnu"[static_cast<int>(at.work)];
  }
  return all;
}

struct Step {
  bool by_features = false, at_once = true, clips = false, host_loss = false;
  Size frozen = 0;  // layers
};

// A step of training, from the first layer on.
Program program_of(const std::vector<Config>& layers, Size in, const Step& step = {}) {
  const Whole whole(layers);
  for (const nn::Node<float>& node : whole.section.nodes()) node.layer->trainable = node.number >= step.frozen;
  const Plan<float> plan(whole.section, in, 64, whole.section.nodes().size(), train::Use::train);
  train::ProgramBuilder<float> program(plan);
  if (step.by_features)
    program.first_by_features();
  else
    program.rows(Work::gather);
  program.forward(step.by_features ? 1 : 0, plan.head_stages());
  if (step.host_loss)
    program.host_loss();
  else
    program.rows(Work::loss);
  program.backward(plan.first_backward(), plan.head_stages());
  program.gradients(step.at_once, step.clips);
  return program.take();
}

}  // namespace

void check_programs(Statements& says) {
  const auto is = [&](const std::string& what, const Program& program, const std::string& wanted, Size update) {
    says.holds(what + ": " + text(program), text(program) == wanted && program.update == update);
  };
  const auto repeats = [&](const std::string& what, const Program& program, const std::string& wanted) {
    const std::string found = text({{program.phases.begin(), program.phases.begin() + program.per_batch}});
    says.holds(what + ": " + found, found == wanted);
  };
  const std::vector<Config> mlp{linear(8, 16), relu(), linear(16, 4)};
  is("an MLP has two phases, the second changes weights", program_of(mlp, 8), "gffflbb|G", 1);
  is("the first layer by features is a phase more", program_of(mlp, 8, {.by_features = true}),
     "by features: gf|fflbb|G", 2);
  is("kept gradients are applied in a phase of their own", program_of(mlp, 8, {.at_once = false}), "gffflbb|G|u", 2);
  is("clipping needs their norms before", program_of(mlp, 8, {.at_once = false, .clips = true}), "gffflbb|G|n|u", 3);

  repeats("a batch of a step has all but the update", program_of(mlp, 8, {.at_once = false}), "gffflbb|G");
  repeats("and but the norms", program_of(mlp, 8, {.at_once = false, .clips = true}), "gffflbb|G");
  repeats("or all before gradients that are applied at once", program_of(mlp, 8), "gffflbb");

  const Program hosted = program_of(mlp, 8, {.at_once = false, .host_loss = true});
  is("the host's loss parts what is before from what is after", hosted, "gfff|bb|G|u", 3);
  says.holds("the host computes it before the second phase", hosted.host == 1);
  says.holds("it does not otherwise", program_of(mlp, 8).host == 0);

  const std::vector<Config> normalized{linear(8, 16), batch_norm(16), relu(), linear(16, 4)};
  is("batch normalization waits once forward and once backward", program_of(normalized, 8), "gff|ffflbbb|b|G", 3);
  is("its own gradient needs it to go back also where nobody wants dx: first",
     program_of({batch_norm(8), linear(8, 4)}, 8), "gf|fflbb|b|G", 3);
  is("and above what is frozen", program_of(normalized, 8, {.frozen = 1}), "gff|ffflbbb|b|G", 3);
  is("a linear layer above what is frozen does not go back", program_of(mlp, 8, {.frozen = 1}), "gfffl|G", 1);
  is("dropout and identity", program_of({linear(8, 8), describe("Flatten"), dropout(0.5)}, 8), "gfflb|G", 1);
  // Forward the fork is no work, backward the sum is none.
  is("a residual", program_of({linear(8, 8), residual({linear(8, 8), relu()}), linear(8, 2)}, 8), "gffffflbbbb|G", 1);
}

}  // namespace nnext::testing
