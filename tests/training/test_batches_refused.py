"""What is no batch, and what cannot be obeyed with batches."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nnext as nn
from batches import CLASSES, FEATURES, Loader, cut, draw, network
from internals import threads_that_read, training_state
from support import assert_same_bits, unchanged


@pytest.fixture
def data(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    return draw(rng)


X, Y = np.zeros((4, FEATURES)), np.arange(4) % CLASSES
REFUSED: list[tuple[Callable[[nn.Sequential], Any], type[Exception], str]] = [
    (lambda m: m.fit(X), TypeError, r"\[fit\] y is missing; write fit\(X, y\), or give batches"),
    (lambda m: m.fit(X.tolist()), TypeError, r"\[fit\] y is missing"),
    (lambda m: m.fit([(0.0, 1.0), (1.0, 0.0)]), TypeError, r"\[fit\] y is missing"),
    (lambda m: m.fit(list(X)), TypeError, r"\[fit\] y is missing"),
    (lambda m: m.fit({"X": X}), TypeError, r"\[fit\] y is missing"),
    (lambda m: m.fit("X"), TypeError, r"\[fit\] y is missing"),
    (lambda m: m.evaluate(X), TypeError, r"\[evaluate\] y is missing; write evaluate\(X, y\), or give"),
    (lambda m: m.fit(iter([(X, Y)]), Y), TypeError, r"\[fit\] y is given beside batches"),
    (lambda m: m.fit([(X, Y)], sample_weight=Y), TypeError, r"\[fit\] sample_weight is given beside batches"),
    (lambda m: m.fit([(X, Y)], shuffle=True), ValueError, r"\[fit\] shuffle is True, which cannot be obeyed"),
    (lambda m: m.fit([(X, Y)], shuffle=1), TypeError, r"\[fit\] shuffle is 1; give True or False"),
    (lambda m: m.fit([(X, Y)], batch_size=4), ValueError, r"\[fit\] batch_size is 4, which cannot be obeyed"),
    (lambda m: m.fit([(X, Y)], validation_split=0.5), ValueError, r"\[fit\] validation_split is 0.5, which cannot"),
    (lambda m: m.fit([(X, Y)], class_weight="balanced"), ValueError, r"\[fit\] class_weight is 'balanced', which"),
    (lambda m: m.fit(X, Y, steps_per_epoch=2), ValueError, r"\[fit\] steps_per_epoch is for batches, but X and y"),
    (lambda m: m.fit([(X, Y)], steps_per_epoch=0), ValueError, r"\[fit\] steps_per_epoch is 0"),
    (lambda m: m.fit(X, Y, validation_data=iter([(X, Y)])), ValueError, r"\[fit\] validation_data is an iterator"),
    (lambda m: m.fit(X, Y, validation_data=lambda: 3), TypeError, r"\[fit: validation_data\] the function gave 3"),
    (lambda m: m.fit(lambda: 3), TypeError, r"\[fit\] the function gave 3; it must return an iterator of batches"),
    (lambda m: m.fit(iter([X])), TypeError, r"\[fit: batch 0\] it is array.*; give \(X, y\) or"),
    (lambda m: m.fit(iter([{"X": X}])), TypeError, r"\[fit: batch 0\] it is {'X'.*; give \(X, y\) or"),
    (lambda m: m.fit([(X[:, :2], Y)]), ValueError, r"\[fit: batch 0\] X has 2 features but the network expects 9"),
    (lambda m: m.fit([(X, Y[:2])]), ValueError, r"\[fit: batch 0\] y has 2 rows but X has 4"),
    (lambda m: m.fit([(X * np.nan, Y)]), ValueError, r"\[fit: batch 0\] X has 36 values that are NaN"),
    (lambda m: m.fit(iter([(np.ma.masked_equal(X, 0), Y)])), TypeError, r"\[fit: batch 0\] X has masked values"),
    (lambda m: m.fit([(X, Y, Y * 0)]), ValueError, r"\[fit: batch 0\] sample_weight is zero for all 4 samples"),
    (lambda m: m.fit(X, Y, validation_data=[(X, Y[:2])]), ValueError, r"\[fit: validation_data: batch 0\] y has 2"),
    (lambda m: m.evaluate([(X, Y[:2])]), ValueError, r"\[evaluate: batch 0\] y has 2 rows but X has 4"),
    (
        lambda m: m.fit([(X, np.array(["a", "b", "c", "a"]))]),
        ValueError,
        r"\[fit: batch 0\] y has names, such as 'a', but the model has seen none yet",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), REFUSED)
def test_what_cannot_be_is_refused_before_anything_has_changed(
    call: Callable[[nn.Sequential], Any], error: type[Exception], message: str
) -> None:
    model = network()
    with unchanged(model), pytest.raises(error, match=f"^{message}"):
        call(model)
    assert threads_that_read() == 0


def test_accumulated_batches_cannot_be_handed_over() -> None:
    model = network()
    model.compile(loss="cross_entropy", accumulate=2)
    with unchanged(model), pytest.raises(ValueError, match=r"^\[fit\] accumulate is 2, which cannot be obeyed with"):
        model.fit([(X, Y)])


def test_a_batch_that_does_not_fit_ends_the_fit_after_a_whole_step(data: Any) -> None:
    pairs = cut(*data)
    model, expected = network(), network()
    with pytest.raises(ValueError, match=r"^\[fit: batch 2\] X has 2 features"):
        model.fit(Loader([*pairs[:2], (pairs[2][0][:, :2], pairs[2][1]), *pairs]), verbose=0)
    expected.fit(pairs[:2], verbose=0)
    assert_same_bits(training_state(model), training_state(expected))
    with pytest.raises(
        ValueError, match=r"^\[fit: batch 1\] y has shape \(16, 3\) but that of the first batch \(16,\)"
    ):
        model.fit([pairs[0], (pairs[1][0], np.eye(CLASSES)[pairs[1][1]])], verbose=0)


def test_names_of_classes_that_the_model_has_seen(data: Any) -> None:
    names = np.array(["cat", "dog", "eel"])[data[1]]
    named, numbered = network(), network()
    named.fit(data[0], names, verbose=0)
    numbered.fit(*data, verbose=0)
    history = named.fit(Loader(cut(data[0], names)), validation_data=cut(data[0], names), verbose=0)
    assert history.history == numbered.fit(Loader(cut(*data)), validation_data=cut(*data), verbose=0).history
    assert_same_bits(training_state(named), training_state(numbered))
