"""As test_determinism.py, with batch normalization, branches and clipped gradients: what sums over the whole batch."""

from typing import Any

import numpy as np
import pytest

import internals
from determinism import BATCH, THREADS, WITNESSES, data, network, trained
from internals import training_state
from support import assert_same_bits, require_two_fma_isas, use_isa


@pytest.mark.parametrize("options", [*WITNESSES, {"layers": "residual", "clip_norm": 0.1, "dtype": "float64"}], ids=str)
def test_no_number_of_threads_changes_a_bit(isa: str, rng: np.random.Generator, options: dict[str, Any]) -> None:
    X, y = data(rng, **options)
    expected, expected_history = trained(X, y, **options)
    for threads in THREADS[1:]:
        state, history = trained(X, y, threads, **options)
        assert_same_bits(state, expected)
        assert history == expected_history


@pytest.mark.parametrize("options", WITNESSES, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_instruction_sets_with_fma_train_other_layers_to_the_same_bits(
    rng: np.random.Generator, options: dict[str, Any], dtype: str
) -> None:
    X, y = data(rng, **options)
    results = []
    for name in require_two_fma_isas():
        with use_isa(name):
            results.append(trained(X, y, 2, dtype=dtype, **options))
    assert_same_bits(results[0][0], results[1][0])
    assert results[0][1] == results[1][1]


@pytest.mark.parametrize("options", WITNESSES, ids=str)
def test_what_gradients_are_clipped_by_and_statistics_are_the_same_in_own_loops(
    isa: str, rng: np.random.Generator, options: dict[str, Any]
) -> None:
    X, y = data(rng, **options)
    model, own = network(**options), network(**options)
    model.fit(X, y, batch_size=BATCH, verbose=0)
    order = internals.begin_epoch(own, len(X), True)
    for start in range(0, len(X), BATCH):
        batch = order[start : start + BATCH]
        own.loss_and_grads(X[batch], y[batch])
        own.step()
    assert_same_bits(training_state(own), training_state(model))
