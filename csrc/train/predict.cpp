#include "train/predict.h"

#include "runtime/blocks.h"
#include "train/arena.h"
#include "train/loss_terms.h"
#include "train/output_rows.h"

namespace nnext::train {

using runtime::Gate;
using runtime::Member;
using runtime::Range;

namespace {

template <class T>
void forward(const nn::Pass<T>& pass, const View<T>& view, Size first, Size last) {
  const nn::Part rows{{0, view.input().rows}};
  for (Size i = first; i < last && !pass.me.stop(); ++i) go_forward(pass, view, i, rows, 0);
}

// Some 40 us of work, as far as there is enough for all members; tiles of a product are filled.
template <class T>
runtime::Blocks::Sizes block_sizes(const Plan<T>& plan, Size rows, int members, Size tile_rows) {
  const Size share = core::divide_up(rows, static_cast<Size>(members));
  const auto enough = static_cast<Size>(4 * runtime::kFlopsPerMember / std::max(plan.flops_per_row(), 1.0));
  const Size least = std::clamp<Size>(enough, 1, std::min(share, runtime::kBlockRows));
  return {least, std::min(runtime::kBlockRows, share), least < tile_rows ? 1 : tile_rows};
}

// Also calls at_head(rows, values) with what the loss reads, for blocks of rows, on all members of the team.
template <class T, class F>
void predict(Training<T>& training, const data::Source<T>& x, Matrix<T> outputs, runtime::Cancel& cancel, F at_head) {
  if (x.rows == 0) return;
  const Gate::Reader reader(training.network.gate);
  const nn::Network<T>& network = training.network;
  const Plan<T> plan(training.shown(), x.shape, std::min<Size>(runtime::kBlockRows, x.rows), training.loss.head,
                     Use::predict);
  const double flops = plan.flops_per_row() * static_cast<double>(x.rows);
  const int members = runtime::members_for(flops);
  std::vector<Arena<T>> arenas;
  while (arenas.size() < static_cast<Size>(members)) arenas.emplace_back(plan, 1);
  const auto block = [&](const Member& me, Range rows) {
    Arena<T>& arena = arenas[static_cast<Size>(me.index())];
    View<T>& view = arena.view(0);
    const nn::Pass<T> pass{.kernels = network.kernels, .me = me};
    arena.poison();
    view.set_rows(rows.size());
    view.set_batch(x.view_or_read(rows.begin, view.input_copy()));
    view.use_lengths(x.has_lengths());
    view.set_lengths({0, rows.size()}, [&](Size i) { return x.length(rows.begin + i); });
    const auto value = [&](const Place& place) { return place.input ? view.input() : ConstMatrix<T>(view.at(place)); };
    forward(pass, view, 0, plan.head_stages());
    at_head(rows, value(plan.head()));
    forward(pass, view, plan.head_stages(), plan.stages().size());
    put_rows<T>(network.kernels.layout, plan.output_shape(), value(plan.output()),
                outputs.rows_from(rows.begin, rows.size()));
  };
  training.predicting_pace.run(members, [&](int now) {
    runtime::Blocks blocks(x.rows, now, block_sizes(plan, x.rows, now, network.kernels.gemm.tile_rows));
    auto help = [&](Member& me) { blocks.each(me, [&](Range rows) { block(me, rows); }); };
    const runtime::TeamRun went =
        runtime::run_with_help(now, help, runtime::where_long(flops, cancel), network.float_mode(false));
    return runtime::Pace::Piece{cancel.requested() ? 0 : flops, went};
  });
}

}  // namespace

template <class T>
void predict(Training<T>& training, const data::Source<T>& x, Matrix<T> outputs, runtime::Cancel& cancel) {
  predict(training, x, outputs, cancel, [](Range, ConstMatrix<T>) {});
}

template <class T>
double evaluate(Training<T>& training, const data::Source<T>& x, const ops::Targets<T>& targets, ConstMatrix<T> weights,
                Matrix<T> outputs, runtime::Cancel& cancel) {
  LossTerms<T> terms(weights, x.rows, training.section.out_shape(x.shape));
  weigh_all(terms, Plan<T>(training.section, x.shape, 1, training.loss.head, Use::predict), x);
  predict(training, x, outputs, cancel, [&](Range rows, ConstMatrix<T> head) {
    terms.compute(training.loss, rows.begin, head, targets.rows_from(rows.begin, rows.size()), {});
  });
  return terms.total(x.rows);
}

template void predict(Training<float>&, const data::Source<float>&, Matrix<float>, runtime::Cancel&);
template void predict(Training<double>&, const data::Source<double>&, Matrix<double>, runtime::Cancel&);
template double evaluate(Training<float>&, const data::Source<float>&, const ops::Targets<float>&, ConstMatrix<float>,
                         Matrix<float>, runtime::Cancel&);
template double evaluate(Training<double>&, const data::Source<double>&, const ops::Targets<double>&,
                         ConstMatrix<double>, Matrix<double>, runtime::Cancel&);

}  // namespace nnext::train
