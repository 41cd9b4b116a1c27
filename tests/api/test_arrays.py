"""The one door for arrays, what is taken: any number, however it lies, gives the bits of the contiguous native copy."""

import pathlib
import resource
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nnext as nn
from internals import training_state
from layouts import LAYOUTS
from support import assert_same_bits, unchanged, unwritten

N, FEATURES, CLASSES = 12, 5, 4


def model(dtype: str = "float32", loss: str = "cross_entropy") -> nn.Sequential:
    net = nn.Sequential(nn.Tanh(), nn.Linear(FEATURES, 7), nn.ReLU(), nn.Linear(7, CLASSES), dtype=dtype)
    net.compile(loss=loss, optimizer=nn.Adam(), metrics=["accuracy"] if loss == "cross_entropy" else [])
    return net


def everything(X: Any, y: Any, weight: Any, loss: str = "cross_entropy", dtype: str = "float32") -> dict[str, Any]:
    """Call all that takes arrays; return every result as an array."""
    net = model(dtype, loss)
    results = {"predict": net.predict(X), "forward": net.forward(X)}
    results |= {"dX": net.backward(results["forward"])}
    if net.decision.kind != "numbers":
        results |= {"proba": net.predict_proba(X), "classes": net.predict_classes(X)}
    value, grads = net.loss_and_grads(X, y, sample_weight=weight)
    results |= {f"grad {name}": gradient for name, gradient in grads.items()} | {"loss": np.array(value)}
    history = net.fit(X, y, epochs=2, batch_size=5, sample_weight=weight, validation_data=(X, y, weight), verbose=0)
    results |= {f"fit {name}": np.array(values) for name, values in history.history.items()}
    results |= {f"evaluate {k}": np.array(v) for k, v in net.evaluate(X, y, sample_weight=weight).items()}
    return results | training_state(net)


@pytest.fixture
def data() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Make small whole numbers, which every type can hold: X, labels, weights."""
    rng = np.random.default_rng(0)
    return rng.integers(0, 2, size=(N, FEATURES)), rng.integers(CLASSES, size=N), rng.integers(1, 4, size=N)


TYPES = [
    "float32",
    "float64",
    "float16",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "bool",
]


@pytest.mark.parametrize("given", TYPES)
def test_every_type_of_number_gives_the_same_bits(data: tuple[np.ndarray, ...], dtype: str, given: str) -> None:
    X, y, weight = data
    expected = everything(X.astype(dtype), y, weight.astype(dtype), dtype=dtype)
    assert_same_bits(everything(X.astype(given), y, weight.astype(dtype), dtype=dtype), expected)
    if given != "bool":
        assert_same_bits(everything(X, y.astype(given), weight.astype(given), dtype=dtype), expected)


@pytest.mark.parametrize("targets", ["labels", "one_hot", "column"])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("given", ["float32", "float64", "float16", "int32"])
def test_every_layout_gives_the_same_bits_and_is_not_written_to(
    data: tuple[np.ndarray, ...], given: str, layout: str, targets: str
) -> None:
    X, labels, weight = data
    y = {"labels": labels, "one_hot": np.eye(CLASSES)[labels], "column": labels[:, None]}[targets]
    X, y, weight = X.astype(given), y.astype(given), weight.astype(given)
    expected = everything(X, y, weight)
    views = [LAYOUTS[layout](array) for array in (X, y, weight)]
    with unwritten(*views):
        assert_same_bits(everything(*views), expected)


@pytest.mark.parametrize("loss", ["mse", "bce_with_logits"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_rows_of_targets_of_every_layout(data: tuple[np.ndarray, ...], layout: str, loss: str) -> None:
    X, labels, weight = data
    y = np.eye(CLASSES, dtype="float32")[labels]
    expected = everything(X.astype("float32"), y, weight, loss)
    views = [LAYOUTS[layout](array) for array in (X, y, weight)]
    with unwritten(*views):
        assert_same_bits(everything(*views, loss), expected)


def test_lists_and_memory_maps_give_the_same_bits(data: tuple[np.ndarray, ...], tmp_path: pathlib.Path) -> None:
    X, y, weight = data
    expected = everything(X, y, weight)
    assert_same_bits(everything(X.tolist(), y.tolist(), tuple(weight.tolist())), expected)
    X.astype("float32").tofile(tmp_path / "x")
    for mode in ("r", "r+", "c"):
        mapped = np.memmap(tmp_path / "x", "float32", mode, shape=X.shape)  # type: ignore[call-overload]
        assert_same_bits(everything(mapped, y, weight), expected)
    assert (tmp_path / "x").read_bytes() == X.astype("float32").tobytes()


def test_strides_of_zero_are_repeated_rows(data: tuple[np.ndarray, ...]) -> None:
    X, y, _ = data
    for part in (X[:1], X[:, :1], X[:1, :1]):
        view = np.broadcast_to(part.astype("float32"), X.shape)
        ones = np.broadcast_to(np.float32(1), N)
        assert_same_bits(everything(view, y, ones), everything(view.copy(), y, np.ones(N)))


def test_arrays_that_have_nothing_masked_are_taken(data: tuple[np.ndarray, ...]) -> None:
    X, y, weight = data
    masked = [np.ma.masked_array(array, mask=np.zeros(array.shape, bool)) for array in data]
    assert_same_bits(everything(*masked), everything(X, y, weight))


def test_objects_that_become_arrays_are_taken(data: tuple[np.ndarray, ...]) -> None:
    class Frame:
        """Like a data frame: no ndarray, but it can become one."""

        def __init__(self, values: np.ndarray) -> None:
            self.values = values

        def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
            return np.asarray(self.values, dtype=dtype)

        def __len__(self) -> int:
            return len(self.values)

    assert_same_bits(everything(*(Frame(array) for array in data)), everything(*data))


def test_images_are_rows_after_flatten(rng: np.random.Generator) -> None:
    images = rng.integers(0, 255, size=(6, 3, 2, 2), dtype=np.uint8)
    net, flat = (
        nn.Sequential(nn.Flatten(), nn.Linear(12, 2), seed=1),
        nn.Sequential(nn.Flatten(), nn.Linear(12, 2), seed=1),
    )
    for make in LAYOUTS.values():
        view = make(images)
        assert_same_bits(net.predict(view), flat.predict(images.reshape(6, 12)))
        assert_same_bits(net.forward(view), flat.forward(images.reshape(6, 12)))


def test_n_and_n_by_1_targets_mean_the_same(rng: np.random.Generator) -> None:
    X, labels = rng.normal(size=(9, 3)), rng.integers(2, size=9)
    for loss, kind in nn.Loss.names().items():
        if kind.takes == "class_logits":
            continue
        y = np.ones_like(labels) if loss == "gamma" else labels  # whose targets are above 0
        states = []
        for targets in (y, y[:, None], y.tolist(), y.astype(bool)):
            net = nn.Sequential(
                nn.Linear(3, 1), *([nn.Sigmoid()] if kind.takes in ("numbers", "probabilities") else [])
            )
            net.compile(loss=loss, metrics=["accuracy"] if loss == "bce" else [])
            net.fit(X, targets, verbose=0, validation_split=0.3)
            states.append(training_state(net))
        for state in states[1:]:
            assert_same_bits(state, states[0])


def test_0_rows_can_be_predicted_and_nothing_else(data: tuple[np.ndarray, ...]) -> None:
    X, y, _ = data
    net = model()
    assert_same_bits(net.predict(X[:0]), np.empty((0, CLASSES), "float32"))
    assert net.predict_proba(X[:0]).shape == (0, CLASSES)
    assert net.predict_classes(X[:0]).shape == (0,)
    out = np.empty((0, CLASSES), "float32")
    assert net.predict(X[:0], out=out) is out
    calls: dict[str, Callable[[], Any]] = {
        "fit": lambda: net.fit(X[:0], y[:0], verbose=0),
        "evaluate": lambda: net.evaluate(X[:0], y[:0]),
        "loss_and_grads": lambda: net.loss_and_grads(X[:0], y[:0]),
        "forward": lambda: net.forward(X[:0]),
    }
    for operation, call in calls.items():
        with (
            unchanged(net),
            pytest.raises(ValueError, match=rf"\[{operation}\] X has 0 rows; give at least one sample"),
        ):
            call()


# ---- Sizes that fit no memory: views with strides of zero have them for nothing -------------------------------------


def peak_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KB on Linux


@pytest.mark.resources
def test_too_many_samples_are_refused_before_anything_is_copied() -> None:
    rows = 2**33
    X, y = np.broadcast_to(np.float32(0), (rows, FEATURES)), np.broadcast_to(np.int64(0), rows)
    net, before = model(), peak_memory()
    for operation in ("fit", "evaluate", "loss_and_grads"):
        with (
            unchanged(net),
            pytest.raises(ValueError, match=rf"\[{operation}\] X has {rows} rows; at most 4294967295 can"),
        ):
            getattr(net, operation)(X, y)
    with unchanged(net), pytest.raises(ValueError, match=rf"\[fit\] y has {rows} rows but X has 12"):
        net.fit(X[:12], y)
    with unchanged(net), pytest.raises(ValueError, match=rf"\[fit\] sample_weight has {rows} rows but X has 12"):
        net.fit(X[:12], y[:12], sample_weight=y)
    with pytest.raises(ValueError, match=rf"\[fit\] X has {2**40} features but the network expects 5"):
        net.fit(np.broadcast_to(np.float32(0), (3, 2**40)), y[:3])
    assert peak_memory() - before < 100_000


@pytest.mark.parametrize("shape", [(2**45, FEATURES), (2**58, FEATURES)])
def test_what_fits_no_memory_is_an_error(shape: tuple[int, ...]) -> None:
    X, net = np.broadcast_to(np.float32(0), shape), model()
    with unchanged(net), pytest.raises((MemoryError, ValueError)):  # NumPy's "array is too big" is a ValueError
        net.predict(X)
    for function in (nn.functional.tanh, nn.functional.softmax, nn.functional.relu_grad):
        with pytest.raises((MemoryError, ValueError), match=r"allocate|too big"):
            function(X)
