// What the members of a team do in a step, in order: phases with a barrier after each. Data, made outside team runs for
// a plan and remembered; it does not depend on how many members there turn out to be.
#pragma once

#include <limits>
#include <vector>

#include "train/arena.h"
#include "train/shares.h"

namespace nnext::train {

// What is done, to which stage.
enum class Work {
  gather,    // the batch's rows into the arena
  forward,   // a round of a stage
  loss,      // of rows, and its gradient
  outputs,   // what the network gave, for metrics
  backward,  // a round of a stage
  prepare,   // what all gradients of a stage need
  gradient,  // of all parameters, into a sink
  norms,     // squares of the gradients' columns
  update,    // parameters from gradients that are all there
};

struct Instruction {
  Work work;
  Size stage = 0;
  int round = 0;
};

// rows: members share the batch, each takes its rows block by block through all instructions. features: each has its
// own of the first stage. all: each does what is its own by itself.
struct Phase {
  enum class By { rows, features, all } by = By::rows;
  std::vector<Instruction> instructions{};
};

struct Program {
  std::vector<Phase> phases;
  Size host = 0;       // before this phase the host computes the loss; 0: it does not
  Size per_batch = 0;  // phases [0, per_batch) are done for each batch of a step, the rest once
  Size update = 0;     // phases [0, update) change no parameter
};

// Puts a program together.
template <class T>
class ProgramBuilder {
 public:
  // `features`: the first stage goes forward by features.
  explicit ProgramBuilder(const Plan<T>& plan) : plan_(plan) {}

  void rows(Work work) { phase(Phase::By::rows).instructions.push_back({work}); }
  void first_by_features();              // gathers, and takes the first stage forward
  void forward(Size first, Size last);   // stages [first, last)
  void backward(Size first, Size last);  // the last of them first
  void host_loss();
  // The gradients of all parameters; with `at_once` each is applied as soon as it is there, else when all are.
  void gradients(bool at_once, bool clips);
  Program take();

 private:
  Phase& phase(Phase::By by);
  void all(Instruction instruction);
  void rounds(Work work, Size stage);

  const Plan<T>& plan_;
  Program program_{};
  bool closed_ = false;  // nothing more goes into the last phase
};

// What a program needs of the pass that runs it: where rows come from, the loss, and where gradients go.
template <class T>
class PassContext {
 public:
  virtual ~PassContext() = default;
  virtual void gather(const runtime::Member&, View<T>&, runtime::Range /*rows*/) {}
  // Whether the first stage has been gone forward with the step before.
  virtual bool is_ahead(const runtime::Member&, View<T>&) { return false; }
  virtual void loss(const nn::Pass<T>&, View<T>&, runtime::Range /*rows*/) {}
  virtual void outputs(const runtime::Member&, View<T>&, runtime::Range /*rows*/) {}
  virtual nn::Sink<T>& sink(const runtime::Member&, const Stage<T>&) = 0;
  virtual void norms(const runtime::Member&) {}
  virtual void update(const runtime::Member&) {}
};

// Runs phases [first, last) as one member of the team, with a barrier between them and none after the last. Rows go in
// blocks of `block`. Unfinished where the member should stop, but for the barriers.
template <class T>
struct Runner {
  const Program& program;
  const Shares& shares;
  PassContext<T>& context;
  Size block = std::numeric_limits<Size>::max();

  void run(Size first, Size last, runtime::Member& me, const nn::Pass<T>& pass, View<T>& view) const;

 private:
  void by_rows(const Phase& phase, const nn::Pass<T>& pass, View<T>& view) const;
  void by_features(const Phase& phase, const nn::Pass<T>& pass, View<T>& view) const;
  void by_themselves(const Phase& phase, const nn::Pass<T>& pass, View<T>& view) const;
  void gradients(const nn::Pass<T>& pass, View<T>& view) const;
};

}  // namespace nnext::train
