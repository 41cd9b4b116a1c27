#include "train/own_loop.h"

#include <algorithm>
#include <utility>

#include "core/errors.h"
#include "train/loss_terms.h"

namespace nnext::train {

using runtime::Gate;
using runtime::Member;

// Where a pass takes its rows and the gradient to go back from, and where it leaves gradients.
template <class T>
struct OwnLoop<T>::Context final : PassContext<T> {
  OwnLoop& loop;
  const data::Source<T>* x = nullptr;
  const data::Source<T>* dy = nullptr;  // null: the loss's
  const ops::Targets<T>* targets = nullptr;
  LossTerms<T> terms{};
  std::vector<ArraySink<T>> sinks{};

  explicit Context(OwnLoop& loop_) : loop(loop_), sinks(loop_.members_, ArraySink<T>(loop_.gradients_)) {}

  // The caller's rows are copied: they may be gone when backward() needs them.
  void gather(const Member&, View<T>& view, Range rows) override {
    x->read(rows.begin, view.input_copy().rows_from(rows.begin, rows.size()));
    view.set_lengths(rows, [&](Size i) { return x->length(i); });
  }
  void loss(const nn::Pass<T>&, View<T>& view, Range rows) override {
    const Plan<T>& plan = view.plan();
    const auto part = [&](const Place& place) { return view.at(place).rows_from(rows.begin, rows.size()); };
    if (dy != nullptr) {
      dy->read(rows.begin, part(plan.output_gradient()));
      return clear_after_ends(view.at(plan.output_gradient()), plan.output_shape(), view.lengths(plan.output_lengths()),
                              rows);
    }
    terms.compute(loop.training_.loss, rows.begin, part(plan.head()), targets->rows_from(rows.begin, rows.size()),
                  part(plan.head_gradient()));
  }
  nn::Sink<T>& sink(const Member& me, const Stage<T>& stage) override {
    ArraySink<T>& mine = sinks[static_cast<Size>(me.index())];
    mine.set_stage(stage);
    return mine;
  }
};

template <class T>
void OwnLoop<T>::prepare(const data::Source<T>& x, bool training, const char* operation) {
  forget_passes();
  if (plan_ == nullptr || plan_->batch() < x.rows || plan_->input_shape() != x.shape || training != plan_->training()) {
    arena_.reset();
    plan_ = std::make_unique<Plan<T>>(training ? training_.section : training_.shown(), x.shape, x.rows,
                                      training_.loss.head, training ? Use::train : Use::evaluate);
  }
  if (x.rows < plan_->min_rows())
    core::fail_value("[", operation, "] X has ", x.rows, " row but batch normalization needs ", plan_->min_rows(),
                     " in training; give more rows, or training=False");
  const auto members = static_cast<Size>(runtime::members_for(flops(x.rows)));
  if (!arena_ || members > members_) arena_.emplace(*plan_, members), members_ = members;
  if (training && gradients_.empty()) gradients_ = Gradients<T>(training_.section);
  shares_ = share_rows(*plan_, static_cast<int>(members));
  if (training) pack(0, plan_->stages().size(), nn::Packed::forward);
  arena_->poison();
  for (Size i = 0; i < members_; ++i) arena_->view(i).set_rows(x.rows), arena_->view(i).use_lengths(x.has_lengths());
}

template <class T>
void OwnLoop<T>::pack(Size first, Size last, nn::Packed wanted) {
  for (Size i = first; i < last; ++i) plan_->stages()[i].layer().pack(wanted);
}

template <class T>
void OwnLoop<T>::run(const Program& program, Context& context, double flops, runtime::Cancel& cancel) {
  const Runner<T> runner{program, shares_, context, runtime::kBlockRows};
  auto body = [&](Member& me) {
    const nn::Pass<T> pass{training_.network.kernels, me, training_.network.seed, training_.counters.step,
                           plan_->training()};
    runner.run(0, program.update, me, pass, arena_->view(static_cast<Size>(me.index())));
  };
  training_.pace.run(static_cast<int>(shares_.count()), [&](int members) {
    const runtime::TeamRun went = runtime::run_on_team(members, body, runtime::where_long(flops, cancel),
                                                       training_.network.float_mode(plan_->training()));
    return runtime::Pace::Piece{cancel.requested() ? 0 : flops, went};
  });
}

template <class T>
ConstMatrix<T> OwnLoop<T>::forward(const data::Source<T>& x, bool training, runtime::Cancel& cancel) {
  prepare(x, training, "forward");
  ProgramBuilder<T> program(*plan_);
  program.rows(Work::gather);
  program.forward(0, plan_->stages().size());
  Context context(*this);
  context.x = &x;
  run(program.take(), context, flops(x.rows), cancel);
  if (cancel.requested()) return {};
  rows_ = x.rows;
  return arena_->view(0).at(plan_->output());
}

template <class T>
ConstMatrix<T> OwnLoop<T>::backward(const data::Source<T>& dy, runtime::Cancel& cancel) {
  if (plan_ == nullptr || rows_ == 0 || !plan_->training())
    throw std::logic_error(core::message("[backward] there is no forward pass to go back through", why_,
                                         "; call forward(X, training=True) first"));
  if (dy.rows != rows_ || dy.shape.extents() != plan_->output_shape().extents())
    core::fail_value("[backward] dY has ", dy.rows, " samples of shape ", text(dy.shape), " but the output had ", rows_,
                     " of shape ", text(plan_->output_shape()), "; give the gradient of the last forward's output");
  const Size all = plan_->stages().size();
  has_gradients_ = false;
  pack(0, all, nn::Packed::all);
  ProgramBuilder<T> program(*plan_);
  const auto consumes = [](const Stage<T>& stage) { return stage.traits.backward_consumes; };
  if (std::exchange(went_back_, true) && std::any_of(plan_->stages().begin(), plan_->stages().end(), consumes))
    program.forward(0, all);
  program.rows(Work::loss);
  program.backward(0, all);
  program.gradients(false, false);
  Context context(*this);
  context.dy = &dy;
  run(program.take(), context, 3 * flops(rows_), cancel);
  has_gradients_ = !cancel.requested();
  return arena_->view(0).at(plan_->input_gradient());
}

template <class T>
double OwnLoop<T>::loss_and_gradients(const data::Source<T>& x, const ops::Targets<T>& targets, ConstMatrix<T> weights,
                                      runtime::Cancel& cancel) {
  prepare(x, true, "loss_and_grads");
  Context context(*this);
  context.x = &x, context.targets = &targets;
  context.terms = LossTerms<T>(weights, x.rows, plan_->head_shape());
  weigh_all(context.terms, *plan_, x);
  const Size head = plan_->head_stages(), lowest = plan_->first_backward();
  pack(lowest, head, nn::Packed::all);
  ProgramBuilder<T> program(*plan_);
  program.rows(Work::gather);
  program.forward(0, head);
  program.rows(Work::loss);
  program.backward(lowest, head);
  program.gradients(false, false);
  run(program.take(), context, 3 * flops(x.rows), cancel);
  has_gradients_ = !cancel.requested();
  return context.terms.total(x.rows);
}

template <class T>
void OwnLoop<T>::step(std::span<const SettingValue> settings, runtime::Cancel& cancel) {
  if (!has_gradients_)
    throw std::logic_error(
        core::message("[step] there are no gradients", why_, "; call backward(dY) or loss_and_grads(X, y) first"));
  if (training_.optimizer->minimizer() != nullptr)
    throw std::logic_error(
        "[step] LBFGS looks at the loss in several places, of which a step of one's own knows none; use fit");
  std::optional<NormClip<T>> clip;
  if (const double limit = training_.settings.clip_norm; limit > 0) clip.emplace(training_.section, limit);
  const Gate::Writer writer(training_.network.gate, &cancel);
  if (!writer) return;
  training_.set(settings);
  auto body = [&](Member& me) {
    training_.begin_step();
    if (clip) clip->norms(me, gradients_);
    apply_gradients(training_, *plan_, shares_, me, gradients_, clip ? clip->factor() : T(1));
  };
  runtime::run_on_team(1, body, nullptr, training_.network.float_mode(true));
  training_.end_step();
  has_gradients_ = false;
}

template class OwnLoop<float>;
template class OwnLoop<double>;

}  // namespace nnext::train
