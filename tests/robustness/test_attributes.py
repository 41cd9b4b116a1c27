"""Every public attribute of models and what they are made of, set to nonsense: refused, or acted upon."""

import io
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nnext as nn
from cases import EVERY_OPTIMIZER
from layer_cases import LAYERS
from loss_cases import LOSSES

X, Y = np.linspace(-1, 1, 8, dtype="float32").reshape(4, 2), np.zeros((4, 2), "float32")
NONSENSE: list[Any] = [
    *(None, True, -1, 0, 1, 2**62, 10**400, 0.5, -1.5, 1e300, math.nan, math.inf, "", "sgd", b"x", object(), print, X),
    *(
        [],
        [1],
        (),
        (2, 2),
        {},
        {"0": 2.0},
        {"9": 1.0},
        nn.SGD(),
        nn.MSE(),
        nn.Linear(2, 2),
        nn.Cosine(0.1, epochs=3),
        nn.SGD,
    ),
    *(nn.History(), nn.MLP([2, 2]), np.float32(0.25), np.array(0.125), float),
]


def attributes(thing: Any) -> list[str]:
    return [*(name for name in dir(thing) if not name.startswith("_")), "nothing_of_this_name"]


def set_each(thing: Any, works: Callable[[], None]) -> None:
    """Set each attribute to each thing; after each that is taken, `works` must hold."""
    for name in attributes(thing):
        for value in NONSENSE:
            try:
                setattr(thing, name, value)
            except (AttributeError, TypeError, ValueError, OverflowError) as error:
                refused = str(error)
            else:
                refused = "taken"
                works()
            assert refused, f"{name} = {value!r} is refused without a word"


def works(model: nn.Sequential) -> None:
    """Train or say why not, save, load, and predict the same."""
    model.fit(X, Y, verbose=0)
    file = io.BytesIO()
    model.save(file)
    file.seek(0)
    twin = nn.load(file)
    assert (twin.predict(X) == model.predict(X)).all()
    assert repr(twin.optimizer) == repr(model.optimizer)


def compiled(optimizer: Any) -> nn.Sequential:
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 2))
    model.compile("mse", optimizer)
    return model


def test_of_a_model() -> None:
    model = compiled(nn.SGD(lr=0.01))
    set_each(model, lambda: works(model))


@pytest.mark.parametrize("name", EVERY_OPTIMIZER)
def test_of_an_optimizer(name: str) -> None:
    """What a training cannot go on with, such as a rate of 1e300, ends in its own error; the model works."""
    optimizer = EVERY_OPTIMIZER[name].make()
    model = compiled(optimizer)
    start, settings = model.state_dict(), optimizer.changing()

    def works_or_diverges() -> None:
        try:
            works(model)
        except (nn.DivergenceError, ValueError, RuntimeError) as error:
            assert type(error).__module__ == "nnext.errors" or str(error).startswith("[")  # noqa: PT017
        for setting, value in settings.items():
            setattr(optimizer, setting, value)
        model.compile("mse", optimizer)
        model.load_state_dict(start)
        works(model)

    set_each(optimizer, works_or_diverges)


@pytest.mark.parametrize("kind", ["layers", "losses"])
def test_of_layers_and_losses(kind: str) -> None:
    """They are what they were made as."""

    def never() -> None:
        raise AssertionError("a setting was taken that cannot change")

    things = [case.layer for case in LAYERS.values()] if kind == "layers" else [case.make() for case in LOSSES.values()]
    for thing in things:
        before = repr(thing)
        set_each(thing, never)
        assert repr(thing) == before
