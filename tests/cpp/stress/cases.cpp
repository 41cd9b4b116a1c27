#include "course.h"
#include "kernels/bf16/dispatch.h"

namespace nnext::testing {

std::vector<Case> all_cases(bool quick) {
  std::vector<Case> cases{
      {.name = "tiny", .layers = {linear(2, 8), tanh(), linear(8, 1)}, .in = 2, .out = 1, .rows = 60, .batch = 4},
      {.name = "first layer by features",
       .layers = {linear(96, 256), relu(), linear(256, 10)},
       .in = 96,
       .out = 10,
       .rows = 320,
       .batch = 64,
       .loss = cross_entropy(),
       .classes = true,
       .shuffle = true},
      {.name = "converted samples, dropout",
       .layers = {linear(40, 160), gelu(), dropout(0.3), linear(160, 8)},
       .in = 40,
       .out = 8,
       .rows = 400,
       .batch = 100,
       .loss = huber(0.5),
       .frozen = "3",
       .converted = true,
       .shuffle = true},
      {.name = "batch normalization, branches",
       .layers = {linear(32, 128), batch_norm(128), relu(), residual({linear(128, 128), relu()}), linear(128, 6)},
       .in = 32,
       .out = 6,
       .rows = 330,
       .batch = 100,
       .frozen = "1"},
      {.name = "clipped",
       .layers = {linear(24, 192), relu(), residual({linear(192, 64), tanh()}, {linear(192, 64)}), linear(64, 4)},
       .in = 24,
       .out = 4,
       .rows = 288,
       .batch = 96,
       .frozen = "2",
       .settings = {.clip_norm = 0.05}},
      {.name = "three batches a step",
       .layers = {linear(48, 192), relu(), dropout(0.2), linear(192, 12)},
       .in = 48,
       .out = 12,
       .rows = 256,
       .batch = 30,
       .settings = {.accumulate = 3},
       .shuffle = true},
      {.name = "averages",
       .layers = {linear(48, 192), batch_norm(192), relu(), linear(192, 12)},
       .in = 48,
       .out = 12,
       .rows = 256,
       .batch = 64,
       .settings = {.ema = 0.9},
       .shuffle = true},
      {.name = "the host's loss",
       .layers = {linear(48, 192), relu(), batch_norm(192), linear(192, 12)},
       .in = 48,
       .out = 12,
       .rows = 256,
       .batch = 64,
       .way = Way::host_loss},
      {.name = "a loop of one's own",
       .layers = {linear(48, 192), batch_norm(192), relu(), dropout(0.2), linear(192, 12)},
       .in = 48,
       .out = 12,
       .rows = 240,
       .batch = 96,
       .way = Way::own_loop},
  };
  if (!kernels::available_bf16().empty())
    cases.push_back({.name = "bf16",
                     .layers = {linear(64, 192), relu(), linear(192, 64)},
                     .in = 64,
                     .out = 64,
                     .rows = 256,
                     .batch = 64,
                     .shuffle = true,
                     .bf16 = true});
  if (!quick)
    cases.push_back({.name = "long steps",
                     .layers = {linear(256, 640), relu(), linear(640, 512), relu(), linear(512, 10)},
                     .in = 256,
                     .out = 10,
                     .rows = 256,
                     .batch = 128});
  return cases;
}

Case case_at_rest(const char* name) {
  return {.name = name,
          .layers = {linear(24, 128), relu(), linear(128, 128), tanh(), linear(128, 6)},
          .in = 24,
          .out = 6,
          .rows = 256,
          .batch = 64,
          .rate = 0,
          .shuffle = true};
}

}  // namespace nnext::testing
