"""What a file does not hold is told, given again, and never replaced."""

import pathlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import nnext as nn
from internals import settings, training_state
from support import assert_same_bits, model_metadata

X, Y = np.linspace(-1, 1, 60).reshape(12, 5), np.arange(12) % 2


def own_loss(y_pred: Any, y: Any) -> tuple[float, Any]:
    """Return half the squared error, and its gradient."""
    d = y_pred - np.eye(2)[y]
    return float((d**2).sum() / 2), d


def accuracy(y_true: Any, y_pred: Any) -> float:
    """Return what nnext's metric of that name never is."""
    return -1.0


def total(y_true: Any, y_pred: Any) -> float:
    return float(y_pred.sum())


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    """Name a file that is not there."""
    return tmp_path / "m.safetensors"


def trained(loss: Any, metrics: list[Any]) -> nn.Sequential:
    model = nn.MLP([5, 6, 2], dropout=0.5)
    model.compile(loss, nn.Adam(lr=0.05), metrics=metrics)
    model.fit(X, Y, epochs=2, batch_size=5, verbose=0)
    return model


def saved(model: nn.Sequential, path: pathlib.Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        model.save(path)


@contextmanager
def one_warning(message: str) -> Iterator[None]:
    """Expect exactly one, that points here."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        yield
    assert [warning.category for warning in told] == [UserWarning]
    assert str(told[0].message) == message
    assert told[0].filename == __file__


def goes_on_alike(again: nn.Sequential, model: nn.Sequential) -> None:
    assert list(settings(again)["metrics"]) == list(settings(model)["metrics"])
    assert_same_bits(training_state(again), training_state(model))
    assert again.evaluate(X, Y) == model.evaluate(X, Y)
    for net in (model, again):
        net.fit(X, Y, epochs=2, batch_size=5, verbose=0)
    assert_same_bits(training_state(again), training_state(model))
    assert again.history.history == model.history.history


# Loss and metrics; the arguments of load that bring them back; what save says is missing, and how to get it back.
MODELS: dict[str, tuple[Any, list[Any], dict[str, Any], str, str]] = {
    "a loss": (own_loss, ["accuracy"], {"loss": own_loss}, "the loss function 'own_loss'", "loss=..."),
    "a metric": ("cross_entropy", ["accuracy", total], {"metrics": [total]}, "the metrics ['total']", "metrics=[...]"),
    "a metric with a name of nnext's": (
        "cross_entropy",
        [accuracy, "f1"],
        {"metrics": {"accuracy": accuracy}},
        "the metrics ['accuracy']",
        "metrics=[...]",
    ),
    "both": (
        own_loss,
        [total, "f1", accuracy],
        {"loss": own_loss, "metrics": (accuracy, total)},
        "the loss function 'own_loss' and the metrics ['total', 'accuracy']",
        "loss=..., metrics=[...]",
    ),
    "a function of another name by now": (
        "cross_entropy",
        [total],
        {"metrics": {"total": lambda y_true, y_pred: total(y_true, y_pred)}},
        "the metrics ['total']",
        "metrics=[...]",
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_functions_are_named_by_save_and_taken_by_load(path: pathlib.Path, name: str) -> None:
    loss, metrics, arguments, what, how = MODELS[name]
    model = trained(loss, metrics)
    with one_warning(
        f"[save] the file does not hold {what}, your own functions; to get them back give them again: "
        f"nn.load(path, {how})"
    ):
        model.save(path)
    goes_on_alike(nn.load(path, **arguments), model)


def test_metrics_of_nnext_are_no_functions_of_the_users(path: pathlib.Path) -> None:
    model = trained("cross_entropy", [nn.metrics.accuracy, "f1"])
    model.save(path)
    assert model_metadata(path)["metrics"] == {"accuracy": "accuracy", "f1": "f1"}
    goes_on_alike(nn.load(path), model)


def test_without_a_metric_a_model_is_compiled_with_the_others(path: pathlib.Path) -> None:
    model = trained("cross_entropy", [total, "f1", accuracy])
    saved(model, path)
    with one_warning(
        "[load] the file does not hold the metrics ['total', 'accuracy'], functions of the user's, so the model is "
        "compiled without them; give them: nn.load(path, metrics=[...])"
    ):
        again = nn.load(path)
    assert list(again.evaluate(X, Y).keys()) == ["loss", "f1"]
    assert_same_bits(training_state(again), training_state(model))
    with one_warning(
        "[load] the file does not hold the metrics ['accuracy'], functions of the user's, so the model is "
        "compiled without them; give them: nn.load(path, metrics=[...])"
    ):
        again = nn.load(path, metrics=[total])
    assert list(again.evaluate(X, Y).keys()) == ["loss", "total", "f1"]


def test_without_its_loss_a_model_is_not_compiled(path: pathlib.Path) -> None:
    model = trained(own_loss, ["accuracy", total])
    saved(model, path)
    with one_warning(
        "[load] the file does not hold the loss function 'own_loss' and the metrics ['total'], functions of the "
        "user's, so the model is not compiled, and the state of its optimizer Adam(lr=0.05) is left out; give them: "
        "nn.load(path, loss=..., metrics=[...])"
    ):
        again = nn.load(path)
    assert again.compiled is None
    assert_same_bits(again.state_dict(), model.state_dict())
    with pytest.raises(RuntimeError, match=r"\[fit\] the model is not compiled"):
        again.fit(X, Y, verbose=0)
    again.compile("cross_entropy")
    again.fit(X, Y, verbose=0)


def test_a_warning_that_is_an_error_leaves_the_old_file(path: pathlib.Path) -> None:
    nn.MLP([2, 1]).save(path)
    before = path.read_bytes()
    with pytest.raises(UserWarning, match=r"\[save\]"):
        trained(own_loss, []).save(path)
    assert path.read_bytes() == before


WRONG: dict[str, tuple[Any, list[Any], dict[str, Any], type[Exception], str]] = {
    "a loss that it has": ("mse", [], {"loss": own_loss}, ValueError, "that of the file is no function"),
    "a metric that it does not name": (own_loss, [], {"metrics": [total]}, ValueError, r"\['total'\], but the file"),
    "a metric of another name": (own_loss, [accuracy], {"metrics": [total]}, ValueError, "as a mapping"),
    "a metric of nnext's": ("mse", ["mae"], {"metrics": [nn.metrics.mae]}, ValueError, "has .'mae'."),
    "two of one name": (own_loss, [total], {"metrics": [total, total]}, ValueError, "one name of"),
    "a loss by name": (own_loss, [], {"loss": "mse"}, TypeError, "loss is 'mse'; give the function"),
    "a loss of nnext's": (own_loss, [], {"loss": nn.MSE()}, TypeError, r"loss is MSE\(\); give the function"),
    "a class": (own_loss, [], {"loss": nn.MSE}, TypeError, "give the function"),
    "a metric by name": (own_loss, [total], {"metrics": ["total"]}, TypeError, "metric 'total' is 'total'"),
    "metrics in a string": (own_loss, [total], {"metrics": "total"}, TypeError, "metrics is 'total'; give functions"),
    "metrics of another kind": (own_loss, [total], {"metrics": total}, TypeError, "give functions: a list"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_other_functions_than_the_files_are_refused(path: pathlib.Path, name: str) -> None:
    loss, metrics, arguments, error, message = WRONG[name]
    model = nn.MLP([5, 2])
    model.compile(loss, metrics=metrics)
    saved(model, path)
    with pytest.raises(error, match=message) as caught:
        nn.load(path, **arguments)
    assert not isinstance(caught.value, nn.ModelFormatError)
    assert str(caught.value).startswith("[load] ")


def test_functions_for_a_model_that_is_not_compiled_are_refused(path: pathlib.Path) -> None:
    nn.MLP([2, 1]).save(path)
    for arguments in ({"loss": own_loss}, {"metrics": [total]}):
        with pytest.raises(ValueError, match=r"\[load\]"):
            nn.load(path, **arguments)


def test_functions_may_be_any_callables(path: pathlib.Path) -> None:
    class Area:
        def __call__(self, y_true: Any, y_pred: Any) -> float:
            return 3.0

    class Loss:
        def __call__(self, y_pred: Any, y: Any) -> tuple[float, Any]:
            return own_loss(y_pred, y)

    for metric in (Area(), lambda y_true, y_pred: 3.0):
        model = trained(Loss(), [metric])
        saved(model, path)
        goes_on_alike(nn.load(path, loss=Loss(), metrics=[metric]), model)
