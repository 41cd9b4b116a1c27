"""Programs of ten random calls: settings are obeyed or refused, files continue a training, failures change nothing.

`nox -s programs` runs 2,000 of them.
"""

import contextlib
import copy
import os
import pathlib
import tempfile
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnext as nn
from internals import training_state
from support import assert_same_bits, unchanged

PROGRAMS, CALLS, N = int(os.environ.get("NNEXT_TEST_PROGRAMS", "60")), 10, 12
X = np.random.default_rng(0).normal(size=(N, 4))
NAMES = np.array(["ant", "bee", "cat"])
LABELS = np.arange(N) % 3
Draw = Callable[[st.SearchStrategy[Any]], Any]


class World:
    """A model, and what stands beside it while a program runs."""

    def __init__(self, draw: Draw, folder: pathlib.Path) -> None:
        self.draw, self.folder = draw, folder
        self.model = self.build()

    def build(self) -> nn.Sequential:
        hidden = self.draw(st.sampled_from([nn.Tanh(), nn.ReLU(), nn.Dropout(0.3), nn.BatchNorm1d(5)]))
        block = nn.Residual(nn.Linear(5, 5), nn.Sigmoid())
        last = self.draw(
            st.sampled_from([[nn.Linear(5, 3)], [nn.Linear(5, 3), nn.Softmax()], [block, nn.Linear(5, 3)]])
        )
        dtype = self.draw(st.sampled_from(["float32", "float64"]))
        model = nn.Sequential([nn.Linear(4, 5), hidden, *last], seed=self.draw(st.integers(0, 3)), dtype=dtype)
        if self.draw(st.booleans()):
            self.compile(model)
        return model

    def compile(self, model: nn.Sequential) -> None:
        options = [nn.SGD(lr=0.1), nn.SGD(lr=0.1, momentum=0.9), nn.Adam(), nn.NAdam(weight_decay=0.1), nn.Adagrad()]
        optimizer = copy.deepcopy(self.draw(st.sampled_from(options)))
        loss = self.draw(st.sampled_from(["cross_entropy", "mse", nn.Huber(0.5)]))
        metric = "accuracy" if loss == "cross_entropy" else "mae"
        model.compile(loss, optimizer, metrics=self.draw(st.sampled_from([None, metric])))

    def targets(self) -> np.ndarray:
        if self.model.seen.classes is not None:
            return NAMES[LABELS] if self.is_cross_entropy else np.eye(3)[LABELS]
        return LABELS if self.is_cross_entropy else np.eye(3)[LABELS]

    @property
    def is_cross_entropy(self) -> bool:
        return self.model.compiled is not None and self.model.compiled.loss == nn.CrossEntropy()


@contextlib.contextmanager
def suppressed(model: nn.Sequential, message: str) -> Iterator[None]:
    """Let a call fail with that message, and assert that it has changed nothing then."""
    before, history = training_state(model), model.history
    try:
        yield
    except ValueError as error:
        if message not in str(error):
            raise
        assert_same_bits(training_state(model), before)
        assert model.history is history


# ---- Calls that are right -------------------------------------------------------------------------------------------


def build(world: World) -> None:
    world.model = world.build()


def compile(world: World) -> None:
    world.compile(world.model)


def fit(world: World) -> None:
    draw, y = world.draw, world.targets()
    if world.is_cross_entropy and draw(st.booleans()) and world.model.seen.classes is None:
        y = NAMES[LABELS]
    weight = draw(st.sampled_from([None, np.arange(N) % 4]))
    options = {"epochs": draw(st.integers(1, 2)), "batch_size": draw(st.sampled_from([None, 1, 5])), "verbose": 0}
    split = draw(st.sampled_from([0.0, 0.25]))
    options |= {"sample_weight": weight, "validation_split": split, "shuffle": draw(st.booleans())}
    with contextlib.ExitStack() as stack:
        if any(isinstance(layer, nn.BatchNorm1d) for layer in world.model.layers):  # a last batch of one row is refused
            stack.enter_context(suppressed(world.model, "batch normalization needs 2"))
        world.model.fit(X, y, **options)


def own_step(world: World) -> None:
    world.model.loss_and_grads(X, world.targets())
    world.model.step()


def set_rate(world: World) -> None:
    lr = world.draw(st.sampled_from([0.0, 0.01, 0.3]))
    world.model.optimizer.lr = lr  # type: ignore[union-attr]
    frozen_still = world.model.state_dict()
    own_step(world)
    if lr == 0 and not any(isinstance(layer, nn.BatchNorm1d) for layer in world.model.layers):
        assert_same_bits(world.model.state_dict(), frozen_still)


def freeze(world: World) -> None:
    name = world.draw(st.sampled_from(["0", 0]))
    (world.model.freeze if world.draw(st.booleans()) else world.model.unfreeze)(name)


def save_and_load(world: World) -> None:
    path = world.folder / "model.safetensors"
    world.model.save(path)
    world.model = nn.load(path)


def copy_it(world: World) -> None:
    world.model = world.draw(st.sampled_from([copy.copy, copy.deepcopy]))(world.model)


def load_parameters(world: World) -> None:
    state = world.model.state_dict()
    world.model.load_state_dict({name: values * 0.5 for name, values in state.items()})


def ask(world: World) -> None:
    model = world.model
    with unchanged(model):
        outputs = model.predict(X)
        assert model.predict(X[2]).tobytes() == outputs[2].tobytes()
        if model.compiled is not None:
            model.evaluate(X, world.targets())


RIGHT = [build, compile, fit, fit, own_step, set_rate, freeze, save_and_load, copy_it, load_parameters, ask]
NEED_COMPILE = {fit, own_step, set_rate}


# ---- Calls that are wrong -------------------------------------------------------------------------------------------

WRONG: dict[str, Callable[[World], Any]] = {
    "nan in X": lambda w: w.model.fit(np.where(X > 2, np.nan, np.full_like(X, np.nan)), w.targets(), verbose=0),
    "too few targets": lambda w: w.model.fit(X, w.targets()[:-1], verbose=0),
    "too many features": lambda w: w.model.fit(np.ones((N, 5)), w.targets(), verbose=0),
    "no such class": lambda w: w.model.fit(X, LABELS + 9, verbose=0),
    "an unknown name": lambda w: w.model.fit(X, np.full(N, "dog"), verbose=0),
    "weights of no class": lambda w: w.model.fit(X, w.targets(), class_weight={"?": 1.0}, verbose=0),
    "no weight at all": lambda w: w.model.fit(X, w.targets(), sample_weight=np.zeros(N), verbose=0),
    "validation of other features": lambda w: w.model.fit(
        X, w.targets(), validation_data=(X[:, :2], LABELS), verbose=0
    ),
    "a callback that is none": lambda w: w.model.fit(X, w.targets(), callbacks=[print], verbose=0),
    "a callback that fails at once": lambda w: w.model.fit(
        X, w.targets(), callbacks=nn.LambdaCallback(on_train_begin=lambda logs: 1 / 0), verbose=0
    ),
    "shuffle that is no bool": lambda w: w.model.fit(X, w.targets(), shuffle="no", verbose=0),  # type: ignore[arg-type]
    "an unknown argument": lambda w: w.model.fit(X, w.targets(), learning_rate=0.1),  # type: ignore[call-arg]
    "an unknown loss": lambda w: w.model.compile("mean_squared"),
    "a loss that does not fit": lambda w: w.model.compile(
        "bce_with_logits" if isinstance(w.model.layers[-1], nn.Softmax) else "bce"
    ),
    "an unknown metric": lambda w: w.model.compile("cross_entropy", metrics=["speed"]),
    "two metrics of one name": lambda w: w.model.compile("cross_entropy", metrics=["f1", "f1"]),
    "no precision": lambda w: w.model.compile("cross_entropy", precision="half"),
    "an unknown layer": lambda w: w.model.freeze("7"),
    "parameters of another shape": lambda w: w.model.load_state_dict({**w.model.state_dict(), "0.bias": np.ones(3)}),
    "parameters that are missing": lambda w: w.model.load_state_dict({}),
    "a setting of the model": lambda w: setattr(w.model, "learning_rate", 0.1),
    "another optimizer": lambda w: setattr(w.model, "optimizer", nn.SGD()),
    "a setting of the optimizer": lambda w: setattr(w.model.optimizer, "momentum", 0.5),
    "a rate that is none": lambda w: setattr(w.model.optimizer, "lr", -1),
    "no folder": lambda w: w.model.save(w.folder / "absent" / "m"),
    "evaluating nothing": lambda w: w.model.evaluate(X[:0], w.targets()[:0]),
    "predicting words": lambda w: w.model.predict([["a", "b", "c", "d"]]),
    "a step without gradients": lambda w: (w.model.load_state_dict(w.model.state_dict()), w.model.step()),
}


def fails(world: World, name: str) -> None:
    model = world.model
    with (
        unchanged(model),
        pytest.raises((ValueError, TypeError, AttributeError, OSError, RuntimeError, ZeroDivisionError)),
    ):
        WRONG[name](world)


# ---- What must hold after every call --------------------------------------------------------------------------------


def check(world: World) -> None:
    """Assert that what a file says is in use, and that the training goes on from it as from here."""
    model, path = world.model, world.folder / "check.safetensors"
    model.save(path)
    data = path.read_bytes()
    again = nn.load(path)
    again.save(path)
    assert path.read_bytes() == data
    assert again.layers == model.layers
    assert again.optimizer == model.optimizer
    assert_same_bits(training_state(again), training_state(model))
    if model.compiled is None:
        return
    here = copy.deepcopy(model)
    for twin in (again, here):
        twin.fit(X, world.targets(), verbose=0)
    assert_same_bits(training_state(again), training_state(here))
    assert again.evaluate(X, world.targets()) == here.evaluate(X, world.targets())


@settings(max_examples=PROGRAMS)
@given(st.data())
def test_programs(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of rows in the order of their labels
        world = World(data.draw, pathlib.Path(folder))
        for _ in range(CALLS):
            if data.draw(st.integers(0, 2), "wrong if 0") == 0:
                fails(world, data.draw(st.sampled_from(sorted(WRONG))))
                continue
            call = data.draw(st.sampled_from(RIGHT))
            if world.model.compiled is not None or call not in NEED_COMPILE:
                call(world)
        check(world)


@pytest.mark.parametrize("name", WRONG)
def test_every_wrong_call_fails_and_changes_nothing(name: str, tmp_path: pathlib.Path) -> None:
    for trained in (False, True):
        model = nn.Sequential([nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Linear(5, 3)], seed=1)
        model.compile("cross_entropy", nn.Adam(), metrics="accuracy")
        if trained:
            model.fit(X, LABELS, verbose=0)
        world = World.__new__(World)
        world.model, world.folder = model, tmp_path
        fails(world, name)
