"""Callbacks: what they are called with, what fit takes for some, and what can be set."""

import copy
import inspect
import pathlib
import pickle
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

import nnext as nn
from nnext.callbacks import Callback, EarlyStopping, LambdaCallback, ProgressBar, listed

OWN = [value for _, value in inspect.getmembers(nn.callbacks, inspect.isclass) if value is not Callback]


def halve(epoch: int, lr: float) -> float:
    return lr / 2


ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "CSVLogger": ("log.csv",),
    "LearningRateScheduler": (halve,),
    "ModelCheckpoint": ("m.safetensors",),
    "TimeLimit": (60.0,),
}
MAKE = {kind.__name__: partial(kind, *ARGUMENTS.get(kind.__name__, ())) for kind in OWN}


def run(callback: Callback, epochs: int) -> None:
    """Call what a fit calls."""
    model = nn.MLP([1, 1])
    model.compile(loss="mse")
    callback.set_params({"epochs": epochs})
    callback.set_model(model)
    callback.on_train_begin()
    for epoch in range(epochs):
        callback.on_epoch_begin(epoch)
        callback.on_epoch_end(epoch, {"loss": 0.5, "val_loss": 0.5})
    callback.on_train_end()


@pytest.mark.parametrize("kind", [Callback, LambdaCallback, ProgressBar])
def test_each_knows_its_model_and_the_numbers_of_the_fit(kind: type[Callback]) -> None:
    callback = kind()
    run(callback, 2)
    model = object()
    callback.set_model(model)
    assert callback.model is model
    assert callback.params == {"epochs": 2}
    assert (kind.model, kind.params) == (None, {})


def test_functions_become_a_callback() -> None:
    calls: list[Any] = []
    callback = LambdaCallback(
        on_train_begin=lambda logs: calls.append("begin"),
        on_epoch_begin=lambda epoch, logs: calls.append(epoch),
        on_epoch_end=lambda epoch, logs: calls.append(logs["loss"]),
        on_train_end=lambda logs=None: calls.append("end"),
    )
    callback.on_train_begin(None)
    for epoch in range(2):
        callback.on_epoch_begin(epoch, None)
        callback.on_epoch_end(epoch, {"loss": -epoch})
    callback.on_train_end(None)
    assert calls == ["begin", 0, 0, 1, -1, "end"]
    run(LambdaCallback(), 1)
    with pytest.raises(TypeError, match=r"\[LambdaCallback\] on_epoch_end is 3; pass a function"):
        LambdaCallback(on_epoch_end=3)  # type: ignore[arg-type]


def test_fit_calls_the_functions_with_logs_every_time() -> None:
    calls: list[Any] = []
    callback = LambdaCallback(
        on_train_begin=lambda logs: calls.append(("train begin", *logs)),
        on_epoch_begin=lambda epoch, logs: calls.append((epoch, *logs)),
        on_epoch_end=lambda epoch, logs: calls.append((epoch, *logs)),
        on_train_end=lambda logs: calls.append(("train end", *logs)),
    )
    model = nn.Sequential(nn.Linear(1, 1))
    model.compile(loss="mse")
    model.fit([[1.0]], [1.0], epochs=2, callbacks=[callback], verbose=0)
    assert calls == [("train begin",), (0,), (0, "loss"), (1,), (1, "loss"), ("train end",)]


# ---- what fit takes for callbacks -----------------------------------------------------------------------------------

A, B = Callback(), ProgressBar(0)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, ()),
        ((), ()),
        ([], ()),
        (A, (A,)),
        ([A, B], (A, B)),
        ((B, A), (B, A)),
        ({B: 1}, (B,)),
        (iter([A, B]), (A, B)),
        ((callback for callback in [A]), (A,)),
    ],
)
def test_none_one_and_several_are_taken(given: Any, expected: tuple[Callback, ...]) -> None:
    assert listed(given) == expected


def test_a_callback_that_is_a_list_too_is_one() -> None:
    class Both(Callback, list[Any]):
        pass

    both = Both([1, 2])
    assert listed(both)[0] is both


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (EarlyStopping, "callbacks: EarlyStopping is a class; give EarlyStopping()"),
        ([A, Callback], "callbacks: Callback is a class; give Callback()"),
        (print, "callbacks has <built-in function print>; give objects derived from nnext.callbacks.Callback"),
        ([A, print], "callbacks has <built-in function print>; give objects"),
        ("bar", "callbacks has 'bar'; give objects"),
        (["bar"], "callbacks has 'bar'; give objects"),
        ({"bar": A}, "callbacks has 'bar'; give objects"),
        (3, "callbacks has 3; give objects"),
        (False, "callbacks has False; give objects"),
        ([None], "callbacks has None; give objects"),
        ([[A]], "callbacks has [<nnext.callbacks.base.Callback"),
        (int, "callbacks has <class 'int'>; give objects"),
    ],
)
def test_what_is_no_callback_is_refused_by_the_arguments_name(given: Any, message: str) -> None:
    with pytest.raises(TypeError, match=re.escape(f"[fit] {message}")):
        listed(given)
    with pytest.raises(TypeError, match=re.escape(f"[tune] {message}")):
        listed(given, "tune")


# ---- what can be set ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", MAKE)
def test_what_can_be_set_is_checked_and_all_else_is_refused(kind: str) -> None:
    callback = MAKE[kind]()
    run_before = dict(vars(callback))
    for name in [*(name for name in dir(callback) if not name.startswith("_")), "patiense", "Verbose"]:
        with pytest.raises((AttributeError, TypeError, ValueError), match=rf"\[{kind}\] {name} "):
            setattr(callback, name, object())
    assert vars(callback) == run_before


@pytest.mark.parametrize(
    ("make", "name", "value", "error", "message"),
    [
        (
            EarlyStopping,
            "patiense",
            3,
            AttributeError,
            "patiense cannot be set; set patience, min_delta, or",
        ),
        (EarlyStopping, "monitor", "loss", AttributeError, "monitor cannot be set; .* or make a new EarlyStopping"),
        (EarlyStopping, "mode", "max", AttributeError, "mode cannot be set"),
        (EarlyStopping, "restore_best_weights", False, AttributeError, "restore_best_weights cannot be set"),
        (EarlyStopping, "best", 0.0, AttributeError, "best cannot be set"),
        (EarlyStopping, "patience", -1, ValueError, "patience is -1; give a whole number from 0"),
        (EarlyStopping, "patience", 1.5, TypeError, "patience is 1.5; give a whole number"),
        (EarlyStopping, "min_delta", -1, ValueError, "min_delta is -1; give a finite number"),
        (MAKE["ModelCheckpoint"], "path", "x", AttributeError, "path cannot be set; set every, best, or make a new"),
        (MAKE["ModelCheckpoint"], "every", 0, ValueError, "every is 0; give a whole number from 1"),
        (MAKE["TimeLimit"], "seconds", 0, ValueError, r"seconds is 0; give a finite number in \(0, inf"),
        (nn.TensorBoard, "histogram_freq", -1, ValueError, "histogram_freq is -1; give a whole number from 0"),
        (nn.TerminateOnNaN, "patience", 3, AttributeError, "patience cannot be set; make a new TerminateOnNaN"),
        (ProgressBar, "verbos", 0, AttributeError, "verbos cannot be set; set verbose, or make a new ProgressBar"),
        (ProgressBar, "verbose", 3, ValueError, "verbose is 3; use 'auto', 0, 1 or 2"),
        (ProgressBar, "verbose", "2", ValueError, "verbose is '2'; use 'auto', 0, 1 or 2"),
        (ProgressBar, "verbose", None, ValueError, "verbose is None; use 'auto', 0, 1 or 2"),
        (LambdaCallback, "on_epoch", print, AttributeError, "on_epoch cannot be set; set on_epoch_begin, on_epoch_end"),
        (LambdaCallback, "on_epoch_end", "print", TypeError, "on_epoch_end is 'print'; pass a function"),
        (LambdaCallback, "model", None, AttributeError, "model cannot be set"),
    ],
)
def test_what_cannot_be_obeyed_is_refused(
    make: Callable[[], Any], name: str, value: Any, error: type[Exception], message: str
) -> None:
    callback = make()
    with pytest.raises(error, match=rf"\[{type(callback).__name__}\] {message}"):
        setattr(callback, name, value)


def test_what_is_set_acts(capsys: pytest.CaptureFixture[str]) -> None:
    bar = ProgressBar(0)
    bar.verbose = 2
    run(bar, 30)
    assert capsys.readouterr().out.count("\n") == 30
    bar.verbose = 0
    run(bar, 30)
    assert capsys.readouterr().out == ""
    callback, seen = LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch)), list[Any]()
    callback.on_epoch_begin = lambda epoch, logs=None: seen.append("begin")  # type: ignore[method-assign,assignment]
    callback.on_epoch_end = None  # type: ignore[method-assign,assignment]
    run(callback, 2)
    assert seen == ["begin", "begin"]


@pytest.mark.parametrize("kind", [Callback, *OWN])
def test_subclasses_of_users_keep_what_they_like(
    kind: Any, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Mine(kind):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(*ARGUMENTS.get(kind.__name__, ()))
            self.seen = 0

        def set_model(self, model: Any) -> None:
            self.model = model

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.seen += 1

    if kind is nn.TensorBoard:
        pytest.importorskip("tensorboardX", reason="the extra [tensorboard] is not installed")
    monkeypatch.chdir(tmp_path)  # some write files
    mine = Mine()
    run(mine, 3)
    mine.close()
    mine.anything = 1
    assert (mine.seen, mine.anything) == (3, 1)


@pytest.mark.parametrize("kind", MAKE)
def test_copies_are_callbacks_with_the_same_settings(kind: str) -> None:
    callback = MAKE[kind]()
    for again in (copy.copy(callback), copy.deepcopy(callback), pickle.loads(pickle.dumps(callback))):
        assert vars(again) == vars(callback)
        with pytest.raises(AttributeError):
            again.patiense = 3
