"""What a model says: outputs, probabilities, classes."""

from typing import Any

import numpy as np
import pytest

import nnext as nn
from support import assert_same_bits
from tolerance import assert_within, eps

X = np.array([[-2.0, 0.5], [0.1, 3.0], [1.0, -1.0]])


def scores(*tail: nn.Layer, k: int, loss: str | None = None) -> nn.Sequential:
    model = nn.Sequential(nn.Linear(2, k), *tail, dtype="float64", seed=3)
    if loss is not None:
        model.compile(loss=loss)
    return model


@pytest.mark.parametrize(
    ("model", "expected", "multilabel"),
    [
        (scores(k=3), nn.functional.softmax, False),
        (scores(k=3, loss="cross_entropy"), nn.functional.softmax, False),
        (scores(nn.Softmax(), k=3, loss="cross_entropy"), lambda z: z, False),
        (scores(k=3, loss="bce_with_logits"), nn.functional.sigmoid, True),
        (scores(nn.Sigmoid(), k=3, loss="bce"), lambda z: z, True),
        (scores(k=1), lambda z: np.hstack([1 - nn.functional.sigmoid(z), nn.functional.sigmoid(z)]), False),
        (scores(nn.Sigmoid(), k=1, loss="bce"), lambda z: np.hstack([1 - z, z]), False),
        (scores(nn.Sigmoid(), k=1, loss="mse"), lambda z: np.hstack([1 - z, z]), False),
    ],
)
def test_probabilities_and_classes(model: nn.Sequential, expected: Any, multilabel: bool) -> None:
    assert_same_bits(model.predict_proba(X), expected(model.predict(X)))
    if multilabel:
        assert_same_bits(model.predict_classes(X), (model.predict_proba(X) > 0.5).astype(np.int64))
    else:
        assert_same_bits(model.predict_classes(X), model.predict_proba(X).argmax(axis=1))
        assert_within(model.predict_proba(X).sum(axis=1), np.ones(3), 10 * eps("float64"))


def test_predictions_can_go_into_an_array_of_the_callers() -> None:
    model = nn.MLP([2, 5, 3])
    out = np.full((3, 3), np.nan, "float32")
    assert model.predict(X, out=out) is out
    assert_same_bits(out, model.predict(X))
    for wrong, error in (
        (np.empty((3, 2), "float32"), ValueError),
        (np.empty((3, 3)), TypeError),
        (np.empty((3, 6), "float32")[:, ::2], ValueError),
        ([], TypeError),
    ):
        with pytest.raises(error, match=r"\[predict\] out (has shape|must be)"):
            model.predict(X, out=wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("shift", [-1, 0, 1])
def test_predictions_may_take_the_place_of_the_samples(rng: np.random.Generator, shift: int) -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.Tanh())
    memory = rng.normal(size=(502, 4)).astype("float32")
    X, out = memory[1:501], memory[1 + shift : 501 + shift]
    expected = model.predict(X)
    assert model.predict(X, out=out) is out
    assert_same_bits(out, expected)


@pytest.mark.parametrize("batch_size", [0, -1, 1.5, "8"])
def test_a_batch_size_of_nothing_is_refused(batch_size: Any) -> None:
    model = nn.MLP([2, 3, 2])
    model.compile(loss="cross_entropy")
    for call in (
        lambda: model.predict(X, batch_size=batch_size),
        lambda: model.evaluate(X, [0, 1, 0], batch_size=batch_size),
    ):
        with pytest.raises((ValueError, TypeError), match=r"batch_size is .*; give a whole number"):
            call()
