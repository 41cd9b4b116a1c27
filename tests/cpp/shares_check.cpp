#include <map>

#include "core_checks.h"
#include "train/shares.h"

namespace nnext::testing {

namespace {

using train::Plan;
using train::Shares;
using train::Stage;

// Every element of every parameter of the stages that train, exactly once, in pieces of a size that fits L1.
bool covers(const Plan<float>& plan, const Shares& shares) {
  std::map<std::pair<Size, Size>, std::vector<int>> seen;  // by stage and parameter
  for (Size i = 0; i < plan.stages().size(); ++i)
    if (const Stage<float>& stage = plan.stages()[i]; stage.trains())
      for (Size p = 0; p < stage.layer().parameters.size(); ++p)
        seen[{i, p}].assign(stage.layer().parameters[p].stored, 0);
  for (const auto& tasks : shares.tasks)
    for (const train::Task& task : tasks)
      for (const nn::Piece& piece : task.pieces) {
        if (piece.count > nn::kMaxPiece) return false;
        for (Size i = 0; i < piece.count; ++i) ++seen.at({task.stage, piece.parameter}).at(piece.offset + i);
      }
  for (const auto& [key, counts] : seen)
    for (const int count : counts)
      if (count != 1) return false;
  return true;
}

// Pieces of a group follow each other, in the layer's order.
bool keeps_groups(const Plan<float>& plan, const Shares& shares) {
  for (Size i = 0; i < plan.stages().size(); ++i) {
    if (!plan.stages()[i].trains()) continue;
    std::map<Size, std::vector<std::pair<Size, Size>>> wanted;
    for (const nn::Piece& piece : plan.stages()[i].layer().pieces())
      wanted[piece.group].emplace_back(piece.parameter, piece.offset);
    for (const auto& tasks : shares.tasks)
      for (const train::Task& task : tasks) {
        if (task.stage != i) continue;
        std::map<Size, std::vector<std::pair<Size, Size>>> mine;
        for (const nn::Piece& piece : task.pieces) mine[piece.group].emplace_back(piece.parameter, piece.offset);
        for (const auto& [group, pieces] : mine)
          if (pieces != wanted[group]) return false;
      }
  }
  return true;
}

// Blocks of the first stage are parted among all, and a weight's piece belongs to the share of its block.
bool parts_first(const Plan<float>& plan, const Shares& shares) {
  Size next = 0;
  for (const runtime::Range& blocks : shares.first_blocks) {
    if (blocks.begin != next || blocks.size() == 0) return false;
    next = blocks.end;
  }
  if (next != plan.stages().front().layer().feature_blocks()) return false;
  for (Size share = 0; share < shares.count(); ++share)
    for (const train::Task& task : shares.tasks[share])
      for (const nn::Piece& piece : task.pieces)
        if (task.stage == 0 &&
            (piece.block < shares.first_blocks[share].begin || piece.block >= shares.first_blocks[share].end))
          return false;
  return true;
}

// A smaller team does every share once.
bool all_are_done(const Shares& shares, int members) {
  std::vector<int> done(shares.count(), 0);
  runtime::Barrier barrier(1, false);
  for (int i = 0; i < members; ++i)
    train::for_own_shares({i, members, barrier, nullptr}, shares, [&](Size share) { ++done[share]; });
  return std::all_of(done.begin(), done.end(), [](int count) { return count == 1; });
}

bool rows_are_parted(Size rows, Size grain, int members) {
  Size next = 0;
  runtime::Barrier barrier(1, false);
  for (int i = 0; i < members; ++i) {
    const runtime::Range mine = runtime::Member(i, members, barrier, nullptr).share(rows, grain);
    if (mine.begin != next || (mine.begin % grain != 0 && mine.size() > 0)) return false;
    next = mine.end;
  }
  return next == rows;
}

}  // namespace

void check_shares(Statements& says) {
  std::vector<Shape> shapes = all_shapes();
  shapes.push_back({"wide", {linear(100, 1024), relu(), linear(1024, 700), batch_norm(700)}, 100});
  shapes.push_back({"wide statistics", {linear(3, 7000), batch_norm(7000)}, 3});
  for (const Shape& shape : shapes) {
    const Whole whole(shape.layers);
    const Plan<float> plan(whole.section, shape.in, 64, whole.section.nodes().size(), train::Use::train);
    bool once = true, groups = true, first = true, done = true;
    for (const bool freezes : {false, true}) {
      for (nn::Node<float>& node : whole.section.nodes()) node.layer->trainable = !freezes || node.number % 2 == 1;
      for (int members = 1; members <= 8; ++members)
        for (const Shares& shares : {share_rows(plan, members), share_step(plan, members)}) {
          once &= shares.count() == static_cast<Size>(members) && covers(plan, shares);
          groups &= keeps_groups(plan, shares);
          first &= !shares.split_first() || parts_first(plan, shares);
          for (int fewer = 1; fewer <= members; ++fewer) done &= all_are_done(shares, fewer);
        }
    }
    says.holds(std::string("shares of ") + shape.name + ": every piece exactly once", once);
    says.holds(std::string("shares of ") + shape.name + ": no group is parted", groups);
    says.holds(std::string("shares of ") + shape.name + ": features of the first stage", first);
    says.holds(std::string("shares of ") + shape.name + ": a smaller team does them all", done);
  }
  const Whole wide(shapes[shapes.size() - 2].layers);
  const Plan<float> plan(wide.section, 100, 64, wide.section.nodes().size(), train::Use::train);
  says.holds("a wide first layer is split by features", share_step(plan, 2).split_first());
  says.holds("but not for one member", !share_step(plan, 1).split_first());

  bool parted = true;
  for (const Size rows : {0, 1, 31, 32, 33, 64, 100, 1000})
    for (const Size grain : {1, 32})
      for (int members = 1; members <= 8; ++members) parted &= rows_are_parted(rows, grain, members);
  says.holds("members part all rows, by grains", parted);
}

}  // namespace nnext::testing
