// Sparse matrices, SciPy's and whatever else speaks as they do.
#pragma once

#include "bindings/rows.h"

namespace nnext::bindings {

// The matrix as CSR: what has `indptr`, `indices`, `data`, `shape` and the format "csr", or a method tocsr() that gives
// such. None for everything else.
py::object as_csr(const py::handle& object);

// Its arrays stay where they are, unless numbers are neither float32 nor float64, or a column occurs twice in a row:
// such entries are added up first, in their order, as toarray() does.
template <class T>
Rows<T> as_sparse_rows(const py::object& csr, const RowsWanted<T>& wanted, T scale, const Argument& argument);

}  // namespace nnext::bindings
