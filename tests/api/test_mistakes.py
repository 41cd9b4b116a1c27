"""Names and calls that do not fit, without a row in the table of hints, and how that is said."""

import inspect
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nnext as nn
from internals import attributes_of, hides_unknown, refuse_unknown, takes_hints
from support import run_python

X, Y = np.linspace(-1, 1, 12).reshape(6, 2), np.array([0, 1, 0, 1, 1, 0])

# What is typed, and what is said of it.
MISTAKES: dict[str, tuple[Callable[[Any], Any], type[Exception], str]] = {
    "nn.Linaer": (
        lambda m: nn.Linaer,
        AttributeError,
        "module 'nnext' has no attribute 'Linaer'; did you mean Linear?",
    ),
    "nn.relu": (lambda m: nn.relu, AttributeError, "module 'nnext' has no attribute 'relu'; did you mean ReLU?"),
    "nn.zzz": (lambda m: nn.zzz, AttributeError, "module 'nnext' has no attribute 'zzz'"),
    "runtime.set_threads": (
        lambda m: nn.runtime.set_threads,
        AttributeError,
        "module 'nnext.runtime' has no attribute 'set_threads'; did you mean set_num_threads?",
    ),
    "history.Histori, of a module without __all__": (
        lambda m: attributes_of("nnext.history")("Histori"),
        AttributeError,
        "module 'nnext.history' has no attribute 'Histori'; did you mean History?",
    ),
    "losses.MSEE": (
        lambda m: nn.losses.MSEE,
        AttributeError,
        "module 'nnext.losses' has no attribute 'MSEE'; did you mean MSE?",
    ),
    # Of a model's attributes only those of the table: Python itself asks "Did you mean" where nobody catches the error.
    "model.predct": (lambda m: m.predct, AttributeError, "'MLP' object has no attribute 'predct'"),
    "model._cache": (lambda m: getattr(m, "_cache"), AttributeError, "'MLP' object has no attribute '_cache'"),  # noqa: B009
    "layer.in_feature": (
        lambda m: m[0].in_feature,
        AttributeError,
        "'Linear' object has no attribute 'in_feature'; did you mean in_features?",
    ),
    "Sequential.load": (
        lambda m: nn.Sequential.load,
        AttributeError,
        "type object 'Sequential' has no attribute 'load'; use nn.load(path)",
    ),
    "Dropout(pp=)": (lambda m: nn.Dropout(pp=0.1), TypeError, "[Dropout] unknown argument 'pp'; did you mean p?"),
    "ReLU(slope=)": (lambda m: nn.ReLU(slope=1), TypeError, "[ReLU] unknown argument 'slope'; it takes nothing"),
    "Dropout(zzz=)": (lambda m: nn.Dropout(zzz=1), TypeError, "[Dropout] unknown argument 'zzz'; it takes p"),
    "Linear(3)": (
        lambda m: nn.Linear(3),
        TypeError,
        "[Linear] out_features is missing; write Linear(in_features, out_features)",
    ),
    "Sequential(Linear)": (
        lambda m: nn.Sequential(nn.Linear),
        TypeError,
        "[Linear] in_features, out_features are missing; write Linear(in_features, out_features)",
    ),
    "ReLU(True)": (
        lambda m: nn.ReLU(True),
        TypeError,
        "[ReLU] takes nothing by position but got 1; leave out what is too much",
    ),
    "SGD(0.1, 0.9, True)": (
        lambda m: nn.SGD(0.1, 0.9, True),
        TypeError,
        "[SGD] takes lr, momentum by position but got 3; name the others: weight_decay, l1, lr_scale, dampening, "
        "nesterov",
    ),
    "compile('mes')": (
        lambda m: m.compile("mes"),
        ValueError,
        "[compile] unknown loss 'mes'; use one of mse, huber, bce, bce_with_logits, cross_entropy, or an object of "
        "Loss; did you mean mse?",
    ),
    "compile(Adam(), 'mse')": (
        lambda m: m.compile(nn.Adam(), "mse"),
        TypeError,
        '[compile] loss is Adam(); name them, as in model.compile(loss="mse", optimizer="adam"): Keras has them the '
        "other way round",
    ),
    "MLP(activation=None)": (
        lambda m: nn.MLP([2, 3, 2], activation=None),
        TypeError,
        "[MLP] activation is None; use identity",
    ),
    "train_test_split(X, y, 0.2)": (
        lambda m: nn.datasets.train_test_split(X, Y, 0.2),
        TypeError,
        "[train_test_split] takes X, y by position but got 3; give X and y, and the rest by name, as in "
        "nn.datasets.train_test_split(X, y, test_size=0.2)",
    ),
}


@pytest.mark.parametrize("typed", MISTAKES)
def test_mistakes_are_named(typed: str) -> None:
    mistake, error, message = MISTAKES[typed]
    with pytest.raises(error) as caught:
        mistake(nn.MLP([2, 4, 2]))
    assert str(caught.value) == message


def test_a_class_given_as_a_loss_is_none_of_ones_own() -> None:
    model = nn.MLP([2, 4, 2])
    for wrong in (nn.Adam, dict, nn.Sequential):
        with pytest.raises(TypeError, match=r"\[compile\] loss is <class "):
            model.compile(loss=wrong)


@pytest.mark.parametrize("name", ["LeakyReLU", "leaky_relu", "leakyrelu", "LEAKY-RELU", "leaky relu"])
def test_names_are_found_whatever_their_case(name: str) -> None:
    assert nn.Sequential(name).layers == (nn.LeakyReLU(),)
    assert nn.Optimizer.find("compile", "optimizer", "ADAM") == nn.Adam()
    assert nn.losses.get("BCEWithLogits") == nn.losses.get("bce_with_logits") == nn.BCEWithLogits()


# ---- How it is said -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "from nnext import Dense",
            "cannot import name 'Dense' from 'nnext'; use nn.Linear(in_features, out_features)",
        ),
        ("from nnext.layers import Linear, Dense", "cannot import name 'Dense' from 'nnext.layers'; use nn.Linear("),
        ("from nnext.losses import MSEE", "cannot import name 'MSEE' from 'nnext.losses'; did you mean MSE?"),
        ("from nnext.metrics import f1_score", "cannot import name 'f1_score' from 'nnext.metrics'; use f1"),
        ("from nnext import zzz", "cannot import name 'zzz' from 'nnext'"),
    ],
)
def test_what_cannot_be_imported_is_named_as_well(line: str, message: str) -> None:
    with pytest.raises(ImportError) as caught:
        exec(line)
    assert str(caught.value).startswith(message)


def test_python_adds_no_question_of_its_own() -> None:
    for code in ("nn.Linaer", "nn.MLP([2, 2]).predct", "nn.ReLU().confg"):
        result = run_python(f"import nnext as nn\n{code}")
        assert result.stderr.lower().count("did you mean") == 1, result.stderr


def test_a_property_that_fails_says_why_itself() -> None:
    class Net(nn.Sequential):
        @property
        def depth(self) -> int:
            return self.layers[0].depth  # type: ignore[attr-defined, no-any-return]

        @property
        def early(self) -> int:
            return self.unset + 1  # type: ignore[attr-defined, no-any-return]

    net = Net(nn.ReLU())
    with pytest.raises(AttributeError, match="'ReLU' object has no attribute 'depth'"):
        net.depth  # noqa: B018
    with pytest.raises(AttributeError, match="'Net' object has no attribute 'unset'"):
        net.early  # noqa: B018


# ---- Calls ----------------------------------------------------------------------------------------------------------


def test_signatures_stay_as_they_are() -> None:
    assert str(inspect.signature(nn.Dropout)) == "(p: 'float' = 0.5) -> None"
    assert list(inspect.signature(nn.Linear).parameters) == [
        "in_features", "out_features", "bias", "weight_init", "bias_init",
    ]  # fmt: skip
    assert list(inspect.signature(nn.MLP).parameters)[:2] == ["sizes", "activation"]
    assert inspect.signature(nn.datasets.make_moons).parameters["noise"].kind is inspect.Parameter.KEYWORD_ONLY
    assert nn.Dropout.__init__.__name__ == "__init__"


def test_errors_from_within_a_call_pass_as_they_are() -> None:
    def inner(x: int) -> None:
        inner()  # type: ignore[call-arg]

    @takes_hints
    def outer(x: int) -> None:
        inner(x)

    @takes_hints
    def raises(x: int) -> None:
        raise TypeError("of its own")

    with pytest.raises(TypeError, match=r"inner\(\) missing 1 required positional argument: 'x'") as caught:
        outer(1)
    assert traceback.extract_tb(caught.tb)[-1].name == "inner"
    with pytest.raises(TypeError, match="of its own"):
        raises(1)
    with pytest.raises(TypeError, match="got multiple values for argument 'x'"):
        raises(1, x=2)  # type: ignore[misc]


def test_a_quick_function_refuses_by_itself() -> None:
    class Net:
        @hides_unknown
        def fit(self, X: Any, *, epochs: int = 1, **unknown: Any) -> int:
            if unknown:
                refuse_unknown(self.fit, unknown)
            return epochs

    assert Net().fit(X, epochs=3) == 3
    assert list(inspect.signature(Net().fit).parameters) == ["X", "epochs"]
    with pytest.raises(TypeError, match=r"\[fit\] unknown argument 'n_epochs'; use epochs"):
        Net().fit(X, n_epochs=3)
