"""How often the members of the team wait for each other in a step: a barrier costs as much as a small layer."""

from typing import Any

import numpy as np
import pytest

import internals
import nnext as nn
from tolerance import Array

STEPS, BATCH = 6, 96
# The first layer has 8 outputs, so that it is not split by columns; those after it have work for three members.
FIRST, LAST = nn.Linear(30, 8), nn.Linear(200, 10)
PLAIN: list[nn.Layer] = [FIRST, nn.ReLU(), nn.Linear(8, 400), nn.Tanh(), nn.Linear(400, 200), LAST]
NORM = [FIRST, nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 400), nn.BatchNorm1d(400), nn.Linear(400, 200), LAST]
BLOCK = [FIRST, nn.Residual(nn.Linear(8, 400), nn.GELU(), nn.Linear(400, 8)), nn.Linear(8, 200), LAST]
BLOCK_NORM = [FIRST, nn.Residual(nn.Linear(8, 400), nn.BatchNorm1d(400), nn.Linear(400, 8)), nn.Linear(8, 200), LAST]


def barriers(layers: list[nn.Layer], threads: int, frozen: tuple[str, ...] = (), **settings: Any) -> float:
    """Return how many barriers a batch of a fit has. A run of the team ends without one."""
    model = nn.Sequential(*layers)
    model.compile(loss="cross_entropy", **settings)
    model.freeze(*frozen)
    rows = STEPS * BATCH
    X: Array = np.ones((rows, model.in_features or 0), "float32")
    with nn.runtime.threads(threads):
        before = internals.barriers_passed()
        model.fit(X, np.zeros(rows, int), batch_size=BATCH, verbose=0)
        return (internals.barriers_passed() - before) / STEPS


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize(
    ("layers", "settings", "expected"),
    [
        (PLAIN, {}, 2),
        (BLOCK, {}, 2),
        (NORM, {}, 2 + 2 * 2),  # one more a layer, each way
        (NORM, {"frozen": ("1",)}, 2 + 2),
        ([nn.BatchNorm1d(30), *PLAIN], {}, 2 + 2),
        (BLOCK_NORM, {}, 2 + 2),
        (PLAIN, {"clip_norm": 1.0}, 2 + 2),  # all gradients, then their norm, then the update
        (NORM, {"clip_norm": 1.0}, 2 + 2 * 2 + 2),
        (PLAIN, {"accumulate": 3}, (3 * 2 + 1) / 3),  # all gradients of each of three batches, then the update
        (NORM, {"accumulate": 3}, (3 * (2 + 2 * 2) + 1) / 3),
        (PLAIN, {"accumulate": 3, "clip_norm": 1.0}, (3 * 2 + 1 + 1) / 3),
        ([nn.Linear(10, 10), nn.ReLU(), nn.Linear(10, 10)], {}, 2),  # tiny
    ],
    ids=str,
)
def test_barriers_of_a_step(layers: list[nn.Layer], settings: dict[str, Any], expected: float, threads: int) -> None:
    assert barriers(layers, threads, **settings) == expected


@pytest.mark.parametrize(("threads", "expected"), [(1, 2), (2, 3)])
def test_one_more_where_the_first_layer_is_split_by_columns(threads: int, expected: int) -> None:
    assert barriers([nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10)], threads) == expected
