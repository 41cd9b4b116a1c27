"""The table of hints: what people of other libraries write is an error that names what to write, and that exists."""

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import nnext as nn
from internals import HINTS, takes_hints

X, Y = np.linspace(-1, 1, 12).reshape(6, 2), np.array([0, 1, 0, 1, 1, 0])


@pytest.fixture(scope="module")
def model() -> nn.Sequential:
    net = nn.MLP([2, 4, 2])
    net.compile(loss="cross_entropy")
    net.fit(X, Y, verbose=0)
    return net


def entries() -> Iterator[tuple[str, str, str]]:
    """Return place, name and cure of each row, names one by one."""
    for place, rows in HINTS.items():
        for names, cure in rows.items():
            for name in names.split():
                yield place, name, cure


ENTRIES = list(entries())
CALLS: dict[str, Callable[..., Any]] = {
    **nn.Layer.types(), **nn.Loss.types(), **nn.Optimizer.types(), **nn.Schedule.types(),
    **nn.initializers.Initializer.types(),
    **{name: getattr(nn.metrics, name) for name in nn.metrics.__all__},
    **{cls.__name__: cls for cls in (nn.Sequential, nn.MLP, nn.layers.Activation)},
    **{name: getattr(nn.callbacks, name) for name in nn.callbacks.__all__ if name not in ("Callback", "listed")},
    **{name: getattr(nn.datasets, name) for name in ("train_test_split", "make_moons", "make_spirals", "windows")},
    **{name: getattr(nn.plot, name) for name in nn.plot.__all__},
    "lr_find": nn.lr_find,
    **{name: value for name, value in inspect.getmembers(nn.Sequential, inspect.isfunction) if name[0] != "_"},
}  # fmt: skip


def parameters(function: Callable[..., Any]) -> set[str]:
    return {p.name for p in inspect.signature(function).parameters.values() if p.kind is not p.VAR_POSITIONAL}


def call_for(place: str, name: str, cure: str) -> Callable[..., Any]:
    """Return what is called at a place such as "fit("; at "(" the first that the cure fits."""
    if place != "(":
        return CALLS[place[:-1]]
    return next(call for call in CALLS.values() if " " in cure or cure in parameters(call))


def type_it(model: nn.Sequential, place: str, name: str, cure: str = "") -> Any:
    """Do what a person does who types the name at the place."""
    if place.startswith("nn."):
        module = nn if place == "nn." else getattr(nn, place[3:-1])
        return getattr(module, name)
    if place.endswith("("):
        call = takes_hints(call_for(place, name, cure))
        first = (model,) if call.__name__ in dir(nn.Sequential) else ()
        return call(*first, *range(30)) if name == "*" else call(*first, **{name: 1})
    return {
        "loss=": lambda: nn.losses.get(name),
        "compile(loss=": lambda: model.compile(name),
        "optimizer=": lambda: nn.Optimizer.find("compile", "optimizer", name),
        "compile(optimizer=": lambda: model.compile("mse", name),
        "activation=": lambda: nn.MLP([2, 3, 2], activation=name),
        "layers=": lambda: nn.Sequential(name),
        "layer:": lambda: nn.Sequential(name),
        "initializer:": lambda: nn.Linear(2, 3, weight_init=name),
        "bias=": lambda: nn.Linear(2, 3, name),
        "layer=": lambda: model.freeze(name),
        "metric=": lambda: nn.metrics.get(name),
        "model.": lambda: getattr(nn.MLP.__new__(nn.MLP) if name[0] == "_" else model, name),
        "set model.": lambda: setattr(model, name, 1),
        "layer.": lambda: next(getattr(layer, name) for layer in (model[1], model[0])),
        "loss.": lambda: getattr(nn.MSE(), name),
        "optimizer.": lambda: getattr(model.optimizer, name),
    }[place]()


@pytest.mark.parametrize(("place", "name", "cure"), ENTRIES)
def test_what_is_typed_is_answered_with_the_cure(model: nn.Sequential, place: str, name: str, cure: str) -> None:
    """So no key is a name that works, either."""
    with pytest.raises((AttributeError, TypeError, ValueError)) as caught:
        type_it(model, place, name, cure)
    if place != "metric=":
        expected = cure.replace("`", "") if " " in cure else f"use {cure}"
        assert str(caught.value).endswith(f"; {expected}")


@pytest.mark.parametrize(("place", "name", "cure"), [entry for entry in ENTRIES if " " not in entry[2]])
def test_a_name_to_use_instead_works(model: nn.Sequential, place: str, name: str, cure: str) -> None:
    if place == "nn.":
        assert eval(cure, {"nn": nn}) is not None  # our own text
    elif place.endswith("("):
        call = call_for(place, name, cure)
        assert cure in parameters(call)
        assert name not in parameters(call)
    else:
        type_it(model, place, cure)


NAMESPACE = {
    "nn": nn, "np": np, "X": X, "y": Y, "W": np.ones((4, 2)), "layer": nn.Linear(2, 3), "num_features": 2,
    "checkpoint": nn.ModelCheckpoint("m.safetensors"), "in_features": 2, "out_features": 3,
    "in_channels": 1, "out_channels": 4, "kernel_size": 3, "input_size": 2, "hidden_size": 3, "num_embeddings": 4,
    "embedding_dim": 2, "attention_size": 5,
    "layers": [nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 2)],
}  # fmt: skip
CODE = sorted({code for _, _, cure in ENTRIES for code in re.findall(r"`([^`]+)`", cure)})


@pytest.mark.parametrize("code", CODE)
def test_code_that_is_recommended_runs(code: str, tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    net = nn.MLP([2, 4, 2])
    net.compile(loss="mse" if "mse" in code else "cross_entropy")
    net.fit(X, Y if "mse" not in code else np.eye(2)[Y], verbose=0)
    path = tmp_path / "model.safetensors"
    net.save(path)
    net.loss_and_grads(X, Y if "mse" not in code else np.eye(2)[Y])
    weights = nn.MLP([2, 4, 2], seed=1).state_dict()
    assert eval(code, NAMESPACE | {"model": net, "path": path, "sd": weights}) is not NotImplemented  # our own text


def test_every_name_of_ours_in_a_cure_exists(model: nn.Sequential) -> None:
    """Also one that stands in no code."""
    for _, _, cure in ENTRIES:
        assert cure.count("`") % 2 == 0
        for chain in re.findall(r"\b(?:nn|model|layer)(?:\.[A-Za-z]\w*)+", cure):
            eval(chain, {"nn": nn, "model": model, "layer": model[0]})


def test_no_name_stands_twice_at_a_place() -> None:
    typed = [(place, name.lower().replace("_", "")) for place, name, _ in ENTRIES]
    assert len(set(typed)) == len(typed)


def test_a_table_that_recommends_what_is_not_there_is_found(model: nn.Sequential) -> None:
    with pytest.raises(pytest.fail.Exception):
        test_what_is_typed_is_answered_with_the_cure(model, "nn.", "Linear", "nn.Dense")  # a name that works
    with pytest.raises(AttributeError):
        test_a_name_to_use_instead_works(model, "nn.", "Dense", "nn.Affine")
    with pytest.raises(AssertionError):
        test_a_name_to_use_instead_works(model, "Dropout(", "rate", "q")
