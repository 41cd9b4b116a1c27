"""The core trusts nothing that Python hands over: whatever its methods are given, in any order, it is an exception.

The methods are found by looking: a new one is driven as well.
"""

import contextlib
import faulthandler
import itertools
import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import internals
import nnext as nn

X = np.linspace(-1, 1, 48, dtype="float32").reshape(12, 4)
STEPS = X.reshape(4, 3, 4)
WORDS = np.arange(12).reshape(4, 3) % 9
Y = np.zeros((12, 2), "float32")
LAYER = {"type": "Linear", "in_features": 4, "out_features": 2, "bias": True}


def network(outputs: int = 2) -> nn.Sequential:
    return nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Dropout(0.5), nn.Linear(3, outputs))


def compiled(loss: Any = "mse", optimizer: Any = "adam", outputs: int = 2, **settings: Any) -> nn.Sequential:
    model = network(outputs)
    model.compile(loss, optimizer, **settings)
    return model


def frozen() -> nn.Sequential:
    model = compiled()
    model.freeze("0", "1", "4")
    return model


def trained() -> nn.Sequential:
    model = compiled(ema=0.5, clip_norm=1.0)
    model.fit(X, Y, batch_size=4, verbose=0)
    return model


def in_a_loop() -> nn.Sequential:
    model = compiled()
    model.loss_and_grads(X, Y)
    return model


def of_steps() -> nn.Sequential:
    model = nn.Sequential(nn.GRU(4, 3, return_sequences=True), nn.Linear(3, 2))
    model.compile("mse", "adam")
    return model


def of_words() -> nn.Sequential:
    model = nn.Sequential(nn.Embedding(9, 4), nn.LSTM(4, 2))
    model.compile("cross_entropy", "sgd")
    return model


def of_labels() -> nn.Sequential:
    return compiled("cross_entropy", nn.SGD(lr=0.1), outputs=5)


STATES: dict[str, Callable[[], nn.Sequential]] = {
    "fresh": network,
    "compiled": compiled,
    "by LBFGS": lambda: compiled(optimizer=nn.LBFGS()),
    "own loss": lambda: compiled(lambda y_pred, y: (0.0, y_pred)),
    "frozen": frozen,
    "trained": trained,
    "in a loop": in_a_loop,
    "a slice": lambda: trained()[2:],
    "of labels": of_labels,
    "of any shape": lambda: nn.Sequential(nn.ReLU()),
    "of steps": of_steps,
    "of words": of_words,
}


def nonsense() -> list[Any]:
    """Return what no method wants, and a few things that some want, of this network or of another one."""
    foreign = internals.core_of(of_labels())
    return [
        *(None, True, -1, 0, 1, 3, 2**33, 2**62, 2**64, -1.5, 1e30, math.nan, math.inf),
        *("", "0", "4", "float32", "bf16", b"\0", object(), print, print_nothing),
        *([], [None], [-1], [2**62], [0], ["0"], [X], [None] * 6, [[X]] * 6, [[]] * 6, [LAYER]),
        *((), (0, 0), (-1, -1), (2**62, 1), (math.nan, 1, 0), (0.5, 3, 2), [(1, 1.0)] * 6, [(2**63, math.nan)] * 6),
        *({}, {"lr": 0.1}, {"lr": math.nan}, {"lr": X}, {"lr": np.ones(3)}, {0: X}, {-1: X}, {99: X}, {"0": 1}),
        *({"type": "SGD"}, {"type": "mse", "with_last_layer": True}, {"type": "mse"}, LAYER),
        *(X, X[:0], X[:, :3], X[0], X.astype("f8"), X.astype("f2"), X[::-2], X.T, Y, Y[:3], X * np.nan, X > 0),
        *(np.arange(12), np.arange(12) - 6, np.full(12, 2**40), np.zeros((0, 4)), np.array(1.0), np.array(["a"] * 12)),
        *(np.array([None] * 12), X.astype("c8"), np.zeros((2, 3, 4, 5, 6), "f4"), np.array([3, 1, 2], "u4")),
        *(foreign, foreign.samples(X, np.zeros(12), None, "fit", 1.0), samples_of(network(7), None)),
        *(samples_of(nn.Sequential(nn.Linear(9, 2)), Y, np.ones((12, 9))), samples_of(compiled("mse"), Y)),
        *(samples_of(nn.Sequential(nn.Linear(4, 2), dtype="float64"), Y), foreign.claim_fit(False)),
        *(STEPS, STEPS[:0], WORDS, WORDS - 5, WORDS.astype("f4"), [STEPS[0], STEPS[1, :2]], *padded_things()),
        *(predictor := of_steps().compile_inference(), predictor.reset(), of_words().compile_inference().reset()),
    ]


def padded_things() -> list[Any]:
    """Return samples with lengths, also such as were changed since, and as are none."""
    changed = np.array([3, 1, 2, 3], "u4")
    things = [nn.padded(STEPS, [3, 1, 2, 3]), nn.padded(WORDS, changed), nn.padded(X, np.full(12, 4))]
    things += [nn.padded(STEPS.copy(), changed) for _ in range(2)]
    changed[:] = 2**32 - 1
    things[3].values.resize(2, 3, 4, refcheck=False)
    with contextlib.suppress(ValueError):
        things[4].lengths[:] = 2**32 - 1
    return things


def print_nothing(*_: object) -> Any:
    return math.nan, X[:, :2]


def samples_of(model: nn.Sequential, y: Any, given: Any = X) -> Any:
    return internals.core_of(model).samples(given, y, None, "fit", 1.0)


def drive(core: Any, name: str, arguments: list[Any]) -> Any:
    """Call a method; an exception is as good as a result."""
    with contextlib.suppress(Exception):
        return getattr(core, name)(*arguments)
    return None


def still_works(model: nn.Sequential) -> None:
    """Whatever the core was made to do, it can be told what to do."""
    sequence = nn.Sequential(*model.layers)
    if model.in_features is None and not internals.core_of(model).takes_steps():
        return
    model.load_state_dict(sequence.state_dict(), strict=False)
    model.compile("mse", nn.SGD(lr=0.01))
    samples = samples_for(model)
    model.fit(samples, np.zeros(model.predict(samples).shape), verbose=0)
    assert np.isfinite(model.predict(samples)).all()


@pytest.mark.parametrize("state", STATES)
def test_each_method_with_each_nonsense_in_each_place(state: str) -> None:
    """The other arguments are those of a call that can do something."""
    things, model = nonsense(), STATES[state]()
    core = internals.core_of(model)
    draw, third = random.Random(0), list(STATES).index(state) % 3  # all of it in three states
    for name in internals.methods_of(core):
        wanted, known = internals.arguments_of(getattr(core, name)), sensible(core, name)
        for place, thing in itertools.product(range(max(wanted, 1)), things[third::3]):
            arguments = known[:] or [draw.choice(things) for _ in range(wanted)]
            arguments[place : place + 1] = [thing]
            drive(core, name, arguments)
        for count in range(wanted + 2):
            drive(core, name, [draw.choice(things) for _ in range(count)])
    still_works(model)


def samples_for(model: nn.Sequential) -> np.ndarray:
    """Return samples that a network takes."""
    if internals.core_of(model).takes_steps():
        return WORDS if "Embedding" in repr(model) else STEPS
    return X[:, : model.in_features]


def samples_of_core(core: Any) -> tuple[Any, Any]:
    """Return an X that a network takes, and the core's samples of it."""
    if core.takes_steps():
        for values in (STEPS, WORDS):
            x = nn.padded(values, [3, 1, 2, 3])
            for y in (np.zeros((4, 3, 2)), np.zeros(4)):
                if (samples := drive(core, "samples", [x, y, None, "fit", 1.0])) is not None:
                    return x, samples
        return x, None
    x = X[:, : (core.input_shape() or [4])[0]]
    outputs = core.output([x.shape[1]])[0][0]
    samples = drive(core, "samples", [x, np.zeros((12, outputs)), None, "fit", 1.0])
    if samples is None:  # of labels
        samples = drive(core, "samples", [x, np.zeros(12), None, "fit", 1.0])
    return x, samples


def sensible(core: Any, name: str) -> list[Any]:
    """Return arguments that make the method work in some states; none where it is driven with nonsense alone."""
    x, samples = samples_of_core(core)
    tensors = drive(core, "get_tensors", []) or []
    count = len(tensors)
    known: dict[str, list[Any]] = {
        "samples": [x, Y, np.ones(len(x)), "fit", 1.0, np.array([0, 2], "u4")],
        "fit_epoch": [samples, None, 4, True, {"lr": 0.1}, None, None],
        "fit_batch": [samples, None, {"lr": 0.1}, 0, None],
        "evaluate": [samples],
        "outputs": [samples],
        "loss_and_gradients": [samples],
        "begin_epoch": [12, True],
        "compile": [{"type": "mse"}, nn.Adam().rule(), "float32", 0.0, 0.0, 1, 0.0, [], 0],
        "predict": [x, None, True, 1.0],
        "forward": [x, True, 1.0],
        "output_lengths": [[3, 4], [3, 1, 2]],
        "set_weights": [tensors, []],
        "set_state": [tensors, [], [[]] * count, [(0, 1.0)] * count, (0, 0), (0.0, 0, 0)],
        "set_trainable": [["0"], False],
        "slice": [0, 1],
        "build": [0, [LAYER], [], True, (0, 0)],
    }
    return list(known.get(name, []))


@pytest.mark.parametrize("seed", range(3))
def test_any_order(seed: int) -> None:
    """Methods of all states in a random order, with arguments that work and that do not."""
    draw, things = random.Random(seed), nonsense()
    models = [make() for make in STATES.values()]
    for _ in range(600):
        core = internals.core_of(draw.choice(models))
        name = draw.choice(internals.methods_of(core))
        arguments = sensible(core, name) or [
            draw.choice(things) for _ in range(internals.arguments_of(getattr(core, name)))
        ]
        if arguments and draw.random() < 0.5:
            arguments[draw.randrange(len(arguments))] = draw.choice(things)
        result = drive(core, name, arguments)
        if result is not None and draw.random() < 0.2:
            things.append(result)
    for model in models:
        still_works(model)


def test_within_a_fit() -> None:
    """Each method while the core waits for the loss of a step."""
    model, things, draw = compiled(), nonsense(), random.Random(0)
    core = internals.core_of(model)
    names = internals.methods_of(core)

    def loss(y_pred: np.ndarray, _: Any) -> tuple[float, np.ndarray]:
        for name in names:
            wanted = internals.arguments_of(getattr(core, name))
            drive(core, name, sensible(core, name) or [draw.choice(things) for _ in range(wanted)])
        return 0.0, y_pred

    core.fit_epoch(core.samples(X, Y, None, "fit", 1.0), None, 4, True, {"lr": 0.1}, loss, None)
    still_works(model)


@pytest.mark.parametrize("model", [of_steps, of_words])
def test_each_nonsense_as_a_step(model: Callable[[], nn.Sequential]) -> None:
    """Of a predictor whose states are driven, too; it goes on as before."""
    predictor, things = model().compile_inference(), nonsense()
    good = [1.0, *X[:, :4]] if model is of_words else X
    state, other = predictor.reset(), model().compile_inference().reset()
    for place, thing in itertools.product(range(3), things):
        arguments: list[Any] = [good[0], state, None]
        arguments[place] = thing
        drive(predictor, "step", arguments)
        drive(predictor, "__call__", [thing, *arguments[2:]])
        drive(predictor, "reset", [thing])
        for of in (state, other):
            for method in [*internals.methods_of(of), "__copy__", "__deepcopy__", "__reduce__", "__setstate__"]:
                drive(of, method, [thing])
                drive(of, method, [])
    for wrong in (other, object(), None):
        drive(predictor, "step", [good[0], wrong, None])
    expected, _ = model().compile_inference().step(good[0])
    assert np.array_equal(predictor.step(good[0])[0], expected)


def test_each_nonsense_as_padded_samples() -> None:
    for values, lengths in itertools.product(things := nonsense(), repeat=2):
        with contextlib.suppress(Exception):
            internals.padded(values, lengths, "fit")
    for values in things:
        for operation in (None, 1, "", "\0", "x" * 1000, b"fit"):
            with contextlib.suppress(Exception):
                internals.padded(values, [1] * 4, operation)


def test_lengths_that_are_written_to_within_a_fit() -> None:
    """What one gets of them is a copy."""
    model = nn.Sequential(nn.GRU(4, 3, return_sequences=True))
    samples, given = nn.padded(STEPS, [3, 1, 2, 3]), np.array([3, 1, 2, 3], "u4")
    twice = nn.padded(STEPS, given)

    def loss(y_pred: np.ndarray, _: Any) -> tuple[float, np.ndarray]:
        for lengths in (samples.lengths, twice.lengths, given):
            lengths[:] = 2**32 - 1
        return 0.0, y_pred

    model.compile(loss)
    for X in (samples, twice):
        model.fit(X, np.zeros((4, 3, 3)), batch_size=1, epochs=2, verbose=0)
        assert X.lengths.tolist() == [3, 1, 2, 3]


@pytest.mark.parametrize("gradient", [X, X[:, :2], X[:4, :1], np.zeros((4, 2, 1)), np.zeros(8)])
def test_a_gradient_of_another_shape_is_refused(gradient: np.ndarray) -> None:
    """More would be read of it than there is."""
    model = compiled()
    core = internals.core_of(model)
    samples = core.samples(X, Y, None, "fit", 1.0)
    with pytest.raises(ValueError, match=r"its outputs have \(4, 2\)|has shape"):
        core.fit_epoch(samples, None, 4, True, {"lr": 0.1}, lambda *_: (0.0, gradient), None)
    still_works(model)


def test_samples_of_another_network_are_refused() -> None:
    """They would be written beyond the end of what they have room for."""
    core = internals.core_of(compiled(outputs=5))
    foreign = samples_of(compiled(), Y)
    calls = {"fit_epoch": [None, 4, True, {}], "fit_batch": [None, {}, 0], "evaluate": [], "outputs": []}
    for name, others in (calls | {"loss_and_gradients": []}).items():
        with pytest.raises(ValueError, match="the samples were made for another network, which gives "):
            getattr(core, name)(foreign, *others)


def test_nobody_but_the_core_makes_its_objects() -> None:
    for cls in internals.core_classes():
        for make in (cls, lambda cls=cls: cls.__new__(cls), lambda cls=cls: object.__new__(cls)):
            with pytest.raises(TypeError):
                make()
        with pytest.raises(TypeError):
            type("Derived", (cls,), {})


@pytest.fixture(autouse=True)
def tells_where_it_crashes() -> None:
    faulthandler.enable()
