"""Classes with names: taken in every form, remembered, given back, and never mistaken for something else."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nnext as nn
from internals import training_state
from support import assert_same_bits, unchanged

N = 30
NAMES = ("ant", "bee", "cat")


def case(loss: str, k: int) -> tuple[nn.Sequential, np.ndarray, np.ndarray, np.ndarray]:
    """Return a network, samples, names, and what stands for them without names."""
    rng = np.random.default_rng(0)
    last = {"bce": [nn.Sigmoid()], "mse": [nn.Sigmoid()]}.get(loss, [])
    model = nn.Sequential(nn.Linear(4, k), *last, dtype="float64", seed=1)
    model.compile(loss, nn.Adam(lr=0.1), metrics=["accuracy", "f1"])
    X, labels = rng.normal(size=(N, 4)), np.arange(N) % max(k, 2)
    numbers = labels if k == 1 or loss == "cross_entropy" else np.eye(k)[labels]
    return model, X, np.array(NAMES)[labels], numbers


CASES = [("cross_entropy", 2), ("cross_entropy", 3), ("bce", 1), ("bce", 3), ("bce_with_logits", 1), ("mse", 3)]
FORMS: dict[str, Callable[[np.ndarray], Any]] = {
    "array": lambda names: names,
    "list": lambda names: names.tolist(),
    "objects": lambda names: names.astype(object),
    "column": lambda names: names[:, None],
    "tuple": lambda names: tuple(names),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("loss", "k"), CASES)
def test_names_train_as_numbers_do_and_come_back(loss: str, k: int, form: str) -> None:
    model, X, names, numbers = case(loss, k)
    twin = case(loss, k)[0]
    history = model.fit(X, FORMS[form](names), epochs=5, validation_split=0.2, verbose=0).history
    assert history == twin.fit(X, numbers, epochs=5, validation_split=0.2, verbose=0).history
    assert_same_bits(training_state(model), training_state(twin))
    classes = model.predict_classes(X)
    assert classes.dtype.kind == "U"
    assert classes.tolist() == np.array(NAMES)[twin.predict_classes(X)].tolist()
    assert model.evaluate(X, FORMS[form](names)) == twin.evaluate(X, numbers)
    assert model.evaluate(X, names)["accuracy"] == (classes == names).mean()
    assert model.loss_and_grads(X, FORMS[form](names))[0] == twin.loss_and_grads(X, numbers)[0]
    assert model.predict_classes(X[0]) == classes[0]


@pytest.mark.parametrize(("loss", "k"), CASES)
def test_weights_of_classes_go_by_name(loss: str, k: int) -> None:
    model, X, names, numbers = case(loss, k)
    twin = case(loss, k)[0]
    history = model.fit(X, names, class_weight={"bee": 5.0}, verbose=0)
    if k > 1 and loss != "cross_entropy":
        twin.fit(X, numbers, verbose=0)  # one-hot rows tell that labels are exclusive
    twin = case(loss, k)[0]
    weight = np.where(names == "bee", 5.0, 1.0)
    assert history["loss"] == twin.fit(X, numbers, sample_weight=weight, verbose=0)["loss"]
    assert_same_bits(training_state(model), training_state(twin))
    for wrong in ({1: 5.0}, {"dog": 5.0}, {"bee": 5.0, "Ant": 1.0}):
        with unchanged(model), pytest.raises(ValueError, match=r"class_weight has the key .*; they are 'ant', 'bee'"):
            model.fit(X, names, class_weight=wrong, verbose=0)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["ant"] * N, r"y has 1 different labels, 'ant', but the network decides between 3 classes"),
        ([*"abcd"] * 8, r"y has 4 different labels, 'a', 'b', 'c', 'd', but the network decides between 3 classes"),
        (["ant", "bee", "cat"] * 9 + ["ant", "bee", 3], r"y has dtype object"),
        (["ant", "bee", "cat"] * 9 + ["ant", "bee", None], r"y has dtype object"),
    ],
)
def test_other_numbers_of_classes_are_refused(y: list[Any], message: str) -> None:
    model, X, _, _ = case("cross_entropy", 3)
    with unchanged(model), pytest.raises((ValueError, TypeError), match=rf"\[fit\] {message}"):
        model.fit(X[: len(y)], np.array(y[:N], dtype=object), verbose=0)
    assert model.predict_classes(X).dtype.kind == "i"


def test_later_targets_must_have_the_same_names() -> None:
    model, X, names, numbers = case("cross_entropy", 3)
    model.fit(X, names, verbose=0)
    with unchanged(model), pytest.raises(ValueError, match=r"\[evaluate\] y has the label 'dog', which is no class of"):
        model.evaluate(X[:1], ["dog"])
    with (
        unchanged(model),
        pytest.raises(ValueError, match=r"\[fit\] y has no names but the network's classes are 'ant'"),
    ):
        model.fit(X, numbers, verbose=0)
    with unchanged(model), pytest.raises(ValueError, match=r"\[fit: validation_data\] y has the label 'dog', which"):
        model.fit(X, names, validation_data=(X[:1], ["dog"]), verbose=0)
    assert model.fit(X[names != "cat"], names[names != "cat"], verbose=0)  # not every class need be there
    model.compile("cross_entropy")  # what the classes are called is no affair of the loss
    assert model.predict_classes(X).dtype.kind == "U"


def test_numbers_have_no_names() -> None:
    model = nn.Sequential(nn.Linear(4, 1))
    model.compile("mse")
    with (
        unchanged(model),
        pytest.raises(ValueError, match=r"\[fit\] y has strings, such as 'ant', but the network gives"),
    ):
        model.fit(np.zeros((2, 4)), ["ant", "bee"], verbose=0)
