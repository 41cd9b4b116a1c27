// Numbers on their way between their layouts look at the host, and stop where it asks for that.
#include <thread>

#include "core_checks.h"
#include "runtime/cancel.h"

namespace nnext::testing {

namespace {

using runtime::Cancel;

// Ones in place of a network's parameters, moved to their public layout and from it: how many came.
Size moved(const Whole& whole, Cancel* cancel) {
  Size came = 0;
  whole.section.for_parameters([&](const nn::Node<float>& node, const nn::Parameter<float>& parameter, Size index) {
    const Size own = index - whole.section.index(node, 0);
    const std::vector<float> ones(parameter.stored, 1);
    std::vector<float> logical(parameter.stored), stored(parameter.stored);
    node.layer->to_logical(own, ones.data(), logical.data(), cancel);
    node.layer->from_logical(own, ones.data(), stored.data(), cancel);
    for (const float number : logical) came += number != 0;
    for (const float number : stored) came += number != 0;
  });
  return came;
}

}  // namespace

void check_cancels(Statements& says) {
  const Whole whole({linear(20, 300), relu(), batch_norm(300)});
  runtime::set_poll([] { return true; });
  Cancel asked, never;
  says.holds("numbers move where nobody asks for a stop", moved(whole, nullptr) > 0);
  std::this_thread::sleep_for(2 * Cancel::kInterval);
  says.holds("none move once the host has asked for a stop", moved(whole, &asked) == 0 && asked.requested());
  runtime::set_poll(nullptr);
  says.holds("all move where it never asks", moved(whole, &never) == moved(whole, nullptr));
}

}  // namespace nnext::testing
