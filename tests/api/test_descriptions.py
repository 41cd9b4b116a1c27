"""What layers, losses, optimizers and initializers have in common: checked, immutable, plain values and back."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import numpy as np
import pytest

import nnext as nn
from cases import OPTIMIZERS
from internals import Described, choice, flag, nested, number, pair, several, size
from layer_cases import LAYERS
from schedule_cases import SCHEDULES

DESCRIPTIONS: list[Described] = [
    *(case.layer for case in LAYERS.values()),
    *(case.make() for case in OPTIMIZERS.values()),
    *(case.schedule for case in SCHEDULES.values()),
    *(nn.Adam(lr=case.schedule) for case in SCHEDULES.values()),
    nn.RMSprop(momentum=nn.Cosine(0.9, 2), l1=nn.Cosine(0.1, 3), lr_scale={"0": 0.5, "1.body.0": 2}),
    *(loss() for loss in nn.losses.Loss.types().values()),
    nn.CrossEntropy(label_smoothing=0.1, class_weight=(1, 2.5)),
    nn.BCE(pos_weight=np.array([0.5, 3])),
    nn.BCEWithLogits(pos_weight=3),
    nn.Focal(gamma=1.5, alpha=0.25),
    *(initializer() for initializer in nn.initializers.Initializer.types().values()),
    nn.Linear(2, 3, weight_init=nn.initializers.normal(1, 2), bias_init="zeros"),
]
KINDS: dict[str, Any] = {
    kind.kind: kind for kind in (nn.Layer, nn.Loss, nn.Optimizer, nn.Schedule, nn.initializers.Initializer)
}


# A kind with everything that a layer may have.
class Part(Described, kind="part"):
    pass


class Leaf(Part):
    name = "leaf"
    width: int = size()
    depth: int = size(default=2, low=0)
    rate: float = number(default=0.5, above=0, high=1, settable=True)
    ends: tuple[float, float] = pair(default=(0.0, 1.0), low=0)
    on: bool = flag(default=False)
    mode: str = choice(names=("same", "valid"), default="same")


class Wire(Part):
    name = "wire"
    argument = None


class Body(Part):
    """As Residual(*layers, shortcut=None) will be."""

    layers: tuple[Part, ...] = several(of=Part)
    shortcut: Part | None = nested(of=Part, default=None)

    def __init__(self, *layers: Part | str, shortcut: Part | str | None = None) -> None:
        self.settle({"layers": layers, "shortcut": shortcut})

    def check(self) -> None:
        if not self.layers:
            raise ValueError("[Body] there are no layers; give at least one")


@pytest.mark.parametrize("described", DESCRIPTIONS, ids=repr)
def test_a_description_comes_back_from_plain_values(described: Described) -> None:
    config = described.config()
    again = KINDS[described.kind].from_config(json.loads(json.dumps(config)))
    assert again == described
    assert type(again) is type(described)
    assert repr(again) == repr(described)
    assert again.config() == config
    assert eval(repr(described), vars(nn.initializers) | vars(nn)) == described  # our own text


@pytest.mark.parametrize("described", DESCRIPTIONS, ids=repr)
def test_copies_are_equal(described: Described) -> None:
    for again in (copy.copy(described), copy.deepcopy(described), pickle.loads(pickle.dumps(described))):
        assert again == described
        assert again.config() == described.config()


@pytest.mark.parametrize("described", DESCRIPTIONS, ids=repr)
def test_nothing_but_numbers_of_optimizers_can_be_set(described: Described) -> None:
    config = described.config()
    settable = described.changing() if isinstance(described, nn.Optimizer) else ()
    for name in [name for name in [*config, "learning_rate", "name", "x"] if name not in settable]:
        cure = "use lr" if (name, described.kind) == ("learning_rate", "optimizer") else ".*make a new"
        with pytest.raises(AttributeError, match=rf"\[{type(described).__name__}\] {name} cannot be set; {cure}"):
            setattr(described, name, 0.5)
        with pytest.raises(AttributeError, match="cannot be deleted"):
            delattr(described, name)
    assert described.config() == config


def test_the_message_says_how_to_change_a_setting() -> None:
    with pytest.raises(AttributeError) as caught:
        nn.Adam().eps = 0.1  # type: ignore[misc]
    assert str(caught.value) == (
        "[Adam] eps cannot be set; set lr, weight_decay, l1, or make a new Adam(lr, weight_decay, l1, lr_scale, betas, "
        "eps, amsgrad) and compile again"
    )


def test_a_rate_can_be_set_and_is_checked() -> None:
    optimizer = nn.SGD(lr=0.5)
    optimizer.lr = np.float32(0.25)
    assert optimizer == nn.SGD(lr=0.25)
    assert type(optimizer.lr) is float
    for wrong, error in ((-1, ValueError), ("0.1", TypeError), (np.nan, ValueError), (True, TypeError)):
        with pytest.raises(error, match=r"\[SGD\] lr is "):
            optimizer.lr = wrong
    assert optimizer.lr == 0.25


def test_equal_settings_are_equal_and_what_changes_has_no_hash() -> None:
    assert nn.Linear(2, 3) == nn.Linear(np.int64(2), 3, weight_init="fan_in_uniform")
    assert nn.Linear(2, 3) != nn.Linear(2, 3, bias=False)
    assert nn.ReLU() != nn.Tanh()
    assert len({nn.Linear(2, 3), nn.Linear(2, 3), nn.Linear(3, 2)}) == 2
    assert nn.Adam(lr=0.1) == nn.Adam(lr=0.1) != nn.Adam(lr=0.2)
    with pytest.raises(TypeError, match="unhashable"):
        hash(nn.Adam())


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"width": 0}, ValueError, r"\[Leaf\] width is 0; give a whole number from 1 to 2147483647"),
        ({"width": 2.0}, TypeError, r"\[Leaf\] width is 2.0; give a whole number"),
        ({"width": np.True_}, TypeError, r"\[Leaf\] width is (np.)?True_?; give a whole number"),
        ({"depth": -1}, ValueError, r"\[Leaf\] depth is -1; give a whole number from 0"),
        ({"rate": 0}, ValueError, r"\[Leaf\] rate is 0; give a finite number in \(0, 1\]"),
        ({"rate": np.True_}, TypeError, r"\[Leaf\] rate is (np.)?True_?; give a number"),
        ({"ends": (0, -1)}, ValueError, r"\[Leaf\] ends\[1\] is -1; give a finite number in \[0, inf\]"),
        ({"ends": (0, 1, 2)}, TypeError, r"\[Leaf\] ends is \(0, 1, 2\); give two numbers, for example \(0.0, 1.0\)"),
        ({"on": 1}, TypeError, r"\[Leaf\] on is 1; give True or False"),
        ({"on": "no"}, TypeError, r"\[Leaf\] on is 'no'; give True or False"),
        ({"on": None}, TypeError, r"\[Leaf\] on is None; give True or False"),
        ({"mode": "full"}, ValueError, r"\[Leaf\] unknown mode 'full'; use one of same, valid"),
        ({"mode": 1}, TypeError, r"\[Leaf\] mode is 1; give one of same, valid"),
    ],
)
def test_fields_check_what_they_get(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Leaf(**{"width": 1, **arguments})


def test_fields_convert_what_they_get() -> None:
    leaf = Leaf(np.int8(3), rate=np.float64(1), ends=[0, 2], on=np.True_)  # type: ignore[arg-type]
    assert leaf.config() == {
        "type": "Leaf", "width": 3, "depth": 2, "rate": 1.0, "ends": [0.0, 2.0], "on": True, "mode": "same",
    }  # fmt: skip
    assert [type(value) for value in vars(leaf).values()] == [int, int, float, tuple, bool, str]
    assert repr(leaf) == "Leaf(3, rate=1.0, ends=(0.0, 2.0), on=True)"
    assert repr(Leaf(3)) == "Leaf(3)"


def test_descriptions_within_descriptions() -> None:
    body = Body(Leaf(3), Body("wire"), Wire, shortcut="wire")
    assert body.layers == (Leaf(3), Body(Wire()), Wire())
    assert repr(body) == "Body(Leaf(3), Body(Wire()), Wire(), shortcut=Wire())"
    config = body.config()
    assert config["layers"][1] == {"type": "Body", "layers": [{"type": "Wire"}], "shortcut": None}
    assert config["shortcut"] == {"type": "Wire"}
    assert Part.from_config(json.loads(json.dumps(config))) == body
    assert Body(Wire()).shortcut is None
    with pytest.raises(ValueError, match=r"\[Body\] there are no layers"):
        Body()
    with pytest.raises(ValueError, match=r"\[Body\] unknown layers\[1\] 'relu'; use one of leaf, wire"):
        Body("wire", "relu")
    with pytest.raises(ValueError, match=r"\[Leaf\] width is 0"):
        Part.from_config({"type": "Body", "layers": [{"type": "Leaf", "width": 0}]})
    with pytest.raises(TypeError, match=r"\[Body\] layers is 3; give a list"):
        Part.from_config({"type": "Body", "layers": 3})


@pytest.mark.parametrize(
    ("config", "error", "message"),
    [
        ({"type": "Exec"}, ValueError, r"\[part\] unknown type 'Exec'; use one of Leaf, Wire, Body"),
        ({}, TypeError, r"\[part\] type is None"),
        ([], TypeError, r"\[part\] the configuration is \[\]; give a dict"),
        ({"type": "Part"}, ValueError, "unknown type 'Part'"),
        ({"type": "Leaf"}, ValueError, r"\[Leaf\] the configuration lacks \['width'\] and has the unknown \[\]"),
        (
            {"type": "Leaf", "width": 1, "wide": 2},
            ValueError,
            r"lacks \[\] and has the unknown \['wide'\]; it has .*mode",
        ),
    ],
)
def test_configurations_that_do_not_fit(config: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Part.from_config(config)


def test_settings_that_have_a_default_may_be_absent() -> None:
    assert Part.from_config({"type": "Leaf", "width": 4}) == Leaf(4)


def test_a_kind_is_no_description_itself() -> None:
    for kind in (nn.Layer, nn.layers.Activation, nn.Loss, nn.Schedule, nn.initializers.Initializer):
        with pytest.raises(TypeError, match=rf"\[{kind.__name__}\] is what several have in common; use one of"):
            kind()
    with pytest.raises(TypeError, match=r"\[Optimizer\] is what several have .*; use one of Adam, AdamW, NAdam, "):
        nn.Optimizer(0.1)


def test_a_name_can_be_taken_once() -> None:
    with pytest.raises(ValueError, match=r"\[Leaf\] the part Leaf has that name; choose another"):
        type("Leaf", (Part,), {"__module__": "elsewhere"})
    with pytest.raises(ValueError, match=r"\[Other\] the part Wire has that name"):
        type("Other", (Part,), {"name": "wire"})
    assert set(Part.types()) == {"Leaf", "Wire", "Body"}


def test_a_definition_that_runs_again_takes_the_place_of_the_first() -> None:
    class Kind(Described, kind="kind"):
        pass

    first, second = (type("Cell", (Kind,), {"__module__": __name__, "name": "cell"}) for _ in range(2))
    assert Kind.types() == {"Cell": second}
    assert type(Kind.from_config({"type": "Cell"})) is second
    assert repr(first()) == "Cell()"  # what was made of the first goes on


def test_a_loss_has_one_fused_form_at_most() -> None:
    assert nn.BCE().fused("Sigmoid") == nn.BCEWithLogits()
    assert nn.CrossEntropy().fused("Softmax") == nn.CrossEntropy()
    for loss in nn.losses.Loss.types().values():
        assert loss().fused("Linear") is None
        assert set(loss.fused_after) <= set(nn.Layer.types())
        assert set(loss.fused_after.values()) <= set(nn.losses.Loss.names())


def test_a_loss_of_ones_own_may_have_the_name_of_one_of_nnexts() -> None:
    class Focal(nn.losses.Loss):
        name = "focal"

        def __call__(self, y_pred: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
            return 7.0, np.zeros_like(y_pred)

    assert nn.Loss.find("compile", "loss", "focal") == nn.Focal()
    model = nn.MLP([2, 1])
    model.compile(Focal())
    assert model.evaluate([[1.0, 2.0]], [1.0]) == {"loss": 7.0}
