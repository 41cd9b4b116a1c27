"""The one door for arrays, kinds that are refused: the error names what works for each, and nothing has changed."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.lib.recfunctions
import pytest

import nnext as nn
from doors import AS_WEIGHT, AS_X, AS_Y, FEATURES, LABELS, Doors, N, X, model, refuse
from support import unchanged


class Sparse:
    """What makes SciPy's sparse matrices known: no array, but a method that gives one."""

    nnz, ndim = 3, 2

    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    def toarray(self) -> np.ndarray:
        return self.values


def objects(x: np.ndarray, first: Any) -> np.ndarray:
    """Return numbers as objects, of which the first is something else."""
    copy = x.astype(object)
    copy[(0,) * x.ndim] = first
    return copy


ASTYPE, ARRAY = '.astype("float64")', "give an array of real numbers"
FLOATS = f"give real numbers, for example with NAME{ASTYPE}"
# How to make it from numbers, and what the message says it is and what to do, where NAME is the argument's name.
KINDS: dict[str, tuple[Callable[[np.ndarray], Any], str, str]] = {
    "object": (lambda x: x.astype(object), "has dtype object", FLOATS),
    "none": (lambda x: None, "has dtype object and is None", ARRAY),
    "string": (lambda x: x.astype(str), "has dtype <U", FLOATS),
    "bytes": (lambda x: x.astype("S8"), "has dtype |S8", FLOATS),
    "numbers in strings": (
        lambda x: x.astype(str).tolist(), "has dtype <U", f"for example with numpy.asarray(NAME){ASTYPE}"
    ),
    "datetime": (lambda x: x.astype("int64").astype("datetime64[s]"), "has dtype datetime64[s]", FLOATS),
    "timedelta": (lambda x: x.astype("int64").astype("timedelta64[s]"), "has dtype timedelta64[s]", FLOATS),
    "complex": (lambda x: x.astype("complex64"), "has dtype complex64", "for example with numpy.real(NAME)"),
    "long double": (lambda x: x.astype("longdouble"), "has dtype float", FLOATS),
    "structured": (
        lambda x: np.zeros(x.shape, [("a", "f4"), ("b", "i4")]),
        "has dtype [('a', '<f4'), ('b', '<i4')]",
        "for example with numpy.lib.recfunctions.structured_to_unstructured(NAME)",
    ),
    "masked": (
        lambda x: np.ma.masked_array(x, mask=np.arange(x.size).reshape(x.shape) == 1),
        "has masked values",
        "for example with NAME.filled(0)",
    ),
    "dict": (lambda x: {"a": 1}, "has dtype object and is {'a': 1}", ARRAY),
    "text": (lambda x: "X", "has dtype <U1 and is 'X'", ARRAY),
    "missing": (lambda x: objects(x, None), "has dtype object, with None at", "remove or replace what is missing"),
    "arrays": (
        lambda x: np.array([*[np.zeros(2) for _ in range(len(x))], None], object)[:-1],
        "has dtype object, with array([0., 0.]) at",
        "give rows of one length as one array, for example with numpy.stack(NAME)",
    ),
    "things": (lambda x: objects(x, {"a": 1}), "has dtype object, with {'a': 1} at", "give real numbers"),
    "sparse": (Sparse, "is a sparse matrix", "give NAME.toarray()"),
    "sparse in an array": (lambda x: np.asarray(Sparse(x)), "is a sparse matrix", "give NAME.toarray()"),
}  # fmt: skip
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
    (doors, good), (make, what, cure) = ARGUMENTS[argument], KINDS[kind]
    operation, call = doors[door]
    if (argument, kind) == ("y", "none") and operation in ("fit", "evaluate"):  # which take batches without y
        what, cure = "is missing", f"write {operation}(X, y), or give batches"
    refuse(model(), call, make(good), TypeError, f"[{operation}] {argument} {what}", cure.replace("NAME", argument))


@pytest.mark.parametrize("kind", [name for name, (*_, cure) in KINDS.items() if "(" in cure and "array" not in name])
def test_the_cure_that_a_message_names_works(kind: str) -> None:
    """What it says to write gives an array that is taken."""
    make, _, cure = KINDS[kind]
    code = re.split("for example with |give ", cure.replace("NAME", "X"))[-1]
    cured = eval(code, {"X": make(X), "numpy": np})
    assert np.isfinite(nn.Sequential(nn.Flatten(), nn.Linear(cured[0].size, 2)).predict(cured)).all()


TEXTS: list[Callable[[np.ndarray], Any]] = [
    np.asarray,
    np.ndarray.tolist,
    *(partial(np.asarray, dtype=t) for t in "OS"),
]
TEXTS += [partial(np.asarray, dtype="T")] if hasattr(np.dtypes, "StringDtype") else []


@pytest.mark.parametrize("make", TEXTS)
def test_words_are_encoded_or_made_labels(make: Callable[[np.ndarray], Any]) -> None:
    words = np.array([["a", "b", "c"]] * N)
    encode = "at (0, 0); encode text, for example with sklearn.preprocessing.OneHotEncoder"
    for operation, call in AS_X.values():
        refuse(model(), call, make(words), TypeError, f"[{operation}] X has dtype", encode)
    y, labels = make(words[:, 1]), "numpy.unique(y, return_inverse=True)[1]"
    is_bytes = np.asarray(y).dtype.kind == "S"  # no names
    error, what = (TypeError, "dtype |S1") if is_bytes else (ValueError, "1 different labels, 'b', but the network")
    for operation, call in AS_Y.values():
        refuse(model(), call, y, error, f"[{operation}] y has {what}", labels if is_bytes else "4 classes")
        call(model(), eval(labels, {"y": y, "numpy": np}))
    for operation, call in AS_WEIGHT.values():
        refuse(model(), call, y, TypeError, f"[{operation}] sample_weight has dtype", "at 0; give real numbers")


@pytest.mark.parametrize("kind", ["sparse", "dict", "text", "object", "complex"])
def test_a_split_refuses_it_too(kind: str) -> None:
    make, what, cure = KINDS[kind]
    for name, split in (("X", (make(X), LABELS)), ("y", (X, make(LABELS)))):
        with unchanged(net := model()), pytest.raises(TypeError) as caught:
            net.fit(*split, validation_split=0.5, verbose=0)
        assert str(caught.value).startswith(f"[fit] {name} {what}")
        assert cure.replace("NAME", name) in str(caught.value)


FUNCTIONS = {
    "relu": [X],
    "tanh_grad": [X, X],
    "softmax": [X],
    "softmax_grad": [X, X],
    "log_softmax_grad": [X, X],
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
        make, what, _ = KINDS[kind]
        wrong = [*arguments[:i], make(good), *arguments[i + 1 :]]
        operation = function.removesuffix("_grad")
        with pytest.raises(TypeError, match=rf"^\[{operation}(_grad)?\] [a-z_]+ {re.escape(what)}.*; "):
            getattr(nn.functional, function)(*wrong)
