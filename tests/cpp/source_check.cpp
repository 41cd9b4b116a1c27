// Every source gives the rows that its numbers are, however they are asked for.
#include "core/errors.h"
#include "core_checks.h"
#include "data/csr_rows.h"
#include "data/dense_rows.h"
#include "kernels/dispatch.h"

namespace nnext::testing {

namespace {

using data::Source;

constexpr Size kRows = 300, kCols = 21;

// A fifth of the numbers is not zero; a row and a column are empty.
std::vector<double> some_numbers() {
  std::vector<double> numbers(kRows * kCols);
  for (Size i = 0; i < numbers.size(); ++i)
    if (i * 7 % 5 == 0 && i / kCols != 4 && i % kCols != 6) numbers[i] = static_cast<double>(i % 97) - 40;
  return numbers;
}

struct Entries {
  std::vector<std::int64_t> starts{0}, columns;
  std::vector<double> values;
};

Entries entries_of(const std::vector<double>& numbers) {
  Entries entries;
  for (Size i = 0; i < numbers.size(); ++i) {
    if (numbers[i] != 0)
      entries.columns.push_back(static_cast<std::int64_t>(i % kCols)), entries.values.push_back(numbers[i]);
    if (i % kCols == kCols - 1) entries.starts.push_back(static_cast<std::int64_t>(entries.values.size()));
  }
  return entries;
}

// Asked for in a row, from the middle, and in an order with repetitions, in more rows than are looked up at once.
bool gives(const Source<float>& source, const std::vector<float>& wanted) {
  const auto row = [&](Size i) { return wanted.begin() + static_cast<std::ptrdiff_t>(i * kCols); };
  const auto same = [&](const float* found, Size i) { return std::equal(row(i), row(i) + kCols, found); };
  std::vector<float> room(2 * kRows * kCols);
  std::vector<std::uint32_t> order(2 * source.rows);
  for (Size i = 0; i < order.size(); ++i) order[i] = static_cast<std::uint32_t>(i * 11 % source.rows);
  bool good = source.cols == kCols && source.rows * kCols == wanted.size();
  source.gather(order.data(), {room.data(), order.size(), kCols});
  for (Size i = 0; i < order.size(); ++i) good &= same(room.data() + i * kCols, order[i]);
  for (const Size first : {Size{0}, source.rows / 2, source.rows - 1}) {
    const core::ConstMatrix<float> block = source.view_or_read(first, {room.data(), source.rows - first, kCols});
    for (Size i = first; i < source.rows; ++i) good &= same(block.row(i - first), i);
  }
  return good;
}

template <class N>
bool lies(const Source<float>& source, const std::vector<N>& numbers, const std::vector<std::uint32_t>& rows) {
  bool good = source.row_bytes() == kCols * sizeof(N);
  for (Size i = 0; i < rows.size(); ++i) good &= source.address(i) == numbers.data() + rows[i] * kCols;
  return good;
}

}  // namespace

void check_sources(Statements& says) {
  const auto& kernels = kernels::current_kernels<float>();
  const std::vector<double> numbers = some_numbers();
  const std::vector<float> narrow(numbers.begin(), numbers.end());
  const Entries entries = entries_of(numbers);
  std::vector<std::uint32_t> all, some;
  for (std::uint32_t i = 0; i < kRows; ++i) all.push_back(i);
  for (std::uint32_t i = 0; i < 280; ++i) some.push_back(i * 13 % kRows);
  const auto stride = [](Size bytes) { return static_cast<core::Stride>(kCols * bytes); };
  const data::Stored as_float{kernels::NumberType::float32, narrow.data(), stride(sizeof(float))};
  const data::Stored as_double{kernels::NumberType::float64, numbers.data(), stride(sizeof(double))};
  for (const float scale : {1.0F, -0.5F}) {
    for (const std::vector<std::uint32_t>& rows : {all, some}) {
      const std::uint32_t* chosen = rows.size() == kRows ? nullptr : rows.data();
      std::vector<float> wanted;
      for (const std::uint32_t row : rows)
        for (Size j = 0; j < kCols; ++j) wanted.push_back(narrow[row * kCols + j] * scale);
      const std::string of = core::message(" of ", rows.size(), " rows times ", scale);
      const data::DenseRows<float> plain(kernels, rows.size(), kCols, as_float, scale, chosen);
      const data::DenseRows<float> wide(kernels, rows.size(), kCols, as_double, scale, chosen);
      const data::CsrRows<float, std::int64_t, double> sparse(
          rows.size(), kCols, {entries.starts.data(), entries.columns.data(), entries.values.data()}, scale, chosen);
      says.holds("an array of float32" + of, gives(plain, wanted) && lies(plain, narrow, rows));
      says.holds("an array of float64" + of, gives(wide, wanted) && lies(wide, numbers, rows));
      says.holds("a sparse matrix" + of, gives(sparse, wanted) && sparse.row_bytes() == 0);
      says.holds("only what needs nothing is read in place" + of,
                 plain.in_place() == (chosen == nullptr && scale == 1) && !wide.in_place() && !sparse.in_place());
    }
  }
}

}  // namespace nnext::testing
