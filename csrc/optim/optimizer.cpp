#include "optim/optimizer.h"

#include "ops/named.h"

namespace nnext::optim {

template <class T>
Size Optimizer<T>::find_setting(std::string_view name) {
  const Settings known = settings();
  const std::span<const Setting> all = known;
  return static_cast<Size>(&ops::find_named(all, "setting", name) - all.data());
}

template class Optimizer<float>;
template class Optimizer<double>;

}  // namespace nnext::optim
