"""What callbacks see of a fit, how they stop it, what it prints, and what an exception leaves."""

import traceback
from typing import Any

import numpy as np
import pytest

import internals
import nnext as nn
from internals import training_state
from support import assert_same_bits, unchanged


@pytest.fixture
def model() -> nn.Sequential:
    """Compile a small network of float32."""
    model = nn.MLP([3, 4, 2], seed=4)
    model.compile(loss="cross_entropy", optimizer=nn.Adam(lr=0.01), metrics=["accuracy"])
    return model


@pytest.fixture
def data(rng: np.random.Generator) -> dict[str, Any]:
    """Make the arguments of a fit."""
    return {"X": rng.normal(size=(20, 3)), "y": rng.integers(2, size=20), "batch_size": 8, "verbose": 0}


class Recorder(nn.Callback):
    """Writes down what is called, in the list that it is given."""

    def __init__(self, calls: list[Any], name: str) -> None:
        self.calls, self.name = calls, name

    def on_train_begin(self, logs: Any = None) -> None:
        self.calls.append((self.name, "train_begin", dict(self.params)))

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.calls.append((self.name, "epoch_begin", epoch, internals.counters(self.model)[0]))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.calls.append((self.name, "epoch_end", epoch, internals.counters(self.model)[0]))

    def on_train_end(self, logs: Any = None) -> None:
        self.calls.append((self.name, "train_end", len(self.model.history.epoch)))


def test_callbacks_are_called_in_order(model: nn.Sequential, data: dict[str, Any]) -> None:
    calls: list[Any] = []
    model.fit(**data, epochs=2, callbacks=[Recorder(calls, "a"), Recorder(calls, "b")])
    params = {"epochs": 2, "samples": 20, "metrics": ["loss", "accuracy"]}
    expected: list[tuple[Any, ...]] = [("train_begin", params)]
    for epoch in range(2):  # 20 samples in batches of 8: 3 steps
        expected += [("epoch_begin", epoch, 3 * epoch), ("epoch_end", epoch, 3 * epoch + 3)]
    expected.append(("train_end", 2))
    assert calls == [(name, *call) for call in expected for name in "ab"]


def test_logs_are_the_records_of_the_epoch(model: nn.Sequential, data: dict[str, Any]) -> None:
    seen: list[dict[str, float]] = []
    watch = nn.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(dict(logs)))
    history = model.fit(**data, epochs=3, callbacks=[watch], validation_split=0.25).history
    assert list(seen[0]) == ["loss", "accuracy", "val_loss", "val_accuracy"]
    for name in seen[0]:
        assert [logs[name] for logs in seen] == history[name]


def test_a_callback_stops_the_fit_after_its_epoch(model: nn.Sequential, data: dict[str, Any]) -> None:
    def stop_after_1(epoch: int, logs: Any) -> None:
        model.stop_training = epoch == 1

    history = model.fit(**data, epochs=9, callbacks=[nn.LambdaCallback(on_epoch_end=stop_after_1)])
    assert history.epoch == [0, 1]
    assert history.stop_reason == "a callback asked to stop after epoch 1"
    assert model.fit(**data, epochs=2).epoch == [0, 1]  # the next fit starts without the wish to stop
    assert not model.stop_training


@pytest.mark.parametrize("moment", ["on_train_begin", "on_epoch_begin", "on_epoch_end", "on_train_end"])
def test_an_exception_keeps_its_traceback_and_leaves_a_whole_step(
    model: nn.Sequential, data: dict[str, Any], moment: str
) -> None:
    def break_down(*_: Any) -> None:
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine") as caught:
        model.fit(**data, epochs=2, callbacks=[nn.LambdaCallback(**{moment: break_down})])
    assert traceback.extract_tb(caught.value.__traceback__)[-1].name == "break_down"
    assert caught.value.__cause__ is None
    epochs = {"on_train_begin": 0, "on_epoch_begin": 0, "on_epoch_end": 1, "on_train_end": 2}[moment]
    twin = nn.MLP([3, 4, 2], seed=4)
    twin.compile(loss="cross_entropy", optimizer=nn.Adam(lr=0.01))
    if epochs:
        twin.fit(**data, epochs=epochs)
    assert_same_bits(training_state(model), training_state(twin))
    # Before the first step a fit that fails has changed nothing.
    assert len(model.history.epoch) == epochs if epochs else model.history is None
    model.fit(**data)  # the model is free again


def test_early_stopping_ends_the_fit_says_why_and_restores_the_best(
    model: nn.Sequential, data: dict[str, Any], rng: np.random.Generator
) -> None:
    X, y = rng.normal(size=(9, 3)), rng.integers(2, size=9)
    kept: list[Any] = []
    keep = nn.LambdaCallback(on_epoch_end=lambda epoch, logs: kept.append(model.state_dict()))
    stop = nn.callbacks.EarlyStopping(patience=3)
    history = model.fit(**data, epochs=500, validation_data=(X, y), callbacks=[keep, stop])
    assert len(history.epoch) < 500
    assert history.stop_reason == (
        f"EarlyStopping after epoch {stop.stopped_epoch}: val_loss is best in epoch {stop.best_epoch}: {stop.best:.6g}"
    )
    assert stop.best_epoch == history.best_epoch == history.epoch[-1] - 3
    assert_same_bits(model.state_dict(), kept[stop.best_epoch])
    assert model.evaluate(X, y)["loss"] == min(history["val_loss"]) == stop.best


def test_early_stopping_on_what_is_not_there_is_refused_before_anything_begins(
    model: nn.Sequential, data: dict[str, Any]
) -> None:
    with unchanged(model), pytest.raises(ValueError, match="val_loss"):
        model.fit(**data, epochs=3, callbacks=nn.callbacks.EarlyStopping())


def test_keyboard_interrupt_of_a_callback_ends_the_fit(model: nn.Sequential, data: dict[str, Any]) -> None:
    def interrupt(epoch: int, logs: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.fit(**data, epochs=5, callbacks=[nn.LambdaCallback(on_epoch_end=interrupt)])
    assert internals.counters(model) == (3, 1, 3)
    assert model.history.stop_reason == "KeyboardInterrupt"


def test_the_model_can_be_used_in_a_callback(model: nn.Sequential, data: dict[str, Any], tmp_path: Any) -> None:
    seen: list[Any] = []

    def use(epoch: int, logs: Any) -> None:
        seen.append(model.predict(data["X"]))
        assert model.evaluate(data["X"], data["y"])["loss"] > 0
        model.save(tmp_path / "m.safetensors")

    history = model.fit(**data, epochs=3, callbacks=[nn.LambdaCallback(on_epoch_end=use)])
    twin = nn.MLP([3, 4, 2], seed=4)
    twin.compile(loss="cross_entropy", optimizer=nn.Adam(lr=0.01), metrics=["accuracy"])
    assert twin.fit(**data, epochs=3).history == history.history
    assert_same_bits(training_state(model), training_state(twin))
    assert (seen[0] != seen[1]).any()
    assert_same_bits(training_state(nn.load(tmp_path / "m.safetensors")), training_state(model))


def test_a_fit_within_a_fit_is_refused(model: nn.Sequential, data: dict[str, Any]) -> None:
    def again(epoch: int, logs: Any) -> None:
        with unchanged(model), pytest.raises(RuntimeError, match=r"\[fit\] this model is being trained already; wait"):
            model.fit(**data)

    assert len(model.fit(**data, epochs=2, callbacks=[nn.LambdaCallback(on_epoch_end=again)]).epoch) == 2


@pytest.mark.parametrize("what", [print, nn.Callback, None, "bar"])
def test_what_is_no_callback_is_refused_before_anything_begins(
    model: nn.Sequential, data: dict[str, Any], what: Any
) -> None:
    calls: list[Any] = []
    with (
        unchanged(model),
        pytest.raises(TypeError, match=r"\[fit\] callbacks(: Callback is a class| has .*; give obj)"),
    ):
        model.fit(**data, callbacks=[Recorder(calls, "a"), what])
    assert not calls


# ---- Progress -------------------------------------------------------------------------------------------------------


def test_verbose_0_prints_nothing(
    model: nn.Sequential, data: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    model.fit(**data, epochs=3)
    assert capsys.readouterr() == ("", "")


def test_verbose_2_prints_a_line_an_epoch(
    model: nn.Sequential, data: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    model.fit(**{**data, "verbose": 2}, epochs=30, validation_split=0.2)
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert len(lines) == 30
    assert lines[6].startswith("epoch  7/30  loss 0.")
    assert all(name in lines[6] for name in ("accuracy", "val_loss", "val_accuracy", "samples/s"))
    assert err == ""


def test_verbose_1_draws_one_bar_on_stderr(
    model: nn.Sequential, data: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    model.fit(**{**data, "verbose": 1}, epochs=4)
    out, err = capsys.readouterr()
    assert out == ""
    assert "4/4" in err
    assert "accuracy" in err


def test_auto_prints_a_few_lines_where_there_is_no_terminal(
    model: nn.Sequential, data: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    model.fit(**{**data, "verbose": "auto"}, epochs=100)
    out, err = capsys.readouterr()
    assert 15 <= len(out.splitlines()) <= 25
    assert out.splitlines()[-1].startswith("epoch 100/100")
    assert err == ""


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"epochs": 0}, ValueError, r"\[fit\] epochs is 0; give a whole number from 1"),
        ({"epochs": 2.0}, TypeError, r"\[fit\] epochs is 2.0; give a whole number"),
        ({"epochs": True}, TypeError, r"\[fit\] epochs is True; give a whole number"),
        ({"batch_size": 0}, ValueError, r"\[fit\] batch_size is 0; give a whole number from 1"),
        ({"batch_size": "8"}, TypeError, r"\[fit\] batch_size is '8'; give a whole number"),
        ({"validation_split": 1.0}, ValueError, r"\[fit\] validation_split is 1.0; give a finite number in \[0, 1\)"),
        ({"validation_split": 0.01}, ValueError, r"validation_split=0.01 of 20 samples is 0; choose it so"),
        ({"validation_split": 0.5, "validation_data": ([[0, 0, 0]], [0])}, ValueError, "both validation_data and"),
        ({"validation_data": [[0, 0, 0]]}, TypeError, r"validation_data must be \(X, y\) or \(X, y, sample_weight\)"),
        ({"validation_data": ([[0, 0]], [0])}, ValueError, r"\[fit: validation_data\] X has 2 features"),
        ({"validation_split": 0.5, "sample_weight": np.ones(40)}, ValueError, "sample_weight has 40 rows but X has 20"),
        ({"verbose": 3}, ValueError, r"\[ProgressBar\] verbose is 3; use 'auto', 0, 1 or 2"),
    ],
)
def test_arguments_that_mean_nothing_are_refused(
    model: nn.Sequential, data: dict[str, Any], arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with unchanged(model), pytest.raises(error, match=message):
        model.fit(**{**data, **arguments})


def test_a_model_must_be_compiled_first(data: dict[str, Any]) -> None:
    model = nn.MLP([3, 4, 2])
    for operation in ("fit", "evaluate", "loss_and_grads"):
        with pytest.raises(RuntimeError, match=rf"\[{operation}\] the model is not compiled; call compile\(loss=..."):
            getattr(model, operation)(data["X"], data["y"])
    with pytest.raises(RuntimeError, match=r"\[step\] the model has no optimizer; call compile"):
        model.step()
