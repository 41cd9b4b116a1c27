"""Programs of ten random calls on a model, whose twins must come to the same bits by other ways."""

import contextlib
import copy
import pathlib
import tempfile
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from hypothesis import strategies as st

import internals
import nnext as nn
from error_bounds import bounded
from internals import training_state
from strategies import LAYOUT
from support import assert_same_bits, unchanged
from tolerance import assert_within
from wrong_calls import LABELS, NAMES, WRONG, N, Subject, X, fails

CALLS = 10
Draw = Callable[[st.SearchStrategy[Any]], Any]
HIDDEN = [
    nn.Tanh(), nn.ReLU(), nn.PReLU(5), nn.Dropout(0.3), nn.GaussianNoise(0.1), nn.BatchNorm1d(5), nn.LayerNorm(5),
    nn.Branches([nn.Linear(5, 3)], [nn.RMSNorm(5), nn.Linear(5, 2)]),
]  # fmt: skip
LAST = [
    [nn.Linear(5, 3)],
    [nn.Linear(5, 3), nn.Softmax()],
    [nn.Residual(nn.Linear(5, 5), nn.Sigmoid()), nn.Linear(5, 3)],
]
OPTIMIZERS = [
    nn.SGD(lr=0.1), nn.SGD(lr=0.1, momentum=0.9), nn.Adam(),
    nn.NAdam(weight_decay=0.1), nn.Adagrad(), nn.RMSprop(centered=True), nn.Lion(l1=0.01),
]  # fmt: skip
SETTINGS: list[dict[str, Any]] = [{}, {"clip_norm": 0.1}, {"clip_value": 0.01}, {"accumulate": 2}, {"ema": 0.9}]


class World(Subject):
    """The model that a program works on, and what decides about its calls."""

    def __init__(self, draw: Draw, folder: pathlib.Path) -> None:
        self.draw = draw
        super().__init__(self.build(), folder)

    def build(self) -> nn.Sequential:
        hidden = copy.deepcopy(self.draw(st.sampled_from(HIDDEN)))
        last = self.draw(st.sampled_from(LAST))
        dtype = self.draw(st.sampled_from(["float32", "float64"]))
        model = nn.Sequential([nn.Linear(4, 5), hidden, *last], seed=self.draw(st.integers(0, 3)), dtype=dtype)
        if self.draw(st.booleans()):
            self.compile(model)
        return model

    def compile(self, model: nn.Sequential) -> None:
        optimizer = copy.deepcopy(self.draw(st.sampled_from(OPTIMIZERS)))
        loss = self.draw(st.sampled_from(["cross_entropy", "mse", nn.Huber(0.5)]))
        metric = "accuracy" if loss == "cross_entropy" else "mae"
        chosen = self.draw(st.sampled_from([None, metric]))
        model.compile(loss, optimizer, metrics=chosen, **self.draw(st.sampled_from(SETTINGS)))


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
    compiled = world.model.compiled
    moves = any(isinstance(layer, nn.BatchNorm1d) for layer in world.model.layers)
    moves |= compiled is not None and compiled.ema is not None  # what is shown are averages, which go on
    if lr == 0 and not moves:
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


# ---- What must hold after a program ---------------------------------------------------------------------------------


def through_a_file(world: World) -> nn.Sequential:
    """Return what comes of saving and loading: it is equal, and saved once more gives the same bytes."""
    model, path = world.model, world.folder / "check.safetensors"
    model.save(path)
    data = path.read_bytes()
    again = nn.load(path)
    again.save(path)
    assert path.read_bytes() == data
    assert again.layers == model.layers
    assert again.optimizer == model.optimizer
    assert_same_bits(training_state(again), training_state(model))
    return again


def assert_computes_like_the_reference(model: nn.Sequential) -> None:
    """Compare outputs, also with what drops in the next step, with those in plain NumPy and float64."""
    twin, tiny = bounded(model), np.finfo(model.dtype).tiny
    twin.network.steps = internals.counters(model)[0]
    for training in (False,) if internals.averages(model) else (False, True):
        expected = twin.forward(X, training)
        assert_within(copy.deepcopy(model).forward(X, training), expected, 2 * twin.error + tiny)


def own_loop(model: nn.Sequential, y: np.ndarray) -> None:
    """Do what a fit of one batch does."""
    internals.begin_epoch(model, N, False)
    model.loss_and_grads(X, y)
    model.step()


def check(world: World) -> None:
    """Assert that twins, each in another way, compute and go on as the model does."""
    again = through_a_file(world)
    assert_computes_like_the_reference(world.model)
    if world.model.compiled is None:
        return
    y, batch = world.targets(), {"batch_size": N, "shuffle": False, "verbose": 0}
    threads, layout = world.draw(st.integers(1, 4)), world.draw(LAYOUT)
    twins = [copy.deepcopy(world.model) for _ in range(4)]
    here, arranged, threaded, looped = twins
    here.fit(X, y, **batch)
    again.fit(X, y, **batch)
    arranged.fit(layout(X), layout(y), **batch)
    own_loop(looped, y)
    with nn.runtime.threads(threads):
        threaded.fit(X, y, **batch)
    for twin in (again, arranged, threaded, looped):
        assert_same_bits(training_state(twin), training_state(here))
        assert twin.evaluate(X, y) == here.evaluate(X, y)


def run_program(draw: Draw) -> None:
    """Make the calls that are drawn."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of rows in the order of their labels
        world = World(draw, pathlib.Path(folder))
        for _ in range(CALLS):
            if draw(st.integers(0, 2)) == 0:
                fails(world, draw(st.sampled_from(sorted(WRONG))))
                continue
            call = draw(st.sampled_from(RIGHT))
            if world.model.compiled is not None or call not in NEED_COMPILE:
                call(world)
        check(world)
