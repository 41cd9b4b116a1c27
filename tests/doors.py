"""The ways by which arrays come into a model, for the tests of what the one door for arrays refuses."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nnext as nn
from support import unchanged

N, FEATURES, CLASSES = 6, 3, 4
X = np.linspace(-1, 1, N * FEATURES).reshape(N, FEATURES)
LABELS = np.arange(N) % CLASSES
ROWS = np.eye(CLASSES)[LABELS]


def model(loss: str = "cross_entropy", dtype: str = "float32") -> nn.Sequential:
    net = nn.Sequential(nn.Linear(FEATURES, 5), nn.Tanh(), nn.Linear(5, CLASSES), dtype=dtype)
    net.compile(
        loss=loss, optimizer=nn.SGD(lr=0.1, momentum=0.9), metrics=["accuracy"] if loss == "cross_entropy" else []
    )
    net.fit(X, LABELS if loss == "cross_entropy" else ROWS, epochs=2, batch_size=4, verbose=0)
    return net


# How an array gets in: the operation that the message names, and a call.
Doors = dict[str, tuple[str, Callable[[nn.Sequential, Any], Any]]]
AS_X: Doors = {
    "fit": ("fit", lambda m, x: m.fit(x, LABELS, verbose=0)),
    "validation_data": ("fit: validation_data", lambda m, x: m.fit(X, LABELS, validation_data=(x, LABELS), verbose=0)),
    "evaluate": ("evaluate", lambda m, x: m.evaluate(x, LABELS)),
    "predict": ("predict", lambda m, x: m.predict(x)),
    "predict_proba": ("predict", lambda m, x: m.predict_proba(x)),
    "predict_classes": ("predict", lambda m, x: m.predict_classes(x)),
    "forward": ("forward", lambda m, x: m.forward(x)),
    "loss_and_grads": ("loss_and_grads", lambda m, x: m.loss_and_grads(x, LABELS)),
}
AS_Y: Doors = {
    "fit": ("fit", lambda m, y: m.fit(X, y, verbose=0)),
    "validation_data": ("fit: validation_data", lambda m, y: m.fit(X, LABELS, validation_data=(X, y), verbose=0)),
    "evaluate": ("evaluate", lambda m, y: m.evaluate(X, y)),
    "loss_and_grads": ("loss_and_grads", lambda m, y: m.loss_and_grads(X, y)),
}
AS_WEIGHT: Doors = {
    "fit": ("fit", lambda m, w: m.fit(X, LABELS, sample_weight=w, verbose=0)),
    "validation_data": (
        "fit: validation_data",
        lambda m, w: m.fit(X, LABELS, validation_data=(X, LABELS, w), verbose=0),
    ),
    "evaluate": ("evaluate", lambda m, w: m.evaluate(X, LABELS, sample_weight=w)),
    "loss_and_grads": ("loss_and_grads", lambda m, w: m.loss_and_grads(X, LABELS, sample_weight=w)),
}


def refuse(
    net: nn.Sequential, call: Callable[[nn.Sequential, Any], Any], array: Any, error: type[Exception], *parts: str
) -> None:
    """Assert that the call fails with all parts in its message, and that the model and the array are as before."""
    prediction = net.predict(X)
    with unchanged(net), pytest.raises(error) as caught:
        call(net, array)
    for part in parts:
        assert part in str(caught.value)
    assert ";" in str(caught.value)  # what is wrong; the cure
    np.testing.assert_array_equal(net.predict(X), prediction)


def changed(array: np.ndarray, value: float, *at: int) -> np.ndarray:
    copy = array.astype("float64")
    copy[at] = value
    return copy
