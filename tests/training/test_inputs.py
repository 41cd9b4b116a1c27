"""X of float32, float64 or uint8 is read where it lies, times a scale: the bits of X converted first, and no copy."""

import json
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nnext as nn
from internals import training_state
from layouts import LAYOUTS
from support import assert_same_bits, run_python, unwritten

FEATURES, CLASSES = 9, 3
STORED = ["float32", "float64", "uint8", "float16", "int64"]  # the last two are converted as a whole
SCALES = [1.0, 1 / 255, -3.0]

# Samples whose rows lie in one piece, with anything between them, and in layouts that must be converted.
LIES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    **LAYOUTS,
    "every second row": lambda x: np.repeat(x, 2, axis=0)[::2],
    "last row first": lambda x: np.ascontiguousarray(x[::-1])[::-1],
    "wider rows": lambda x: np.hstack([x, x, x])[:, FEATURES : 2 * FEATURES],
    "every second column": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
}


def samples(rng: np.random.Generator, n: int, stored: str, features: int = FEATURES) -> np.ndarray:
    """Draw numbers of which the fractions do not fit float32 where the type has them."""
    whole = rng.integers(0, 256, size=(n, features))
    return (whole + rng.random((n, features)) * (np.dtype(stored).kind == "f")).astype(stored)


def converted(X: np.ndarray, scale: float, dtype: str) -> np.ndarray:
    return X.astype(dtype) * np.dtype(dtype).type(scale)


def network(dtype: str = "float32", loss: Any = "cross_entropy") -> nn.Sequential:
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(FEATURES, 7), nn.ReLU(), nn.Dropout(0.2), nn.Linear(7, CLASSES), seed=5, dtype=dtype
    )
    model.compile(loss=loss, optimizer=nn.SGD(lr=1e-4, momentum=0.9), metrics=["accuracy"])
    return model


def everything(X: Any, y: Any, scale: float = 1.0, dtype: str = "float32", **fit: Any) -> dict[str, Any]:
    """Call all that takes X; return every result as an array."""
    model = network(dtype, fit.pop("loss", "cross_entropy"))
    results = {"forward": model.forward(X, scale=scale)}
    results |= {"dX": model.backward(results["forward"]).reshape(len(X), -1)}
    loss, grads = model.loss_and_grads(X, y, scale=scale)
    results |= {f"grad {name}": gradient for name, gradient in grads.items()} | {"loss": np.array(loss)}
    given = {"epochs": 2, "batch_size": 16, "verbose": 0, "validation_data": (X[3:20], y[3:20]), **fit}
    history = model.fit(X, y, scale=scale, **given).history
    results |= {f"fit {name}": np.array(values) for name, values in history.items()}
    results |= {f"evaluate {k}": np.array(v) for k, v in model.evaluate(X, y, scale=scale).items()}
    results |= {"predict": model.predict(X, scale=scale), "one": model.predict(X[4:5], scale=scale)}
    results |= {"proba": model.predict_proba(X, scale=scale), "classes": model.predict_classes(X, scale=scale)}
    return results | training_state(model)


# ---- The same bits -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("stored", STORED)
def test_bits_are_those_of_x_converted_first(
    isa: str, rng: np.random.Generator, dtype: str, stored: str, scale: float, shuffle: bool
) -> None:
    X, y = samples(rng, 150, stored), rng.integers(CLASSES, size=150)
    expected = everything(converted(X, scale, dtype), y, dtype=dtype, shuffle=shuffle)
    with unwritten(X):
        assert_same_bits(everything(X, y, scale, dtype, shuffle=shuffle), expected)


@pytest.mark.parametrize("scale", SCALES[:2])
@pytest.mark.parametrize("lies", LIES)
@pytest.mark.parametrize("stored", STORED[:3])
def test_however_x_lies(rng: np.random.Generator, stored: str, lies: str, scale: float) -> None:
    X, y = samples(rng, 50, stored), rng.integers(CLASSES, size=50)
    view = LIES[lies](X)
    np.testing.assert_array_equal(view, X)
    for shuffle in (True, False):
        expected = everything(converted(X, scale, "float32"), y, shuffle=shuffle)
        with unwritten(view):
            assert_same_bits(everything(view, y, scale, shuffle=shuffle), expected)


@pytest.mark.parametrize("order", ["shuffled", "last"])
@pytest.mark.parametrize("lies", [*LIES, "file"])
@pytest.mark.parametrize("stored", STORED)
def test_rows_that_are_held_out_or_weigh_nothing(
    rng: np.random.Generator, stored: str, lies: str, order: str, tmp_path: pathlib.Path
) -> None:
    X, y, weight = samples(rng, 50, stored), np.arange(50) % CLASSES, np.arange(50) % 4
    X.tofile(tmp_path / "x")
    view = LIES[lies](X) if lies != "file" else np.memmap(tmp_path / "x", stored, "r", shape=X.shape)
    options = {"validation_split": 0.3, "validation_order": order, "sample_weight": weight, "validation_data": None}
    expected = everything(converted(X, 0.1, "float32"), y, **options)
    with unwritten(view):
        assert_same_bits(everything(view, y, 0.1, **options), expected)


@pytest.mark.parametrize("stored", STORED[:3])
def test_images_and_files(rng: np.random.Generator, stored: str, tmp_path: pathlib.Path) -> None:
    X, y = samples(rng, 50, stored), rng.integers(CLASSES, size=50)
    expected = everything(converted(X, 0.1, "float32"), y)
    X.tofile(tmp_path / "x")
    for shape in (X.shape, (50, 3, 3), (50, 1, 9)):
        mapped: np.ndarray = np.memmap(tmp_path / "x", stored, "r", shape=shape)
        assert_same_bits(everything(mapped, y, 0.1), expected)
    wide = np.zeros((50, 2, 3, 3), stored)
    wide[:, 1] = X.reshape(50, 3, 3)
    for view in (wide[:, 1], np.asfortranarray(wide[:, 1]), wide[:, 1].transpose(0, 2, 1).copy().transpose(0, 2, 1)):
        assert_same_bits(everything(view, y, 0.1), expected)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("batch_size", [1, 7, 480, 1100, 5000])
def test_batches_threads_and_weights(rng: np.random.Generator, batch_size: int, threads: int) -> None:
    """Steps of a network so large that each of three members takes part in those with many rows."""
    n = 1100 if batch_size > 7 else 60
    X, weight = samples(rng, n, "uint8", 65), rng.uniform(0, 2, size=n)
    y = np.eye(10, dtype="float32")[rng.integers(10, size=n)]
    states = []
    for given, scale in ((X, 1 / 255), (converted(X, 1 / 255, "float32"), 1.0)):
        for shuffle in (True, False):
            model = nn.MLP([65, 131, 10], dropout=0.3)
            model.compile(loss="mse", optimizer=nn.Adam())
            with nn.runtime.threads(threads):
                model.fit(
                    given, y, batch_size=batch_size, shuffle=shuffle, sample_weight=weight, scale=scale, verbose=0
                )
                states.append(training_state(model) | {"outputs": model.predict(given, scale=scale)})
    assert_same_bits(states[0], states[2])
    assert_same_bits(states[1], states[3])


def test_steps_so_long_that_they_are_cut_up(rng: np.random.Generator) -> None:
    X, y = samples(rng, 1405, "float64", 300), rng.integers(10, size=1405)
    states = []
    for given, scale in ((X, 1 / 255), (converted(X, 1 / 255, "float32"), 1.0)):
        for shuffle in (True, False):
            model = nn.MLP([300, 300, 10])
            model.compile(loss="cross_entropy", optimizer=nn.Adam())
            with nn.runtime.threads(3):
                model.fit(given, y, batch_size=700, shuffle=shuffle, scale=scale, verbose=0)
            states.append(training_state(model))
    assert_same_bits(states[0], states[2])
    assert_same_bits(states[1], states[3])


@pytest.mark.parametrize("stored", STORED[:3])
def test_networks_whose_loss_reads_the_input(rng: np.random.Generator, stored: str) -> None:
    X = samples(rng, 40, stored)
    y = rng.integers(FEATURES, size=40)
    for layer in (nn.Softmax(), nn.Identity(), nn.Flatten()):
        model = nn.Sequential(layer)
        model.compile(loss="cross_entropy", metrics=["accuracy"])
        for shuffle in (True, False):
            histories = [
                model.fit(given, y, scale=scale, shuffle=shuffle, verbose=0).history
                for given, scale in ((X, 0.1), (converted(X, 0.1, "float32"), 1.0))
            ]
            assert histories[0] == histories[1]


@pytest.mark.parametrize("stored", STORED)
def test_a_loss_of_your_own(rng: np.random.Generator, stored: str) -> None:
    def squares(y_pred: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
        return float(((y_pred - y) ** 2).mean()), 2 * (y_pred - y) / y.size

    X, y = samples(rng, 50, stored), rng.normal(size=(50, CLASSES)).astype("float32")
    expected = everything(converted(X, 1 / 255, "float32"), y, loss=squares)
    assert_same_bits(everything(X, y, 1 / 255, loss=squares), expected)
    assert_same_bits(everything(X.reshape(50, 3, 3), y, 1 / 255, loss=squares), expected)


def test_going_back_after_divergence_reads_the_samples_again(rng: np.random.Generator) -> None:
    X, y = samples(rng, 60, "uint8"), rng.normal(size=(60, CLASSES))
    states = []
    for given, scale in ((X, 0.5), (converted(X, 0.5, "float32"), 1.0)):
        model = nn.Sequential(nn.Linear(FEATURES, CLASSES))
        model.compile(loss="mse", optimizer=nn.SGD(lr=0.01))
        with pytest.raises(nn.DivergenceError) as caught:
            model.fit(given, y, epochs=50, batch_size=4, scale=scale, verbose=0)
        states.append(training_state(model) | {"step": np.array([caught.value.epoch, caught.value.step])})
    assert_same_bits(states[0], states[1])


def test_predictions_may_take_the_place_of_scaled_samples(rng: np.random.Generator) -> None:
    model, X = nn.Sequential(nn.Linear(4, 4)), rng.normal(size=(300, 4)).astype("float32")
    expected = model.predict(converted(X, 0.25, "float32"))
    assert model.predict(X, out=X, scale=0.25) is X
    assert_same_bits(X, expected)


def test_functions_take_predictions_however_they_lie(rng: np.random.Generator) -> None:
    predictions, labels = rng.normal(size=(20, 5)).astype("float32"), rng.integers(5, size=20)
    expected = nn.functional.cross_entropy_grad(predictions, labels)
    for make in LAYOUTS.values():
        assert_same_bits(nn.functional.cross_entropy_grad(make(predictions), labels), expected)


# ---- No copy -------------------------------------------------------------------------------------------------------

FIT_LARGE = """
import json, re
import numpy as np
import nnext as nn

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]) / 1024

def squares(y_pred, y):
    return float(((y_pred - y) ** 2).mean()), 2 * (y_pred - y) / y.size

rows = 100 * 2**20 // (512 * np.dtype(STORED).itemsize)
X, y = np.ones((rows, 512), STORED), np.zeros((rows, 1), "float32")
for start in range(0, rows, 1000):
    X[start : start + 1000] = 7
X = X[:, :-1]
grown = {}
for loss in ("mse", squares):
    model = nn.Sequential(nn.Linear(511, 1))
    model.compile(loss=loss, optimizer=nn.SGD(lr=1e-9))
    for shuffle in (False, True):
        before = peak()
        model.fit(X, y, batch_size=256, shuffle=shuffle, scale=SCALE, validation_data=(X, y), verbose=0)
        grown[f"fit {loss} {shuffle}"] = peak() - before
    before, weights = peak(), {"sample_weight": np.arange(rows) % 3} if loss == "mse" else {}
    for order in ("shuffled", "last"):
        model.fit(X, y, batch_size=256, scale=SCALE, validation_split=0.5, validation_order=order, verbose=0, **weights)
    grown[f"split {loss}"] = peak() - before
    before = peak()
    model.evaluate(X, y, scale=SCALE), model.predict(X, scale=SCALE)
    grown[f"evaluate {loss}"] = peak() - before
print(json.dumps([peak(), grown]))
"""


@pytest.mark.resources
@pytest.mark.parametrize(("stored", "scale"), [("uint8", 1 / 255), ("float64", 1), ("float32", 1), ("float32", 0.5)])
def test_100_mb_are_trained_on_without_a_copy(stored: str, scale: float) -> None:
    result = run_python(FIT_LARGE.replace("STORED", repr(stored)).replace("SCALE", repr(scale)))
    assert result.returncode == 0, result.stderr
    peak, grown = json.loads(result.stdout)
    assert peak > 100  # MB: X itself
    assert max(grown.values()) < 12, grown  # batches, the order, outputs
