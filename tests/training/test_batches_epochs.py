"""Where epochs of batches begin and end, and with them the fit."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import nnext as nn
from batches import CLASSES, FEATURES, SIZE, Loader, cut, draw, network
from internals import counters, training_state
from support import assert_same_bits, unchanged


@pytest.fixture
def data(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    return draw(rng)


def test_an_iterator_goes_on_from_epoch_to_epoch(data: Any) -> None:
    pairs = cut(*data, size=5)
    model, expected = network(), network()
    taken = []
    given = (taken.append(i) or pair for i, pair in enumerate(pairs * 10))  # type: ignore[func-returns-value]
    history = model.fit(given, epochs=3, steps_per_epoch=4, verbose=0)
    expected.fit(pairs[:12], epochs=1, verbose=0)
    assert_same_bits(model.state_dict(), expected.state_dict())
    assert (history.epoch, history.stop_reason, taken) == ([0, 1, 2], "all epochs done", list(range(12)))
    assert counters(model)[:2] == (12, 3)


def test_what_can_be_read_again_starts_again(data: Any) -> None:
    pairs = cut(*data, size=5)
    model, expected = network(), network()
    model.fit(Loader(pairs), epochs=3, steps_per_epoch=2, verbose=0)
    expected.fit(pairs[:2], epochs=3, verbose=0)
    assert_same_bits(training_state(model), training_state(expected))


@pytest.mark.parametrize(
    ("make", "options", "epochs", "reason"),
    [
        (iter, {"epochs": 3}, 1, "the batches ended after epoch 0"),
        (iter, {"epochs": 3, "steps_per_epoch": 5}, 1, "the batches ended after epoch 0"),
        (iter, {"epochs": 3, "steps_per_epoch": 3}, 2, "the batches ended in epoch 1 after 2 of 3 steps"),
        (list, {"epochs": 3, "steps_per_epoch": 7}, 1, "the batches ended in epoch 0 after 5 of 7 steps"),
    ],
)
def test_batches_that_end_early_end_the_fit(
    data: Any, make: Any, options: dict[str, int], epochs: int, reason: str
) -> None:
    ends = []
    end = nn.callbacks.LambdaCallback(on_train_end=lambda logs: ends.append(1))
    with pytest.warns(UserWarning, match=rf"^\[fit\] {reason}, and with them the fit; give a list"):
        history = network().fit(make(cut(*data)), callbacks=[end], verbose=0, **options)
    assert (len(history.epoch), len(history["loss"]), history.stop_reason, ends) == (epochs, epochs, reason, [1])


@pytest.mark.parametrize("given", [[], (), iter([]), lambda: iter([]), Loader([])])
def test_no_batches_at_all_are_an_error(given: Any, data: Any) -> None:
    model = network()
    with unchanged(model), pytest.raises(ValueError, match=r"^\[fit\] there are no batches; give at least one"):
        model.fit(given, verbose=0)
    if given != ():
        with pytest.raises(ValueError, match=r"^\[(evaluate|fit: validation_data)\] there are no batches"):
            model.evaluate(given) if isinstance(given, Iterator) else model.fit(*data, validation_data=given)


def own_mse(y_pred: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    return float(((y_pred - y) ** 2).mean()), 2 * (y_pred - y) / y.size


@pytest.mark.parametrize("sizes", [[FEATURES, CLASSES], [FEATURES, 300, CLASSES]])
@pytest.mark.parametrize("loss", ["mse", own_mse])
@pytest.mark.parametrize("how", ["first batch", "middle", "next epoch", "slowly", "at once"])
def test_divergence_takes_back_one_update(data: Any, how: str, loss: Any, sizes: list[int]) -> None:
    """The state is that to which a fit of arrays goes back: before the update whose loss was the last finite one."""
    X, y = data[0].copy(), np.eye(CLASSES, dtype="float32")[data[1]]
    lr = {"slowly": 30.0, "at once": 3e38}.get(how, 1e-3)
    if how in ("first batch", "middle", "next epoch"):  # the loss overflows, but in the second epoch alone
        y[{"first batch": 0, "middle": 3 * SIZE, "next epoch": 0}[how]] = 1e30
    models = [nn.MLP(sizes) for _ in range(2)]
    steps = []
    for model, given in ((models[0], [X, y]), (models[1], [Loader(cut(X, y))])):
        model.compile(loss, nn.SGD(lr=lr, momentum=0.5))
        if how == "next epoch":
            model.fit(X, np.clip(y, 0, 1), shuffle=False, batch_size=SIZE, verbose=0)
        options = {"batch_size": SIZE, "shuffle": False} if len(given) == 2 else {}
        with pytest.raises(nn.DivergenceError) as caught, np.errstate(all="ignore"):
            model.fit(*given, epochs=50, verbose=0, **options)
        steps.append((caught.value.epoch, caught.value.step))
    assert_same_bits(training_state(models[1]), training_state(models[0]))
    if how in ("first batch", "middle", "next epoch"):
        assert steps[1] == steps[0]
