"""Calls that are wrong, each in a way of its own, for the tests that they fail and change nothing, however often."""

import copy
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nnext as nn
from support import unchanged

N = 12
X = np.random.default_rng(0).normal(size=(N, 4))
NAMES = np.array(["ant", "bee", "cat"])
LABELS = np.arange(N) % 3
ERRORS = (ValueError, TypeError, AttributeError, OSError, RuntimeError, ZeroDivisionError)


class Subject:
    """A model of three classes that takes X, and a folder for its files."""

    def __init__(self, model: nn.Sequential, folder: pathlib.Path) -> None:
        self.model, self.folder = model, folder

    def targets(self) -> np.ndarray:
        if self.model.seen.classes is not None:
            return NAMES[LABELS] if self.is_cross_entropy else np.eye(3)[LABELS]
        return LABELS if self.is_cross_entropy else np.eye(3)[LABELS]

    @property
    def is_cross_entropy(self) -> bool:
        return self.model.compiled is not None and self.model.compiled.loss == nn.CrossEntropy()


WRONG: dict[str, Callable[[Subject], Any]] = {
    "nan in X": lambda w: w.model.fit(np.where(X > 2, np.nan, np.full_like(X, np.nan)), w.targets(), verbose=0),
    "too few targets": lambda w: w.model.fit(X, w.targets()[:-1], verbose=0),
    "too many features": lambda w: w.model.fit(np.ones((N, 5)), w.targets(), verbose=0),
    "no such class": lambda w: w.model.fit(X, LABELS + 9, verbose=0),
    "an unknown name": lambda w: w.model.fit(X, np.full(N, "dog"), verbose=0),
    "weights of no class": lambda w: w.model.fit(X, w.targets(), class_weight={"?": 1.0}, verbose=0),
    "no weight at all": lambda w: w.model.fit(X, w.targets(), sample_weight=np.zeros(N), verbose=0),
    "validation of other features": lambda w: w.model.fit(
        X, w.targets(), validation_data=(X[:, :2], LABELS), verbose=0
    ),
    "a callback that is none": lambda w: w.model.fit(X, w.targets(), callbacks=[print], verbose=0),
    "a callback that fails at once": lambda w: w.model.fit(
        X, w.targets(), callbacks=nn.LambdaCallback(on_train_begin=lambda logs: 1 / 0), verbose=0
    ),
    "shuffle that is no bool": lambda w: w.model.fit(X, w.targets(), shuffle="no", verbose=0),  # type: ignore[arg-type]
    "an unknown argument": lambda w: w.model.fit(X, w.targets(), learning_rate=0.1),  # type: ignore[call-arg]
    "an unknown loss": lambda w: w.model.compile("mean_squared"),
    "a loss that does not fit": lambda w: w.model.compile(
        "bce_with_logits" if isinstance(w.model.layers[-1], nn.Softmax) else "bce"
    ),
    "an unknown metric": lambda w: w.model.compile("cross_entropy", metrics=["speed"]),
    "two metrics of one name": lambda w: w.model.compile("cross_entropy", metrics=["f1", "f1"]),
    "no precision": lambda w: w.model.compile("cross_entropy", precision="half"),
    "an unknown layer": lambda w: w.model.freeze("7"),
    "parameters of another shape": lambda w: w.model.load_state_dict({**w.model.state_dict(), "0.bias": np.ones(3)}),
    "parameters that are missing": lambda w: w.model.load_state_dict({}),
    "a setting of the model": lambda w: setattr(w.model, "learning_rate", 0.1),
    "another optimizer": lambda w: setattr(w.model, "optimizer", nn.SGD()),
    "a setting of the optimizer": lambda w: setattr(w.model.optimizer, "nesterov", True),
    "a rate that is none": lambda w: setattr(w.model.optimizer, "lr", -1),
    "no folder": lambda w: w.model.save(w.folder / "absent" / "m"),
    "evaluating nothing": lambda w: w.model.evaluate(X[:0], w.targets()[:0]),
    "predicting words": lambda w: w.model.predict([["a", "b", "c", "d"]]),
    "a step without gradients": lambda w: copy.copy(w.model).step(),  # a copy has none
}


def fails(subject: Subject, name: str) -> None:
    """Make that call, and assert that it fails and changes nothing."""
    model = subject.model
    with (
        unchanged(model),
        pytest.raises(ERRORS),
    ):
        WRONG[name](subject)
