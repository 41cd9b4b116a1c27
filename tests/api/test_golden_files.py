"""Files of format 1, written by the version that had no other, load and go on with the same bits.

`mlp_adam_float32` was trained for two epochs by Adam, its first layer frozen after the first of them, and
`tiny_sgd_float64` for two by SGD with momentum. `files.json` has what they predicted, with FMA, and the hash of their
state after a third epoch.
"""

import json
import pathlib
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

import internals
import nnext as nn
from error_bounds import bounded
from internals import training_state
from pins import labels, uniform
from support import FMA_ISAS, assert_same_bits, digest, model_metadata
from tolerance import assert_within

GOLDEN = pathlib.Path(__file__).parents[1] / "golden"
RECORDED: dict[str, Any] = json.loads((GOLDEN / "files.json").read_text())


@pytest.fixture(params=sorted(RECORDED))
def name(request: pytest.FixtureRequest) -> str:
    """Each file of format 1."""
    return str(request.param)


def path(name: str) -> pathlib.Path:
    return GOLDEN / f"{name}.safetensors"


def samples(model: nn.Sequential) -> tuple[np.ndarray, np.ndarray]:
    return uniform(1, 100, model.in_features or 0), labels(2, 100, 3)


def rounding(model: nn.Sequential, X: np.ndarray) -> np.ndarray:
    """Return how far the outputs of the model may be from those of exact arithmetic."""
    twin = bounded(model)
    twin.forward(X, False)
    return 2 * twin.error + np.finfo(model.dtype).tiny


def test_the_state_is_the_files(name: str, isa: str) -> None:
    model, tensors, metadata = nn.load(path(name)), load_file(path(name)), model_metadata(path(name))
    state = training_state(model)
    assert metadata["format_version"] == 1
    assert state.pop("counters").tolist() == metadata["counters"] == [8, 2, 8]
    assert_same_bits(state, {key: tensors[key] for key in state})
    assert sorted(state) == sorted(tensors)
    assert sorted(internals.frozen(model)) == [str(layer) for layer in metadata["frozen"]]
    built = [type(layer).__name__ for layer in model.layers]
    settings = {"layers": built, "seed": model.seed, "dtype": model.dtype.name}
    assert settings == {key: RECORDED[name][key] for key in settings}
    assert model.optimizer is not None
    assert (type(model.optimizer).__name__, model.optimizer.lr) == tuple(RECORDED[name]["optimizer"])


def test_predictions_are_those_of_the_version_that_wrote_it(name: str, isa: str) -> None:
    model = nn.load(path(name))
    X = samples(model)[0][:5]
    recorded = np.array(RECORDED[name]["predicted"], model.dtype)
    if isa in FMA_ISAS:
        assert_same_bits(model.predict(X), recorded)
    else:
        assert_within(model.predict(X), recorded.astype(np.float64), 2 * rounding(model, X))


def test_training_goes_on(name: str, isa: str) -> None:
    model = nn.load(path(name))
    losses = model.fit(*samples(model), batch_size=32, verbose=0).history["loss"]
    trained = digest(training_state(model) | {"losses": np.array(losses)})
    assert trained == RECORDED[name]["trained"]["fma" if isa in FMA_ISAS else isa]
