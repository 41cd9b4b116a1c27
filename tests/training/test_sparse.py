"""Sparse X: the bits of the array of the same numbers, wherever X is taken, and never that array as a whole."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nnext as nn
from internals import training_state
from sparse import Csr, Other, csr, sparse_numbers
from support import assert_same_bits, run_python, unwritten

FEATURES, CLASSES = 23, 3


def network(dtype: str = "float32", **compiled: Any) -> nn.Sequential:
    model = nn.Sequential(
        nn.Linear(FEATURES, 17), nn.ReLU(), nn.Dropout(0.2), nn.Linear(17, CLASSES), seed=5, dtype=dtype
    )
    model.compile(
        **{"loss": "cross_entropy", "optimizer": nn.SGD(lr=1e-4, momentum=0.9), "metrics": ["accuracy"], **compiled}
    )
    return model


def everything(X: Any, y: Any, dtype: str = "float32", scale: float = 1.0, **fit: Any) -> dict[str, Any]:
    """Call all that takes X; return every result as an array."""
    model = network(dtype)
    results = {"forward": model.forward(X, scale=scale)}
    loss, grads = model.loss_and_grads(X, y, scale=scale)
    results |= {f"grad {name}": gradient for name, gradient in grads.items()} | {"loss": np.array(loss)}
    given = {"epochs": 2, "batch_size": 16, "verbose": 0, "validation_data": (X, y), **fit}
    history = model.fit(X, y, scale=scale, **given).history
    results |= {f"fit {name}": np.array(values) for name, values in history.items()}
    results |= {f"evaluate {k}": np.array(v) for k, v in model.evaluate(X, y, scale=scale).items()}
    results |= {"predict": model.predict(X, scale=scale), "unchecked": model.predict(X, check=False, scale=scale)}
    results |= {"proba": model.predict_proba(X, scale=scale), "classes": model.predict_classes(X, scale=scale)}
    if scale == 1:
        results["predictor"] = model.compile_inference()(X)
    return results | training_state(model)


@pytest.mark.parametrize("index", ["int32", "int64"])
@pytest.mark.parametrize("scale", [1.0, 1 / 255, -3.0])
@pytest.mark.parametrize("stored", ["float32", "float64", "float16", "int64", "uint8", "bool"])
def test_bits_are_those_of_the_array(
    rng: np.random.Generator, dtype: str, stored: str, scale: float, index: str
) -> None:
    dense, y = abs(sparse_numbers(rng, 75, FEATURES)).astype(stored), rng.integers(CLASSES, size=75)
    X = csr(dense, index)
    for shuffle in (True, False):
        expected = everything(dense, y, dtype, scale, shuffle=shuffle)
        with unwritten(X.indptr, X.indices, X.data):
            assert_same_bits(everything(X, y, dtype, scale, shuffle=shuffle), expected)


@pytest.mark.parametrize("make", ["csr_matrix", "csr_array", "csc_matrix", "coo_array", "lil_array", "dok_array"])
def test_all_formats_of_scipy(rng: np.random.Generator, make: str) -> None:
    dense, y = sparse_numbers(rng, 40, FEATURES), rng.integers(CLASSES, size=40)
    X = getattr(pytest.importorskip("scipy.sparse"), make)(dense)
    assert_same_bits(everything(X, y), everything(dense, y))
    assert_same_bits(everything(X[3:30].tocsr(), y[3:30]), everything(dense[3:30], y[3:30]))


def test_a_format_of_its_own_is_made_csr(rng: np.random.Generator) -> None:
    dense, y = sparse_numbers(rng, 40, FEATURES), rng.integers(CLASSES, size=40)
    assert_same_bits(everything(Other(csr(dense)), y), everything(dense, y))


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("batch_size", [1, 7, 480, 5000])
def test_batches_threads_and_weights(rng: np.random.Generator, batch_size: int, threads: int) -> None:
    n = 1100 if batch_size > 7 else 60
    dense, weight = sparse_numbers(rng, n, 165), rng.uniform(0, 2, size=n)
    weight[rng.random(n) < 0.1] = 0
    y = np.eye(10, dtype="float32")[rng.integers(10, size=n)]
    states = []
    for X in (dense, csr(dense)):
        for shuffle in (True, False):
            model = nn.MLP([165, 131, 10], dropout=0.3)
            model.compile(loss="mse", optimizer=nn.Adam())
            with nn.runtime.threads(threads):
                model.fit(X, y, batch_size=batch_size, shuffle=shuffle, sample_weight=weight, verbose=0)
                states.append(training_state(model) | {"outputs": model.predict(X)})
    assert_same_bits(states[2], states[0])
    assert_same_bits(states[3], states[1])


@pytest.mark.parametrize("order", ["shuffled", "last"])
def test_rows_that_are_held_out_or_weigh_nothing(rng: np.random.Generator, order: str) -> None:
    dense, y, weight = sparse_numbers(rng, 60, FEATURES), np.arange(60) % CLASSES, np.arange(60) % 4
    columns = csr(dense)
    columns.indices[columns.indptr[40] : columns.indptr[41]] = 3  # several entries of one place
    dense[40, :], dense[40, 3] = 0, columns.data[columns.indptr[40] : columns.indptr[41]].cumsum(dtype="float32")[-1]
    options = {"validation_split": 0.3, "validation_order": order, "sample_weight": weight, "validation_data": None}
    for X in (columns, Other(columns)):
        assert_same_bits(everything(X, y, **options), everything(dense, y, **options))


def squares(y_pred: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    return float(((y_pred - y) ** 2).mean()), 2 * (y_pred - y) / y.size


@pytest.mark.parametrize("how", ["own loss", "clip_norm", "batch norm", "identity"])
def test_every_way_through_the_core(rng: np.random.Generator, how: str) -> None:
    dense, y = sparse_numbers(rng, 50, FEATURES), rng.normal(size=(50, FEATURES)).astype("float32")
    layers: list[nn.Layer] = [] if how == "identity" else [nn.Linear(FEATURES, FEATURES)]
    layers = [nn.BatchNorm1d(FEATURES), *layers] if how == "batch norm" else [nn.Identity(), *layers]
    states = []
    for X in (dense, csr(dense)):
        model = nn.Sequential(*layers)
        model.compile(
            squares if how == "own loss" else "mse",
            nn.SGD(lr=1e-6),
            metrics=["mse"],
            clip_norm=0.1 if how == "clip_norm" else None,
        )
        for shuffle in (True, False):
            given = {"batch_size": 16, "shuffle": shuffle, "validation_data": (X, y), "verbose": 0}
            history = model.fit(X, y, **given).history
            states.append(model.state_dict() | {name: np.array(values) for name, values in history.items()})
            states[-1] |= {name: np.array(value) for name, value in model.evaluate(X, y).items()}
            states[-1] |= model.loss_and_grads(X, y)[1]
    assert_same_bits(states[2], states[0])
    assert_same_bits(states[3], states[1])


@pytest.mark.parametrize("scale", [1.0, -0.5])
@pytest.mark.parametrize("stored", ["float32", "float64"])
def test_entries_that_are_unsorted_or_twice_there(
    rng: np.random.Generator, dtype: str, stored: str, scale: float
) -> None:
    """Entries of one place add up in their order, as SciPy's toarray() has it; a stored -0 becomes 0 as there."""
    n, entries = 30, 200
    rows = np.sort(rng.integers(n - 1, size=entries))
    columns, values = rng.integers(FEATURES, size=entries), rng.normal(size=entries).astype(stored)
    values[::7], values[1::7] = -0.0, 1e-40
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n))])
    X, y = Csr(starts, columns, values, (n, FEATURES)), rng.integers(CLASSES, size=n)
    dense = np.zeros(X.shape, stored)
    np.add.at(dense, (rows, columns), values)
    with unwritten(X.indptr, X.indices, X.data):
        assert_same_bits(everything(X, y, dtype, scale), everything(dense, y, dtype, scale))
    scipy_sparse = pytest.importorskip("scipy.sparse")
    assert_same_bits(scipy_sparse.csr_array((values, columns, starts), shape=X.shape).toarray(), dense)
    identity = nn.Sequential(nn.Identity(), dtype=dtype)
    assert_same_bits(identity.predict(X, scale=scale), dense.astype(dtype) * np.dtype(dtype).type(scale))


def test_predictions_may_take_the_place_of_the_entries() -> None:
    X = csr(np.arange(1.0, 13).reshape(4, 3).astype("float32"))
    model = nn.Sequential(nn.Linear(3, 3))
    expected = model.predict(np.arange(1.0, 13).reshape(4, 3))
    out = X.data.reshape(4, 3)
    assert model.predict(X, out=out) is out
    assert_same_bits(out, expected)


# ---- What is refused ------------------------------------------------------------------------------------------------

STARTS, COLUMNS = [0, 2, 2, 3], [0, 4, 1]
VALUES = [1.0, 2.0, 3.0]
WRONG: dict[str, tuple[Callable[[], Csr], type[Exception], str]] = {
    "few starts": (lambda: Csr(STARTS[1:], COLUMNS, VALUES, (3, 5)), ValueError, "has 3 numbers in indptr but 3 rows"),
    "falling": (lambda: Csr([0, 2, 1, 3], COLUMNS, VALUES, (3, 5)), ValueError, "has 1 at 2 in indptr"),
    "negative": (lambda: Csr([-1, 2, 2, 3], COLUMNS, VALUES, (3, 5)), ValueError, "has -1 at 0 in indptr"),
    "beyond": (lambda: Csr([0, 2, 2, 4], COLUMNS, VALUES, (3, 5)), ValueError, "has 4 at 3 in indptr, .* at most 3"),
    "few values": (lambda: Csr(STARTS, COLUMNS, VALUES[:2], (3, 5)), ValueError, "has 3 at 3 in indptr, .* at most 2"),
    "column": (lambda: Csr(STARTS, [0, 5, 1], VALUES, (3, 5)), ValueError, "has the column 5 in row 0 but 5 columns"),
    "huge": (lambda: Csr(STARTS, [0, 2**40, 1], VALUES, (3, 5)), ValueError, f"has the column {2**40} in row 0"),
    "minus": (lambda: Csr(STARTS, [0, 4, -1], VALUES, (3, 5)), ValueError, "has the column -1 in row 2 but 5 columns"),
    "real": (lambda: Csr(STARTS, [0, 4, 1.5], VALUES, (3, 5)), TypeError, "has indices of dtype float64; build"),
    "matrix": (lambda: Csr(STARTS, [COLUMNS], VALUES, (3, 5)), ValueError, r"has indices of shape \(1, 3\); build"),
    "text": (lambda: Csr(STARTS, COLUMNS, ["a", "b", "c"], (3, 5)), TypeError, "has dtype <U1, with 'a' at 0"),
    "complex": (lambda: Csr(STARTS, COLUMNS, [1j, 1, 1], (3, 5)), TypeError, "has dtype complex128"),
    "nan": (lambda: Csr(STARTS, COLUMNS, [1, np.nan, np.inf], (3, 5)), ValueError, r"has 2 .* first nan at \(0, 4\)"),
    "large": (lambda: Csr(STARTS, COLUMNS, [1, 1, -1e300], (3, 5)), ValueError, r"has -1e\+300 at \(2, 1\)"),
    "sum": (
        lambda: Csr(STARTS, [4, 4, 1], np.full(3, 3e38, "float32"), (3, 5)), ValueError, r"has 1 .* inf at \(0, 4\)"
    ),
    "features": (lambda: Csr(STARTS, COLUMNS, VALUES, (3, 6)), ValueError, "has 6 features but the network expects 5"),
}  # fmt: skip
DOORS: dict[str, Callable[[nn.Sequential, Any], Any]] = {
    "fit": lambda model, X: model.fit(X, np.arange(3) % 2, verbose=0),
    "evaluate": lambda model, X: model.evaluate(X, np.arange(3) % 2),
    "predict": lambda model, X: model.predict(X),
    "forward": lambda model, X: model.forward(X),
    "loss_and_grads": lambda model, X: model.loss_and_grads(X, np.arange(3) % 2),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_no_matrix_for_the_network_is_refused(wrong: str, door: str) -> None:
    make, error, message = WRONG[wrong]
    model = nn.MLP([5, 2])
    model.compile("cross_entropy")
    with pytest.raises(error, match=rf"^\[{door}\] X {message}"):
        DOORS[door](model, make())


def test_the_scale_is_told_where_it_makes_a_number_infinite() -> None:
    model, X = nn.MLP([5, 2]), Csr(STARTS, COLUMNS, np.array([1, 1, 3e38], "float32"), (3, 5))
    with pytest.raises(ValueError, match=r"X has 3e\+38 at \(2, 1\), which times scale 2 is infinite in float32"):
        model.predict(X, scale=2)


def test_unchecked_predictions_have_nan_where_x_has() -> None:
    model, X = nn.MLP([5, 2]), Csr(STARTS, COLUMNS, [1, 1, np.nan], (3, 5))
    outputs = model.predict(X, check=False)
    assert np.isnan(outputs).tolist() == [[False, False], [False, False], [True, True]]
    with pytest.raises(ValueError, match=r"has the column 9 in row 0"):
        model.predict(Csr(STARTS, [9, 4, 1], VALUES, (3, 5)), check=False)


# ---- Memory ---------------------------------------------------------------------------------------------------------

FIT_LARGE = """
import re
import numpy as np
import nnext as nn
from sparse import Csr

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]) / 1024

rng, rows, cols, each = np.random.default_rng(0), 10_000, 50_000, 50  # 2 GB as an array
indices = np.sort(rng.integers(cols, size=(rows, each), dtype="int32"), axis=1).reshape(-1)
X = Csr(np.arange(0, rows * each + 1, each), indices, rng.random(rows * each, "float32"), (rows, cols))
y = rng.integers(2, size=rows)
model = nn.MLP([cols, 16, 2])
model.compile("cross_entropy", nn.SGD(lr=0.1), metrics=["accuracy"])
before = peak()
model.fit(X, y, batch_size=64, validation_split=0.1, verbose=0)
model.evaluate(X, y), model.predict(X)
print(peak() - before)
"""


@pytest.mark.resources
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_2_gb_are_trained_on_in_100_mb() -> None:
    result = run_python(FIT_LARGE)
    assert result.returncode == 0, result.stderr
    assert float(result.stdout) < 100
