"""Properties of the doors: whatever is drawn, it is either taken with the right bits or refused by name."""

import pathlib
import tempfile
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import nnext as nn
from chain_strategies import stacks
from internals import training_state
from strategies import DTYPES, FINITE, LAYOUT, NETWORK_SEEDS, OPTIMIZER, SEEDS, Task, matrices, tasks
from support import assert_same_bits, unchanged

TYPES = st.sampled_from(["float16", "float32", "float64", "int8", "int16", "int64", "uint8", "uint32", "bool"])
BAD = st.sampled_from([np.nan, np.inf, -np.inf])


def classifier(features: int, classes: int, dtype: str = "float32") -> nn.Sequential:
    model = nn.MLP([features, classes], dtype=dtype)
    model.compile(loss="cross_entropy", optimizer=nn.SGD(lr=0.1, momentum=0.5))
    return model


@given(st.integers(1, 20), st.integers(1, 9), TYPES, TYPES, DTYPES, LAYOUT, LAYOUT, SEEDS)
def test_any_type_and_layout_trains_to_the_same_bits(
    n: int, features: int, x_type: str, y_type: str, dtype: str, x_layout: Any, y_layout: Any, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    X, y = rng.integers(2, size=(n, features)), rng.integers(2, size=n)
    states = []
    for given_X, given_y in (
        (x_layout(X.astype(x_type)), y_layout(y.astype(y_type))),
        (X.astype(dtype), y),
    ):
        model = classifier(features, 2, dtype)
        model.fit(given_X, given_y, epochs=2, batch_size=4, verbose=0)
        states.append(training_state(model) | {"predicted": model.predict(given_X)})
    assert_same_bits(states[0], states[1])


@given(matrices(FINITE, 12), st.lists(st.tuples(st.integers(0, 143), BAD), min_size=1, max_size=5), DTYPES)
def test_values_that_are_not_finite_are_counted_and_the_first_is_named(
    X: np.ndarray, bad: list[tuple[int, float]], dtype: str
) -> None:
    for at, value in bad:
        X.flat[at % X.size] = value
    places = np.argwhere(~np.isfinite(X))
    model = classifier(X.shape[1], 2, dtype)
    first = f"first {X[tuple(places[0])]:g} at ({places[0][0]}, {places[0][1]})"
    with unchanged(model), pytest.raises(ValueError, match="NaN or infinite") as caught:
        model.fit(X, np.zeros(len(X)), verbose=0)
    assert f"[fit] X has {len(places)} value" in str(caught.value)
    assert first in str(caught.value)


@given(st.integers(1, 30), st.integers(2, 9), st.floats(), st.data())
def test_a_label_is_a_class_or_an_error(n: int, classes: int, label: float, data: st.DataObject) -> None:
    y = np.zeros(n)
    at = data.draw(st.integers(0, n - 1))
    y[at] = label
    model = classifier(3, classes)
    if label in range(classes):
        model.fit(np.ones((n, 3)), y, verbose=0)
    else:
        with (
            unchanged(model),
            pytest.raises(ValueError, match=rf"\[fit\] y has the label .* at index {at}; labels must be"),
        ):
            model.fit(np.ones((n, 3)), y, verbose=0)


@given(st.floats(min_value=2.0**127, max_value=1e300), st.booleans(), st.integers(0, 11))
def test_what_float32_cannot_hold_is_named(value: float, negative: bool, at: int) -> None:
    X = np.zeros((4, 3))
    X.flat[at] = -value if negative else value
    model = classifier(3, 2)
    with np.errstate(over="ignore"):
        fits = np.isfinite(np.float32(value))
    if fits:
        model.predict(X)
    else:
        with pytest.raises(ValueError, match=rf"\[predict\] X has .* at \({at // 3}, {at % 3}\), which is infinite in"):
            model.predict(X)
    nn.Sequential(nn.Linear(3, 2), dtype="float64").predict(X)


@given(st.integers(0, 6), st.integers(0, 6), st.integers(0, 6), st.integers(0, 3))
def test_shapes_fit_or_are_named(rows: int, features: int, targets: int, outputs: int) -> None:
    model = nn.Sequential(nn.Linear(4, 2))
    model.compile(loss="mse", optimizer=nn.SGD(lr=0.01))
    X, y = np.ones((rows, features)), np.ones((targets, outputs))
    if rows > 0 and rows == targets and features == 4 and outputs == 2:
        model.fit(X, y, verbose=0)
    else:
        with unchanged(model), pytest.raises(ValueError, match=r"^\[fit\] .*; "):
            model.fit(X, y, verbose=0)


@given(stacks(), DTYPES, LAYOUT, SEEDS)
def test_parameters_come_back_from_any_layout(layers: list[nn.Layer], dtype: str, layout: Any, seed: int) -> None:
    source, target = nn.Sequential(*layers, seed=seed, dtype=dtype), nn.Sequential(*layers, seed=seed + 1, dtype=dtype)
    # NumPy makes an array of shape (1,) of one number.
    target.load_state_dict({n: layout(values) if values.ndim else values for n, values in source.state_dict().items()})
    assert_same_bits(target.state_dict(), source.state_dict())
    X = np.random.default_rng(seed).normal(size=(3, source.in_features))
    assert_same_bits(target.predict(X), source.predict(X))


@given(stacks(), NETWORK_SEEDS, DTYPES)
def test_a_network_comes_back_from_its_description(layers: list[nn.Layer], seed: int, dtype: str) -> None:
    model = nn.Sequential(*layers, seed=seed, dtype=dtype)
    again = nn.Sequential(*(nn.Layer.from_config(layer.config()) for layer in layers), seed=seed, dtype=dtype)
    assert repr(again) == repr(model)
    assert_same_bits(again.state_dict(), model.state_dict())
    parameters = (v for n, v in model.state_dict().items() if not n.endswith(("_mean", "_var", "_tracked")))
    assert model.count_params() == sum(values.size for values in parameters)


@given(tasks(), OPTIMIZER)
def test_a_saved_model_goes_on_as_if_it_had_not_been_saved(task: Task, case: Any) -> None:
    assume(task.fits(5))
    model = task.twin(optimizer=case.make())
    arguments = {"batch_size": 5, "sample_weight": task.weight, "verbose": 0}
    model.fit(task.X, task.y, **arguments)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "m.safetensors")
        model.save(path)
        again = nn.load(path)
    for net in (model, again):
        net.fit(task.X, task.y, **arguments)
    assert_same_bits(training_state(again), training_state(model))


@given(st.binary(max_size=200), st.booleans())
def test_bytes_that_are_no_model_are_refused(data: bytes, with_length: bool) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(len(data).to_bytes(8, "little") + data if with_length else data)
        file.flush()
        with pytest.raises(nn.ModelFormatError, match=r"\[load\]"):
            nn.load(file.name)
