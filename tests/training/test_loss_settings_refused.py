"""Settings and targets that a loss does not take: each is named, and nothing has changed."""

from typing import Any

import numpy as np
import pytest

import nnext as nn
from nnext import functional
from support import unchanged

NUMBER = "give a finite number in"


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: nn.Quantile(q=0), ValueError, rf"\[Quantile\] q is 0; {NUMBER} \(0, 1\)"),
        (lambda: nn.Quantile(q=1.0), ValueError, r"\[Quantile\] q is 1.0"),
        (lambda: nn.Focal(gamma=-1), ValueError, rf"\[Focal\] gamma is -1; {NUMBER} \[0, inf\]"),
        (lambda: nn.Focal(alpha=1.5), ValueError, rf"\[Focal\] alpha is 1.5; {NUMBER} \[0, 1\]"),
        (lambda: nn.CrossEntropy(label_smoothing=1.1), ValueError, r"\[CrossEntropy\] label_smoothing is 1.1"),
        (lambda: nn.CrossEntropy(class_weight=2.0), TypeError, "class_weight is 2.0; give a list of numbers, one for"),
        (lambda: nn.CrossEntropy(class_weight={0: 1}), TypeError, r"class_weight is \{0: 1\}; give a list of numbers"),
        (lambda: nn.CrossEntropy(class_weight="balanced"), TypeError, "class_weight is 'balanced'; give a list"),
        (lambda: nn.CrossEntropy(class_weight=[1, -1]), ValueError, rf"class_weight\[1\] is -1; {NUMBER} \[0, inf\]"),
        (lambda: nn.CrossEntropy(class_weight=[0, 0]), ValueError, "for each class, not all of them 0"),
        (lambda: nn.BCE(pos_weight=-2), ValueError, r"\[BCE\] pos_weight is -2"),
        (lambda: nn.BCEWithLogits(pos_weight="3"), TypeError, "pos_weight is '3'; give a"),
        (lambda: functional.quantile([0.0], [0.0], q=2), ValueError, r"\[quantile\] q is 2"),
        (lambda: functional.focal_grad([0.0], [0.0], gamma=-1), ValueError, r"\[focal_grad\] gamma is -1"),
        (lambda: functional.bce([0.5], [0.0], pos_weight=[1, 2]), ValueError, r"\[bce\] pos_weight has 2 numbers but"),
        (
            lambda: functional.cross_entropy([[0.0, 1.0]], [1], class_weight=[1, 2, 3]),
            ValueError,
            r"\[cross_entropy\] class_weight has 3 numbers but the network has 2 outputs; give a number for each",
        ),
        (
            lambda: functional.cross_entropy([[0.0, 1.0]], [1], class_weight=[1, 0]),
            ValueError,
            "class_weight of the loss is zero for the classes of all samples that count",
        ),
    ],
)
def test_settings_that_do_not_fit_are_named(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize("loss", [nn.CrossEntropy(class_weight=[1, 2]), nn.BCEWithLogits(pos_weight=[1, 2])])
def test_weights_for_other_outputs_are_refused(loss: nn.Loss, rng: np.random.Generator) -> None:
    model = nn.MLP([5, 7, 4])
    model.compile("mse")
    message = r"\[compile\] (class|pos)_weight has 2 numbers but the network has 4 outputs; give a number for each"
    with unchanged(model), pytest.raises(ValueError, match=message):
        model.compile(loss)
    unknown = nn.Sequential(nn.Identity())  # of as many outputs as there are features
    unknown.compile(loss)
    y = rng.integers(2, size=(5, 4)) if isinstance(loss, nn.BCEWithLogits) else rng.integers(4, size=5)
    for operation in ("fit", "evaluate", "loss_and_grads"):
        with pytest.raises(
            ValueError, match=rf"\[{operation}\] (class|pos)_weight has 2 numbers but the network has 4"
        ):
            getattr(unknown, operation)(rng.normal(size=(5, 4)), y)


def test_samples_that_were_checked_for_other_weights_are_refused(rng: np.random.Generator) -> None:
    model = nn.Sequential(nn.Identity())
    model.compile(nn.CrossEntropy())
    samples = model.engine.samples(rng.normal(size=(5, 4)), rng.integers(4, size=5), None, "fit", 1.0)
    model.compile(nn.CrossEntropy(class_weight=[1, 2]))
    with pytest.raises(RuntimeError, match="the samples were checked for another loss than cross_entropy"):
        model.engine.evaluate(samples)


@pytest.mark.parametrize(
    ("loss", "y", "message"),
    [
        ("poisson", [[1.0], [-1.0]], r"y has -1 at \(1, 0\); targets of this loss must be 0 or more"),
        ("gamma", [[1.0], [0.0]], r"y has 0 at \(1, 0\); targets of this loss must be greater than 0"),
        ("hinge", [[1.0], [0.5]], r"y has 0.5 at \(1, 0\); labels must be -1 or 1, or 0 or 1"),
        ("hinge", [[0.0], [-1.0]], r"y has 0 at \(0, 0\); labels must be -1 or 1"),
        ("focal", [[1.0], [1.5]], r"y has 1.5 at \(1, 0\); probabilities must lie between 0 and 1"),
    ],
)
def test_targets_that_a_loss_does_not_take_are_named(loss: str, y: list[list[float]], message: str) -> None:
    model = nn.Sequential(nn.Linear(2, 1), seed=1)
    model.compile(loss)
    for operation in ("fit", "evaluate", "loss_and_grads"):
        with unchanged(model), pytest.raises(ValueError, match=rf"\[{operation}\] {message}"):
            getattr(model, operation)(np.ones((2, 2)), y)
    with pytest.raises(ValueError, match=rf"\[{loss}\] {message}"):
        getattr(functional, loss)(np.ones((2, 1)), y)


def test_a_divergence_takes_no_labels() -> None:
    with pytest.raises(ValueError, match=r"\[kl_div\] y has shape \(2,\) .*, or for class labels use cross_entropy"):
        functional.kl_div(np.ones((2, 3)), [0, 2])
    with pytest.raises(ValueError, match=r"\[kl_div\] y has probabilities that add up to 1.5 in row 1"):
        functional.kl_div(np.ones((2, 2)), [[0.5, 0.5], [0.5, 1.0]])
