"""The one door for arrays, what is refused: the error names operation, values and cure, and nothing has changed."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nnext as nn
from doors import AS_WEIGHT, AS_X, AS_Y, CLASSES, FEATURES, LABELS, ROWS, Doors, N, X, changed, model, refuse

# ---- The wrong kind -------------------------------------------------------------------------------------------------

KINDS: dict[str, Callable[[np.ndarray], Any]] = {
    "object": lambda x: x.astype(object),
    "none": lambda x: None,
    "string": lambda x: x.astype(str),
    "bytes": lambda x: x.astype("S8"),
    "numbers in strings": lambda x: x.astype(str).tolist(),
    "datetime": lambda x: x.astype("int64").astype("datetime64[s]"),
    "timedelta": lambda x: x.astype("int64").astype("timedelta64[s]"),
    "complex": lambda x: x.astype("complex64"),
    "long double": lambda x: x.astype("longdouble"),
    "structured": lambda x: np.zeros(x.shape, [("a", "f4"), ("b", "i4")]),
    "masked": lambda x: np.ma.masked_array(x, mask=np.arange(x.size).reshape(x.shape) == 1),
    "dict": lambda x: {"a": 1},
    "text": lambda x: "X",
}
ARGUMENTS: dict[str, tuple[Doors, np.ndarray]] = {
    "X": (AS_X, X),
    "y": (AS_Y, LABELS),
    "sample_weight": (AS_WEIGHT, np.ones(N)),
}
CASES = [
    (argument, door, kind)
    for argument, (doors, _) in ARGUMENTS.items()
    for door in doors
    for kind in KINDS
    # None means no weights; strings in y are names of classes, see test_names_of_classes.py.
    if (argument, kind) not in [("sample_weight", "none"), ("y", "string"), ("y", "numbers in strings")]
]


@pytest.mark.parametrize(("argument", "door", "kind"), CASES)
def test_the_wrong_kind_is_a_type_error(argument: str, door: str, kind: str) -> None:
    doors, good = ARGUMENTS[argument]
    operation, call = doors[door]
    cure = f"for example with {argument}.filled(0)" if kind == "masked" else f'with {argument}.astype("float64")'
    refuse(model(), call, KINDS[kind](good), TypeError, f"[{operation}] {argument} has ", cure)


FUNCTIONS = {
    "relu": [X],
    "tanh_grad": [X, X],
    "softmax": [X],
    "softmax_grad": [X, X],
    "matmul": [X, X.T],
    "mse": [X, X, np.ones(N)],
    "bce_grad": [X / 4 + 0.5, X > 0, np.ones(N)],
    "cross_entropy": [X, LABELS % FEATURES, np.ones(N)],
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_functions_refuse_the_same_kinds(function: str, kind: str) -> None:
    arguments = FUNCTIONS[function]
    getattr(nn.functional, function)(*arguments)
    for i, good in enumerate(arguments):
        if kind == "none" and i == 2:
            continue  # no weights
        wrong = [*arguments[:i], KINDS[kind](good), *arguments[i + 1 :]]
        operation = function.removesuffix("_grad")
        with pytest.raises(TypeError, match=rf"^\[{operation}(_grad)?\] .* has (dtype|masked).*; "):
            getattr(nn.functional, function)(*wrong)


# ---- Values ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("door", AS_X)
def test_nan_and_infinity_in_x_are_counted_and_the_first_is_named(door: str, dtype: str) -> None:
    operation, call = AS_X[door]
    net = model(dtype=dtype)
    one = changed(X, np.nan, 4, 1)
    refuse(
        net,
        call,
        one,
        ValueError,
        f"[{operation}] X has 1 value that is NaN or infinite, the first nan at (4, 1); remove",
    )
    three = changed(changed(one, np.inf, 2, 2), -np.inf, 5, 0)
    for array in (three, three.astype("float32"), np.asfortranarray(three), three.astype("float16"), three.tolist()):
        refuse(
            net,
            call,
            array,
            ValueError,
            f"[{operation}] X has 3 values that are NaN or infinite, the first inf at (2, 2)",
        )


@pytest.mark.parametrize("door", AS_X)
def test_what_is_infinite_in_float32_only_is_named(door: str) -> None:
    operation, call = AS_X[door]
    large = changed(X, -1e39, 3, 2)
    message = (
        f'[{operation}] X has -1e+39 at (3, 2), which is infinite in float32; scale the data, or use dtype="float64"'
    )
    refuse(model(), call, large, ValueError, message)
    call(model(dtype="float64"), large)


def test_predict_lets_nan_through_when_it_is_asked_to() -> None:
    for dtype in ("float32", "float64"):
        net = model(dtype=dtype)
        y = net.predict(changed(X, np.nan, 4, 1), check=False)
        assert np.isnan(y[4]).all()
        np.testing.assert_array_equal(np.delete(y, 4, axis=0), np.delete(net.predict(X), 4, axis=0))


@pytest.mark.parametrize("door", AS_Y)
@pytest.mark.parametrize(
    ("label", "text"),
    [
        (-1, "-1"),
        (CLASSES, "4"),
        (2**40, "1.09951e+12"),
        (1.7, "1.7"),
        (np.nan, "nan"),
        (np.inf, "inf"),
        (-0.5, "-0.5"),
    ],
)
def test_labels_that_are_no_classes_are_named(door: str, label: float, text: str) -> None:
    operation, call = AS_Y[door]
    message = f"[{operation}] y has the label {text} at index 3; labels must be whole numbers from 0 to 3, one for each"
    wrong = changed(LABELS, label, 3)
    for y in (wrong, wrong[:, None]):
        refuse(model(), call, y, ValueError, message)


@pytest.mark.parametrize("door", AS_Y)
def test_targets_that_are_no_probabilities_are_named(door: str) -> None:
    operation, call = AS_Y[door]
    net = model()
    refuse(net, call, changed(ROWS, np.nan, 2, 1), ValueError, f"[{operation}] y has 1 value that is NaN", "at (2, 1)")
    refuse(
        net, call, changed(ROWS, -0.1, 2, 1), ValueError, f"[{operation}] y has -0.1 at (2, 1); probabilities must lie"
    )
    refuse(
        net,
        call,
        changed(ROWS, 0.5, 2, 1),
        ValueError,
        f"[{operation}] y has probabilities that add up to 1.5 in row 2",
    )
    refuse(net, call, ROWS * 0, ValueError, "add up to 0 in row 0; each row must add up to 1")


@pytest.mark.parametrize("loss", ["mse", "bce", "bce_with_logits"])
def test_targets_of_other_losses(loss: str) -> None:
    last = [] if loss == "bce_with_logits" else [nn.Sigmoid()]
    net, fit = nn.Sequential(nn.Linear(FEATURES, CLASSES), *last), AS_Y["fit"][1]
    net.compile(loss=loss, optimizer=nn.SGD(lr=0.01))
    refuse(
        net, fit, changed(ROWS, np.inf, 5, 3), ValueError, "[fit] y has 1 value that is NaN or infinite", "at (5, 3)"
    )
    refuse(
        net, fit, changed(ROWS, 1e300, 5, 3), ValueError, "[fit] y has 1e+300 at (5, 3), which is infinite in float32"
    )
    if loss == "mse":
        net.fit(X, changed(ROWS, -0.1, 0, 1), verbose=0)
    else:
        refuse(net, fit, changed(ROWS, 1.1, 0, 1), ValueError, "[fit] y has 1.1 at (0, 1); probabilities must lie")


@pytest.mark.parametrize("door", AS_WEIGHT)
def test_weights_that_mean_nothing_are_named(door: str) -> None:
    operation, call = AS_WEIGHT[door]
    net, ones = model(), np.ones(N)
    refuse(
        net, call, changed(ones, -2, 3), ValueError, f"[{operation}] sample_weight has -2 at index 3; weights must not"
    )
    refuse(
        net, call, changed(ones, np.nan, 3), ValueError, f"[{operation}] sample_weight has 1 value that is NaN", "at 3"
    )
    refuse(
        net, call, changed(ones, np.inf, 3), ValueError, f"[{operation}] sample_weight has 1 value that is NaN", "at 3"
    )
    refuse(net, call, 0 * ones, ValueError, f"[{operation}] sample_weight is zero for all 6 samples; at least one must")
