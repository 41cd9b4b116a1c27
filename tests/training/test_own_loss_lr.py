"""The learning rate of a step, as the core takes it from a loss that is a function."""

from typing import Any

import numpy as np
import pytest

import internals
import nnext as nn
from cases import OPTIMIZERS, WITH_RATES
from internals import training_state
from small_fits import data, own_mse, regressor
from support import assert_same_bits


@pytest.mark.parametrize("optimizer", WITH_RATES)
@pytest.mark.parametrize("given", [[0.1, 0.02, None, 0.3], [None, None, 0.5, None], [None] * 4], ids=str)
def test_a_learning_rate_acts_from_the_step_on_in_which_it_is_given(
    rng: np.random.Generator, optimizer: str, given: list[float | None]
) -> None:
    X, y = data(rng, 20)
    rates = iter(given)

    def loss(outputs: np.ndarray, rows: np.ndarray) -> Any:
        lr = next(rates)
        return own_mse(outputs, y[rows]) + (() if lr is None else ({"lr": lr},))

    told, stepwise = (regressor(own_mse, optimizer=OPTIMIZERS[optimizer].make()) for _ in range(2))
    internals.fit_epoch(told, X, 5, {"lr": 0.25}, loss)
    internals.begin_epoch(stepwise, 20, False)
    stepwise.optimizer.lr = 0.25
    for step, lr in enumerate(given):
        rows = slice(5 * step, 5 * step + 5)
        stepwise.backward(own_mse(stepwise.forward(X[rows], training=True), y[rows])[1])
        if lr is not None:
            stepwise.optimizer.lr = lr
        stepwise.step()
    assert_same_bits(training_state(told), training_state(stepwise))


def test_the_next_epoch_has_its_own_learning_rate(rng: np.random.Generator) -> None:
    X, y = data(rng, 10)
    told, plain = (regressor(own_mse, optimizer=nn.SGD(momentum=0.9)) for _ in range(2))
    internals.fit_epoch(told, X, 10, {"lr": 0.5}, lambda outputs, rows: (*own_mse(outputs, y[rows]), {"lr": 0.125}))
    internals.fit_epoch(told, X, 10, {"lr": 0.5}, lambda outputs, rows: own_mse(outputs, y[rows]))
    for lr in (0.125, 0.5):
        internals.fit_epoch(plain, X, 10, {"lr": lr}, lambda outputs, rows: own_mse(outputs, y[rows]))
    assert_same_bits(training_state(told), training_state(plain))


def test_a_learning_rate_that_is_no_number_leaves_a_whole_step(rng: np.random.Generator) -> None:
    X, y = data(rng, 10)
    model = regressor(own_mse)
    before = model.state_dict()
    with pytest.raises(RuntimeError, match="Unable to cast"):
        internals.fit_epoch(
            model, X, 10, {"lr": 0.5}, lambda outputs, rows: (*own_mse(outputs, y[rows]), {"lr": "fast"})
        )
    assert_same_bits(model.state_dict(), before)
