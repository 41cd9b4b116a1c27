#include "core_checks.h"
#include "optim/registry.h"

namespace nnext::testing {

namespace {

void build(const std::vector<Config>& layers, Size in) { static_cast<void>(Whole(layers).section.out_shape(in)); }

Config without_type() { return {}; }

}  // namespace

void check_configs(Statements& says) {
  const Config given = describe(
      "Layer",
      {{"whole", whole(3)}, {"real", 0.5}, {"flag", true}, {"less", std::int64_t{0}}, {"list", std::vector<Config>{}}});
  says.holds("a whole number is a number", given.number("whole") == 3);
  says.holds("a field that is not given is absent", !given.has("other") && given.has("flag"));
  says.refuses("the description of Layer needs the field 'other', which must be given", [&] { given.number("other"); });
  says.refuses("'real', which must be a whole number", [&] { given.size("real"); });
  says.refuses("'less', which must be at least 1", [&] { given.size("less"); });
  says.refuses("'whole', which must be a bool", [&] { given.flag("whole"); });
  says.refuses("'flag', which must be a number", [&] { given.number("flag"); });
  says.refuses("'real', which must be a string", [&] { given.text("real"); });
  says.refuses("'real', which must be a list of numbers", [&] { given.numbers("real"); });
  says.refuses("'list', which must be one description", [&] { given.child("list"); });
  says.refuses("something without a type needs the field 'type'", [] { without_type().type(); });

  says.refuses("[layer] unknown layer 'Linea'; use one of Linear, ", [] { build({describe("Linea")}, 1); });
  says.refuses("the description of Dropout needs the field 'p'", [] { build({describe("Dropout")}, 1); });
  says.refuses("layer 1: [linear] x has 3 features but the layer expects 4",
               [] { build({linear(2, 3), linear(4, 1)}, 2); });
  says.refuses("layer 0.body.1: [batch_norm] x has 5 features but the layer expects 6",
               [] { build({residual({linear(2, 5), batch_norm(6)})}, 2); });
  says.refuses("layer 1: [residual] one branch gives (3,) a sample but another (2,)",
               [] { build({relu(), residual({linear(2, 3)})}, 2); });
  says.refuses("layer 0.body.0: a Linear of these sizes has more numbers than memory has addresses",
               [] { build({residual({linear(Size{1} << 40, Size{1} << 40)})}, 2); });
  says.refuses("[initializer] unknown initializer 'he'", [] {
    Config layer = linear(2, 3);
    layer.set("weight_init", std::vector<Config>{describe("he")});
    build({layer}, 2);
  });
  const Whole claims({linear(2, 100'000), linear(100'000, 100'000), batch_norm(100'000)});
  Size numbers = 0;
  bool empty = true;
  claims.section.for_parameters([&](const auto&, const nn::Parameter<float>& parameter, Size) {
    numbers += parameter.stored, empty = empty && parameter.values.size() == 0;
  });
  says.holds("40 GB are described before any are asked for", numbers > Size{10'000'000'000} && empty);

  says.refuses("[optimizer] unknown optimizer 'Sgd'; use one of SGD, ",
               [] { optim::make_optimizer<float>(describe("Sgd")); });
  says.refuses("the description of SGD needs the field 'lr'", [] { optim::make_optimizer<float>(describe("SGD")); });
}

}  // namespace nnext::testing
