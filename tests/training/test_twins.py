"""A training that is saved, goes on, and is taken back to where it was saved goes on with the same bits."""

import math
import pathlib
import tempfile
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import internals
import nnext as nn
from internals import training_state
from pins import OPTIMIZERS, build, hidden, labels, ten, uniform
from support import assert_same_bits

X, Y = uniform(1, 90, 65), labels(2, 90, 10)

NETWORKS: dict[str, list[nn.Layer]] = {
    "layered": [*hidden(), nn.Linear(40, 10)],
    "tiny": ten(),
    "softmax": [nn.Linear(65, 20), nn.Sigmoid(), nn.Dropout(0.5), nn.Linear(20, 10), nn.Softmax()],
    "batch_norm": [nn.Linear(65, 20), nn.BatchNorm1d(20), nn.GELU(), nn.Linear(20, 10), nn.BatchNorm1d(10)],
    "residual": [
        nn.Residual(nn.Linear(65, 20), nn.BatchNorm1d(20, momentum=None), nn.Dropout(0.5), shortcut=nn.Linear(65, 20)),
        nn.ReLU(), nn.Linear(20, 10),
    ],
    "images": [
        nn.Conv2d(1, 6, 3, padding=1), nn.BatchNorm2d(6), nn.GELU(),
        nn.Branches([nn.Conv2d(6, 6, 3, padding=1, groups=2)], [nn.AvgPool2d(3, 1, 1)]), nn.Dropout(0.3),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(144, 10),
    ],
    "steps": [
        nn.LayerNorm(5), nn.Linear(5, 20), nn.Branches([nn.Tanh()], [nn.Dropout(0.4)], join="add"), nn.Flatten(),
        nn.Linear(260, 10),
    ],
    "noise": [
        nn.Linear(65, 40), nn.GaussianNoise(0.1), nn.PReLU(40), nn.RMSNorm(40), nn.Reshape(2, 4, 5), nn.PReLU(),
        nn.AlphaDropout(0.2), nn.Flatten(), nn.Linear(40, 10),
    ],
}  # fmt: skip
SHAPES = {"images": (1, 5, 13), "steps": (13, 5)}  # of a sample; features for others
RULES = {**OPTIMIZERS, "nadam": lambda: nn.NAdam(lr=0.01, weight_decay=0.1, momentum_decay=0.1)}
ACTIONS = st.sampled_from(["loss_and_grads", "forward and backward", "fit", "fit two epochs", "freeze"])


def inputs(model: nn.Sequential) -> np.ndarray:
    shape = model.input_shape or ()
    return X[:, : math.prod(shape)].reshape(-1, *shape)


def go_on(model: nn.Sequential, actions: list[str]) -> dict[str, Any]:
    """Train in several ways; return the state at the end and the numbers on the way. The counters choose the rows."""
    samples, seen = inputs(model), {}
    for i, action in enumerate(actions):
        first = internals.counters(model)[0] % 5 * 16
        rows = slice(first, first + 16 + i)
        if action == "loss_and_grads":
            seen[f"loss.{i}"] = np.array(model.loss_and_grads(samples[rows], Y[rows])[0])
            model.step()
        elif action == "forward and backward":
            seen[f"outputs.{i}"] = model.forward(samples[rows])
            seen[f"dX.{i}"] = model.backward(seen[f"outputs.{i}"])
            model.step()
        elif action == "freeze":
            model.freeze("0")
        else:
            epochs = 2 if action == "fit two epochs" else 1
            seen[f"losses.{i}"] = np.array(
                model.fit(samples, Y, epochs=epochs, batch_size=40, verbose=0).history["loss"]
            )
    return seen | training_state(model) | {"predicted": model.predict(samples)}


@pytest.mark.parametrize("network", NETWORKS)
@given(
    optimizer=st.sampled_from(sorted(RULES)),
    dtype=st.sampled_from(["float32", "float64"]),
    settings=st.sampled_from([{}, {"clip_norm": 0.1}, {"accumulate": 3}, {"ema": 0.9}]),
    before=st.lists(ACTIONS, max_size=6),
    after=st.lists(ACTIONS, min_size=1, max_size=4),
)
def test_from_a_file_a_training_goes_on_as_it_did(
    network: str, optimizer: str, dtype: str, settings: dict[str, Any], before: list[str], after: list[str]
) -> None:
    model = nn.Sequential(*NETWORKS[network], seed=7, dtype=dtype, input_shape=SHAPES.get(network))
    model.compile(loss="cross_entropy", optimizer=RULES[optimizer](), **settings)
    go_on(model, before)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.safetensors"
        model.save(path)
        expected = go_on(model, after)
        for threads in (1, 3):
            with nn.runtime.threads(threads):
                assert_same_bits(go_on(nn.load(path), after), expected)


@pytest.mark.parametrize("network", NETWORKS)
def test_saved_after_any_epoch_of_a_fit_it_comes_to_the_same_end(
    isa: str, network: str, tmp_path: pathlib.Path
) -> None:
    model = build(*NETWORKS[network], loss="cross_entropy", input_shape=SHAPES.get(network))
    fit: dict[str, Any] = {"batch_size": 40, "verbose": 0}
    samples, epochs = inputs(model), 4
    keep = nn.LambdaCallback(on_epoch_end=lambda epoch, logs: model.save(tmp_path / str(epoch)))
    losses = model.fit(samples, Y, epochs=epochs, callbacks=[keep], **fit).history["loss"]
    for epoch in range(epochs - 1):
        again = nn.load(tmp_path / str(epoch))
        assert again.fit(samples, Y, epochs=epochs - 1 - epoch, **fit).history["loss"] == losses[epoch + 1 :]
        assert_same_bits(training_state(again), training_state(model))
