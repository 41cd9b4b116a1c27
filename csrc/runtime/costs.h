// What is worth how much: every threshold at which the core takes another way. None changes a bit of a result.
#pragma once

#include <chrono>

#include "core/size.h"

namespace nnext::runtime {

// ---- work -----------------------------------------------------------------------------------------------------------

// A few microseconds: not worth leaving the host's lock to others.
inline constexpr double kBriefFlops = 1e5;
// Of the prediction of a row, which reads each weight once: 5 to 10 ms from memory, as long as Python lets a thread have
// its lock.
inline constexpr double kBriefRowFlops = 2e7;
// Of a training step: some 10 us, in which the calls of layers and a look at the clock would show.
inline constexpr double kTinyFlops = 1e6;
// That a member of the team should have for itself: longer than waiting for it takes.
inline constexpr double kFlopsPerMember = 1e6;
// As many operations as reading and changing a byte of a parameter is worth, where few rows share that: a member should
// have 128 KB.
inline constexpr double kFlopsPerByte = 8;
// What may run between two looks at the host: 2 to 4 ms with AVX2, some 50 ms on a CPU that has but SSE2, in float64.
inline constexpr double kQuickFlops = 2e8;
// A step that turns out to be quicker than this need not be interruptible.
inline constexpr std::chrono::milliseconds kQuickStep{30};
// A piece of a training, after which its team may have another size; of one whose members come late by less, 20 ms: each
// beginning costs 1% of 4 ms.
inline constexpr std::chrono::milliseconds kPiece{4}, kLate{1};
// Steps of a tiny network between two looks at the clock, which costs as much as a tenth of one.
inline constexpr core::Size kStepsPerLook = 16;

// ---- memory ---------------------------------------------------------------------------------------------------------

// The smallest L1 data cache among the CPUs in use: Zen 4 has 32 KB, Zen 5 and Sapphire Rapids have 48.
inline constexpr core::Size kL1Bytes = 32768;
// A right operand beyond this is packed: read once as it lies it is quicker from L1, also from the larger ones.
inline constexpr core::Size kPackBytes = 49152;
// Batches between kL1Bytes and this are prefetched: smaller ones are quick to read, larger ones
// push weights out of L2 (2 to 4 %).
inline constexpr core::Size kPrefetchBytes = 8 * kL1Bytes;
// Batches of so few rows are asked for one step ahead; the reads of more rows do not wait for each other.
inline constexpr core::Size kFetchRows = 8;
inline constexpr core::Size kFetchBytes = 256;      // of a row: the hardware goes on
inline constexpr core::Size kMaxPrefetchRows = 16;  // of the next batch, during one piece
// Of so few rows a gradient costs little, and what a piece of one costs beside shows: a layer's columns are gone through
// one after the other, each in one go, as far as a kernel can.
inline constexpr core::Size kFewRows = 8;
// Rows that go through all layers before the next: their activations stay in L2.
inline constexpr core::Size kBlockRows = 128;
// A step of far more rows goes in batches of so many, or of as many as have room in L2 with all that a pass computes: each
// row is then read from memory once, for forward and gradient.
inline constexpr core::Size kBatchRows = 256;
inline constexpr core::Size kBatchBytes = 1048576;
// Of rows with many places, such as images, as many as this has room for, with input and output of a layer.
inline constexpr core::Size kBlockBytes = 524288;

}  // namespace nnext::runtime
