#include "train/shares.h"

#include <algorithm>

#include "runtime/costs.h"

namespace nnext::train {

namespace {

struct Owned {
  Size stage;
  nn::Piece piece;
  Size work;  // numbers, as often as each is used for a sample
};

// A layer's pieces. Where rows are few a block's come one after the other, those of its last parameter first: a bias is
// where sums begin (nn::Ahead).
template <class T>
std::vector<nn::Piece> ordered_pieces(const nn::Layer<T>& layer, Size rows) {
  std::vector<nn::Piece> pieces = layer.pieces();
  if (rows > runtime::kFewRows || !layer.goes_ahead()) return pieces;
  std::stable_sort(pieces.begin(), pieces.end(), [](const nn::Piece& a, const nn::Piece& b) {
    return a.block != b.block ? a.block < b.block : a.parameter > b.parameter;
  });
  return pieces;
}

// All pieces of all stages that train, last stage first.
template <class T>
std::vector<Owned> all_pieces(const Plan<T>& plan) {
  std::vector<Owned> all;
  for (Size i = plan.stages().size(); i-- > 0;)
    if (const Stage<T>& stage = plan.stages()[i]; stage.trains())
      for (const nn::Piece& piece : ordered_pieces(stage.layer(), plan.batch()))
        all.push_back({i, piece, piece.count * stage.out.places()});
  return all;
}

void add(std::vector<Task>& tasks, const Owned& owned) {
  if (tasks.empty() || tasks.back().stage != owned.stage) tasks.push_back({owned.stage, {}});
  tasks.back().pieces.push_back(owned.piece);
}

bool same_group(const Owned& a, const Owned& b) { return a.stage == b.stage && a.piece.group == b.piece.group; }

// Gives pieces that belong to no share yet to those that have least, in order, so that neighbours stay together. `work`
// is what each share has already.
void share_rest(const std::vector<Owned>& rest, Size total, std::vector<Size> work, Shares& shares) {
  auto next = rest.begin();
  for (Size share = 0; share < shares.count(); ++share) {
    std::vector<Task>& tasks = shares.tasks[share];
    const bool last = share + 1 == shares.count();
    for (Size& mine = work[share]; next != rest.end();) {
      const bool goes_on = next != rest.begin() && !tasks.empty() && same_group(*(next - 1), *next);
      if (!goes_on && !last && mine >= total / shares.count()) break;
      mine += next->work;
      add(tasks, *next++);
    }
  }
}

Size total_work(const std::vector<Owned>& pieces) {
  Size total = 0;
  for (const Owned& owned : pieces) total += owned.work;
  return total;
}

// Shares differ by at most an eighth of the largest.
bool fair(Size blocks, Size shares) { return blocks / shares * 8 >= core::divide_up(blocks, shares) * 7; }

}  // namespace

template <class T>
Shares share_rows(const Plan<T>& plan, int shares) {
  Shares result{std::vector<std::vector<Task>>(static_cast<Size>(shares))};
  const std::vector<Owned> all = all_pieces(plan);
  share_rest(all, total_work(all), std::vector<Size>(result.count()), result);
  return result;
}

template <class T>
Shares share_step(const Plan<T>& plan, int shares) {
  const auto count = static_cast<Size>(shares);
  const nn::Layer<T>* const first = plan.head_stages() > 0 ? &plan.stages().front().layer() : nullptr;
  const Size blocks = first != nullptr ? first->feature_blocks() : 1;
  const bool goes_ahead = plan.batch() == 1 && first != nullptr && first->goes_ahead();
  if ((count == 1 && !goes_ahead) || blocks < count || !fair(blocks, count)) return share_rows(plan, shares);
  Shares result{std::vector<std::vector<Task>>(count), std::vector<Range>(count)};
  for (Size i = 0; i < count; ++i) result.first_blocks[i] = {blocks * i / count, blocks * (i + 1) / count};
  const std::vector<Owned> all = all_pieces(plan);
  std::vector<Owned> rest;
  std::vector<Size> work(count);
  for (const Owned& owned : all) {
    if (owned.stage != 0) {
      rest.push_back(owned);
      continue;
    }
    Size owner = 0;
    while (owned.piece.block >= result.first_blocks[owner].end) ++owner;
    work[owner] += owned.work;
    add(result.tasks[owner], owned);
  }
  share_rest(rest, total_work(all), std::move(work), result);
  return result;
}

template Shares share_rows(const Plan<float>&, int);
template Shares share_rows(const Plan<double>&, int);
template Shares share_step(const Plan<float>&, int);
template Shares share_step(const Plan<double>&, int);

}  // namespace nnext::train
