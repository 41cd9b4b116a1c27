#include "optim/registry.h"

#include "ops/named.h"
#include "optim/rules/adadelta.h"
#include "optim/rules/adagrad.h"
#include "optim/rules/adam.h"
#include "optim/rules/lion.h"
#include "optim/rules/nadam.h"
#include "optim/rules/radam.h"
#include "optim/rules/rmsprop.h"
#include "optim/rules/rprop.h"
#include "optim/rules/sgd.h"

namespace nnext::optim {
namespace {

template <class T, template <class> class Rule>
std::unique_ptr<Optimizer<T>> make(const core::Config& config) {
  return std::make_unique<Rule<T>>(config);
}

template <class T>
struct Kind {
  const char* name;
  std::unique_ptr<Optimizer<T>> (*make)(const core::Config&);
};

// A row a kind.
template <class T>
inline constexpr Kind<T> kKinds[] = {
    {"SGD", make<T, Sgd>},           {"Adam", make<T, Adam>},       {"AdamW", make<T, AdamW>},
    {"NAdam", make<T, NAdam>},       {"RAdam", make<T, RAdam>},     {"Adagrad", make<T, Adagrad>},
    {"Adadelta", make<T, Adadelta>}, {"RMSprop", make<T, RmsProp>}, {"Lion", make<T, Lion>},
    {"Rprop", make<T, Rprop>},
};

}  // namespace

template <class T>
std::unique_ptr<Optimizer<T>> make_optimizer(const core::Config& config) {
  return ops::find_named<Kind<T>>(kKinds<T>, "optimizer", config.type()).make(config);
}

template std::unique_ptr<Optimizer<float>> make_optimizer(const core::Config&);
template std::unique_ptr<Optimizer<double>> make_optimizer(const core::Config&);

}  // namespace nnext::optim
