"""Data frames and sparse targets at the one door for arrays."""

from typing import Any

import numpy as np
import pytest

import nnext as nn
from support import assert_same_bits, unchanged

pd = pytest.importorskip("pandas")

Y = [0, 1, 0, 1]


def model() -> nn.Sequential:
    net = nn.MLP([2, 3, 2])
    net.compile(loss="cross_entropy", optimizer="sgd")
    return net


def frame(a: Any, b: Any = (1.5, 2.0, -3.0, 4.0), /, **types: str) -> Any:
    return pd.DataFrame({"a": a, "b": b}).astype(types)


NUMBERS = {
    "float64": frame([1.0, 2, 3, 4]),
    "int beside float": frame([1, 2, 3, 4]),
    "bool beside float": frame([True, False, True, False]),  # as get_dummies gives them
    "Int64": frame([1, 2, 3, 4], [4, 3, 2, 1], a="Int64", b="Int64"),
    "Int64 beside float": frame([1, 2, 3, 4], a="Int64"),
    "Float64": frame([1.0, 2, 3, 4], a="Float64", b="Float64"),
    "boolean beside UInt8": frame([True, False, True, False], [1, 2, 3, 4], a="boolean", b="UInt8"),
    "sparse columns": frame([0, 0, 1, 0], a="Sparse[int64]"),
}


@pytest.mark.parametrize("kind", NUMBERS)
def test_a_frame_whose_columns_are_numbers_is_taken(kind: str) -> None:
    X = NUMBERS[kind]
    plain = X.astype("float64").to_numpy()
    for split in (0.0, 0.5):
        framed, array = model(), model()
        framed.fit(X, pd.Series(Y), validation_split=split, sample_weight=pd.Series([1, 2, 1, 2]), verbose=0)
        array.fit(plain, Y, validation_split=split, sample_weight=[1, 2, 1, 2], verbose=0)
        assert_same_bits(framed.state_dict(), array.state_dict())
    assert_same_bits(framed.predict(X), framed.predict(plain))
    assert framed.evaluate(X, pd.Series(Y, dtype="Int64")) == framed.evaluate(plain, Y)


@pytest.mark.parametrize(
    "a", [["a", "b", "a", "b"], pd.Categorical(["a", "b", "a", "b"]), pd.array(["a"] * 4, "string")]
)
def test_a_frame_with_text_says_which(a: Any) -> None:
    message = (
        r"\[fit\] X has dtype object, with 'a' at \(0, 0\); encode text, for example with sklearn.preprocessing.One"
    )
    with unchanged(net := model()), pytest.raises(TypeError, match=message):
        net.fit(frame(a), Y, verbose=0)
    assert net.predict(pd.get_dummies(frame(a)).iloc[:, :2]).shape == (4, 2)


@pytest.mark.parametrize(("type_", "fill"), [("Int64", 0), ("Float64", 0), ("boolean", False)])
def test_values_that_are_missing_are_counted(type_: str, fill: Any) -> None:
    X = frame(pd.array([1, 0, None, 1], type_))
    message = r"\[fit\] X has 1 value that is NaN or infinite, the first nan at \(2, 0\); remove or replace it"
    with unchanged(net := model()), pytest.raises(ValueError, match=message):
        net.fit(X, Y, verbose=0)
    net.fit(X.fillna(fill), Y, verbose=0)
    net.fit(X.dropna(), [0, 1, 1], verbose=0)


@pytest.mark.parametrize(
    ("a", "message"),
    [
        (pd.Series([1, 0, None, 1], dtype=object), r"with None at \(2, 0\); remove or replace what is missing"),
        (pd.Series([1, 0, pd.NA, 1], dtype=object), r"with <NA> at \(2, 0\); remove or replace what is missing"),
        (pd.Series([1, 0, 2, 1], dtype=object), r'for example with numpy.asarray\(X\).astype\("float64"\)'),
        (pd.Series(["1", "0", "2", "1"]), r'for example with numpy.asarray\(X\).astype\("float64"\)'),
        (pd.date_range("2020", periods=4), r"with Timestamp\('2020-01-01 00:00:00'\) at \(0, 0\); give real numbers"),
    ],
)
def test_other_columns_are_named_by_their_first_value(a: Any, message: str) -> None:
    with unchanged(net := model()), pytest.raises(TypeError, match=rf"\[fit\] X has dtype object.*{message}"):
        net.fit(frame(a), Y, verbose=0)


@pytest.mark.parametrize("y", [["no", "yes", "no", "yes"], pd.Categorical(["no", "yes", "no", "yes"])])
def test_a_series_of_words_names_classes(y: Any) -> None:
    series, X = pd.Series(y), frame([1, 2, 3, 4])
    named, coded = model(), model()
    named.fit(X, series, verbose=0)
    coded.fit(X, Y, verbose=0)
    assert_same_bits(named.state_dict(), coded.state_dict())
    assert named.predict_classes(X).tolist() == np.array(["no", "yes"])[coded.predict_classes(X)].tolist()


@pytest.mark.parametrize("kind", ["csr_matrix", "csr_array", "csc_array", "coo_array"])
def test_sparse_targets_are_to_be_made_arrays(kind: str) -> None:
    y = getattr(pytest.importorskip("scipy.sparse"), kind)(np.eye(4)[:, :2])
    net = model()
    for split in (0.0, 0.5):
        with unchanged(net), pytest.raises(TypeError, match=r"\[fit\] y is a sparse matrix; give y.toarray"):
            net.fit(np.ones((4, 2)), y, validation_split=split)
