"""A setting is obeyed or refused: no public object takes an attribute that nothing would act on."""

import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import nnext as nn
from cases import EVERY_OPTIMIZER
from layer_cases import LAYERS
from loss_cases import LOSSES
from schedule_cases import SCHEDULES

PUBLIC = [
    nn,
    nn.callbacks,
    nn.datasets,
    nn.functional,
    nn.initializers,
    nn.layers,
    nn.losses,
    nn.metrics,
    nn.optimizers,
    nn.schedules,
]
PUBLIC += [nn.runtime]  # nn.reference is code to read, whose objects are as open as Python's
X, Y = np.linspace(-1, 1, 8).reshape(4, 2), np.array([0, 1, 1, 0])


def made() -> nn.Sequential:
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
    model.compile(loss="cross_entropy", optimizer=nn.Adam(lr=0.1))
    return model


OBJECTS: list[Any] = [
    *(case.layer for case in LAYERS.values()),
    *(case.make() for case in LOSSES.values()),
    *(case.make() for case in EVERY_OPTIMIZER.values()),
    *(case.schedule for case in SCHEDULES.values()),
    *(initializer() for initializer in nn.initializers.Initializer.types().values()),
    made(),
    nn.MLP([2, 3, 2]),
    made().compile_inference(),
    nn.gradcheck(made(), X, Y),
    nn.lr_find(made(), X, Y, steps=2),
    nn.callbacks.EarlyStopping(),
    nn.CSVLogger("log.csv"),
    nn.ModelCheckpoint("m.safetensors"),
    nn.TensorBoard(),
    nn.TerminateOnNaN(),
    nn.TimeLimit(60),
    nn.LambdaCallback(),
    nn.LearningRateScheduler(lambda epoch, lr: lr),
    nn.ReduceLROnPlateau(),
    nn.ProgressBar(),
    nn.History(),
]
# Bases, which have no objects of their own.
BASES = {nn.Layer, nn.layers.Activation, nn.Loss, nn.Optimizer, nn.Schedule, nn.initializers.Initializer}
# Callbacks of a user's own have attributes of their own; exceptions are no settings.
OPEN = {nn.Callback}


def classes() -> Iterator[type]:
    for module in PUBLIC:
        for name in getattr(module, "__all__", [name for name in vars(module) if name[0] != "_"]):
            value = getattr(module, name)
            if inspect.isclass(value) and value.__module__.startswith("nnext") and not issubclass(value, Exception):
                yield value


def require_an_object_of_each(known: set[type]) -> None:
    missing = known - {type(thing) for thing in OBJECTS} - BASES - OPEN
    assert not missing, f"{missing} have no object in this file's table"


def test_every_public_class_has_an_object_here() -> None:
    require_an_object_of_each(set(classes()))
    with pytest.raises(AssertionError, match="class 'int'"):
        require_an_object_of_each({*classes(), int})


def refuse_unknown(thing: Any) -> None:
    for name in ("learning_rates", "trainable", "x"):
        with pytest.raises(AttributeError):
            setattr(thing, name, 0.5)
        assert not hasattr(thing, name)


@pytest.mark.parametrize("thing", OBJECTS, ids=lambda thing: type(thing).__name__)
def test_an_attribute_that_nothing_acts_on_is_refused(thing: Any) -> None:
    refuse_unknown(thing)


def test_an_object_that_takes_everything_is_found() -> None:
    class Open:
        pass

    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        refuse_unknown(Open())


@pytest.mark.parametrize(
    ("name", "value", "cure"),
    [
        ("optimizer", nn.SGD(), r'compile again: model.compile\(loss="mse", optimizer=nn.SGD\(lr=0.5\)\)'),
        ("loss", "mse", r"compile again: model.compile\("),
        ("metrics", ["mae"], r"compile again: model.compile\("),
        ("compiled", None, r"compile again: model.compile\("),
        ("seed", 1, r"build a new model: nn.Sequential\(\*layers, seed=1\)"),
        ("layers", [nn.ReLU()], r"build a new model: nn.Sequential\(\*layers\)"),
        ("dtype", "float64", r"build a new model: nn.Sequential\(\*layers, dtype"),
        ("learning_rate", 0.1, "set model.optimizer.lr"),
        ("lr", 0.1, "set model.optimizer.lr"),
        ("trainable", False, r'use model.freeze\("0"\)'),
        ("training", True, "leave it out"),
        ("weights", [], r"use model.load_state_dict\(sd\)"),
        ("epochs", 3, r"give it to fit, as in model.fit\(X, y, epochs=10"),
        ("stop_trainin", True, r"did you mean stop_training\?"),
        ("histori", None, r"did you mean history\?"),
        ("engine", None, r"build a new model: nn.Sequential\(\*layers\)"),
        ("predict", print, "what can be set are history, stop_training, and what a class derived from this one adds"),
        ("zzz", 1, "what can be set are"),
    ],
)
@pytest.mark.parametrize("model", [made(), nn.MLP([2, 3, 2])], ids=["Sequential", "MLP"])
def test_a_model_says_what_to_do_instead(model: nn.Sequential, name: str, value: Any, cure: str) -> None:
    before = dict(vars(model))
    with pytest.raises(AttributeError, match=rf"\[{type(model).__name__}\] {name} cannot be set; {cure}"):
        setattr(model, name, value)
    assert vars(model) == before


class Net(nn.Sequential):
    """A user's own."""

    tries = 0

    def __init__(self, width: int) -> None:
        self.width = width
        super().__init__(nn.Linear(2, width), nn.ReLU(), nn.Linear(width, 2))

    @property
    def note(self) -> str:
        return self._note

    @note.setter
    def note(self, text: str) -> None:
        self._note = text

    @property
    def area(self) -> int:
        return self.width * 2


def test_a_class_of_the_users_has_attributes_of_its_own() -> None:
    net = Net(3)
    net.tries += 1
    net.name, net.note, net.epochs = "net", "text", 10
    assert (net.width, net.tries, net.name, net.note, net.epochs) == (3, 1, "net", "text", 10)
    net.compile(loss="cross_entropy")
    net.fit(X, Y, verbose=0)
    for name in ("optimizer", "seed", "layers", "dtype", "loss", "learning_rate", "lr", "trainable", "engine", "area"):
        with pytest.raises(AttributeError, match=rf"\[Net\] {name} cannot be set; "):
            setattr(net, name, 1)
    assert isinstance(net.history, nn.History)


def test_what_a_model_takes_is_checked() -> None:
    model = made()
    for wrong in (1, "yes", None, 0.5):
        with pytest.raises(TypeError, match=r"\[model\] stop_training is .*; give True or False"):
            model.stop_training = wrong  # type: ignore[assignment]
    model.stop_training = np.bool_(True)  # as a comparison gives it
    assert model.stop_training is True
    with pytest.raises(TypeError, match=r"\[model\] history is {'loss': \[\]}; give a History"):
        model.history = {"loss": []}  # type: ignore[assignment]
    history = model.fit(X, Y, verbose=0)
    assert model.history is history
    model.history = None
    assert model.history is None


def test_the_rate_counts_from_the_next_step_on() -> None:
    model = made()
    model.fit(X, Y, verbose=0)
    model.optimizer.lr = 0  # type: ignore[union-attr]
    before = model.state_dict()
    model.fit(X, Y, epochs=2, verbose=0)
    assert all((values == before[name]).all() for name, values in model.state_dict().items())
