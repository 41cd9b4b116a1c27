"""copy, pickle, and what uses them: a twin of the same class that goes on with the same bits."""

import copy
import pathlib
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import nnext as nn
from copying import (
    MODELS,
    WAYS,
    Net,
    X,
    Y,
    diverged,
    in_a_loop_of_its_own,
    mlp,
    of_a_users_class,
    plain,
    with_an_own_loss,
)
from internals import frozen, settings, training_state
from support import assert_same_bits, environment


def go_on(model: nn.Sequential) -> Any:
    """Train a model further; return what came of it."""
    if model.compiled is None:
        nn.Sequential.compile(model, "cross_entropy")
    history = model.fit(X, Y, epochs=2, batch_size=5, verbose=0).history
    model.loss_and_grads(X, Y)
    model.step()
    return training_state(model) | {name: np.array(values) for name, values in history.items()}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", MODELS)
def test_a_twin_goes_on_alike(name: str, way: str) -> None:
    model = MODELS[name]()
    before = training_state(model)
    twin = WAYS[way](model)
    assert type(twin) is type(model)
    assert repr(twin) == repr(model)
    assert repr(twin.optimizer) == repr(model.optimizer)
    assert twin.optimizer is None or twin.optimizer is not model.optimizer
    assert frozen(twin) == frozen(model)
    assert list(settings(twin).get("metrics", ())) == list(settings(model).get("metrics", ()))
    assert_same_bits(training_state(twin), before)
    assert_same_bits(twin.predict(X), model.predict(X))
    if model.history is not None:
        assert twin.history.history == model.history.history
    expected = go_on(twin)
    assert_same_bits(training_state(model), before)  # it has not moved with its twin
    assert_same_bits(go_on(model), expected)


@pytest.mark.parametrize("way", WAYS)
def test_a_users_attributes_are_the_twins(way: str) -> None:
    model = of_a_users_class()
    twin = WAYS[way](model)
    assert isinstance(twin, Net)
    assert (twin.labels, twin.slot, twin.power) == (["a", "b"], [1], 0.5)
    shared = way == "copy"  # as everywhere
    assert (twin.labels is model.labels, twin.slot is model.slot) == (shared, shared)
    assert twin.itself[0] is (model if shared else twin)
    assert settings(twin)["loss"].__self__ is (model if shared else twin)


@pytest.mark.parametrize("way", WAYS)
def test_a_state_without_a_future_is_kept_bit_by_bit(way: str) -> None:
    model = diverged()
    assert not np.isfinite(model.state_dict()["2.weight"]).all()
    odd = np.array([[0x7FC12345, 0xFFC00001, 0x80000000, 1, 0x7F800000]], "uint32").view("float32")
    weights = nn.Sequential(nn.Linear(5, 1, bias=False))
    weights.load_state_dict({"0.weight": odd})
    for net in (model, weights):
        twin = WAYS[way](net)
        assert [a.tobytes() for a in training_state(twin).values()] == [
            a.tobytes() for a in training_state(net).values()
        ]


def test_a_copy_in_a_callback_goes_on_from_that_epoch() -> None:
    model, twins = mlp(), []
    keep = nn.LambdaCallback(on_epoch_end=lambda epoch, logs: twins.append(copy.deepcopy(model)))
    model.fit(X, Y, epochs=3, batch_size=5, callbacks=[keep], verbose=0)
    assert twins[0].history.epoch == [0]
    twins[0].fit(X, Y, epochs=2, batch_size=5, verbose=0)
    assert_same_bits(training_state(twins[0]), training_state(model))


def test_a_pass_in_progress_stays_with_the_model() -> None:
    model = in_a_loop_of_its_own()
    twin = copy.deepcopy(model)
    with pytest.raises(RuntimeError, match=r"\[step\]"):
        twin.step()
    model.step()


def test_a_lambda_is_copied_but_has_no_pickle() -> None:
    model = nn.MLP([5, 2])
    model.compile("mse", metrics=[lambda y_true, y_pred: 7.0])
    for twin in (copy.copy(model), copy.deepcopy(model)):
        assert twin.evaluate(X, X[:, :2])["<lambda>"] == 7.0
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(model)


def test_cloudpickle_takes_a_lambda() -> None:
    cloudpickle = pytest.importorskip("cloudpickle")
    model = nn.MLP([5, 2])
    model.compile("mse", metrics=[lambda y_true, y_pred: 7.0])
    assert pickle.loads(cloudpickle.dumps(model)).evaluate(X, X[:, :2])["<lambda>"] == 7.0


def test_an_object_as_metric_is_a_deep_copys_own() -> None:
    model = with_an_own_loss()
    assert settings(copy.copy(model))["metrics"]["scaled"].function is settings(model)["metrics"]["scaled"].function
    twin = copy.deepcopy(model)
    assert settings(twin)["metrics"]["scaled"].function is not settings(model)["metrics"]["scaled"].function
    assert settings(twin)["metrics"]["scaled"].function.factor == 2.0


def test_a_damaged_pickle_says_so() -> None:
    state = plain().__getstate__()
    for file in (state["file"][:-1], b""):
        with pytest.raises(nn.ModelFormatError):
            nn.Sequential.__new__(nn.Sequential).__setstate__(state | {"file": file})


# ---- Other processes -------------------------------------------------------------------------------------------------

SPAWN = """
import multiprocessing, sys
import numpy as np
import nnext as nn

X = np.linspace(-1, 1, 60).reshape(12, 5)

def ask(thing):
    return getattr(thing, "predict", thing)(X).tobytes()

if __name__ == "__main__":
    model = nn.MLP([5, 40, 2], batch_norm=True)
    model.compile("cross_entropy", "nadam", metrics=["accuracy"])
    model.fit(X, np.arange(12) % 2, verbose=0)
    things = [model, model.compile_inference()]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(ask, things) == [ask(thing) for thing in things]
    print("alike")
"""


def test_models_and_predictors_go_to_another_process(tmp_path: pathlib.Path) -> None:
    (tmp_path / "main.py").write_text(SPAWN)
    result = subprocess.run(
        [sys.executable, tmp_path / "main.py"],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.stdout == "alike\n", result.stderr
