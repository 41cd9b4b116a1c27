"""The one door for arrays, shapes: both sides are named, and nothing has changed."""

import re

import numpy as np
import pytest

from doors import AS_WEIGHT, AS_X, AS_Y, CLASSES, N, X, changed, model, refuse
from support import unchanged


@pytest.mark.parametrize("door", AS_X)
@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((N, 2), "X has 2 features but the network expects 3; X has shape (6, 2), give (samples, 3)"),
        ((N, 0), "X has 0 features but the network expects 3"),
        ((N,), "X has shape (6,); samples must be rows of a 2-D array: for one sample use reshape(1, -1), for one"),
        ((N, 3, 1), "X has shape (6, 3, 1); samples must be rows of a 2-D array: start the network with Flatten()"),
        ((), "X has shape (); samples must be rows of a 2-D array"),
    ],
)
def test_x_of_another_shape_is_named(door: str, shape: tuple[int, ...], message: str) -> None:
    operation, call = AS_X[door]
    refuse(model(), call, np.ones(shape), ValueError, f"[{operation}] {message}")


@pytest.mark.parametrize("door", AS_Y)
@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((5,), "y has 5 rows but X has 6; give both the same number of samples"),
        ((7, CLASSES), "y has 7 rows but X has 6; give both the same number of samples"),
        ((N, 3), "y has shape (6, 3) but the network gives (6, 4); give class labels (n,) or one-hot rows"),
        ((N, CLASSES, 1), "y has shape (6, 4, 1) but the network gives (6, 4)"),
        ((N, 0), "y has shape (6, 0) but the network gives (6, 4)"),
        ((), "y is a single number; give one entry a sample: 6"),
    ],
)
def test_y_of_another_shape_is_named(door: str, shape: tuple[int, ...], message: str) -> None:
    operation, call = AS_Y[door]
    refuse(model(), call, np.ones(shape), ValueError, f"[{operation}] {message}")


@pytest.mark.parametrize("shape", [(N,), (N, 1), (N, CLASSES + 1), (N, 1, CLASSES)])
def test_targets_of_mse_must_have_the_outputs_shape(shape: tuple[int, ...]) -> None:
    message = f"[fit] y has shape {shape} but the network gives (6, 4); give targets of that shape"
    refuse(model("mse"), AS_Y["fit"][1], np.ones(shape), ValueError, message)


@pytest.mark.parametrize("door", AS_WEIGHT)
def test_weights_of_another_shape_are_named(door: str) -> None:
    operation, call = AS_WEIGHT[door]
    refuse(model(), call, np.ones(5), ValueError, f"[{operation}] sample_weight has 5 rows but X has 6; give both")
    refuse(model(), call, np.ones((N, 1)), ValueError, f"[{operation}] sample_weight has shape (6, 1); give one weight")
    refuse(model(), call, 1.0, ValueError, f"[{operation}] sample_weight is a single number; give one entry a sample")


def test_rows_of_different_lengths_are_an_error() -> None:
    for door in AS_X:
        with unchanged(net := model()), pytest.raises(ValueError, match="inhomogeneous"):
            AS_X[door][1](net, [[1.0, 2.0, 3.0], [4.0]])


def test_the_gradient_given_to_backward() -> None:
    net = model()
    for shape in ((5, CLASSES), (N, 3)):
        net.forward(X)
        message = f"[backward] dY is {shape} but the output was (6, 4); give the gradient of the last forward's output"
        with unchanged(net), pytest.raises(ValueError, match=re.escape(message)):
            net.backward(np.ones(shape))
    net.forward(X)
    with pytest.raises(
        ValueError, match=r"\[backward\] dY has 1 value that is NaN or infinite, the first nan at \(1, 2\)"
    ):
        net.backward(changed(np.ones((N, CLASSES)), np.nan, 1, 2))
    with pytest.raises(TypeError, match=r"\[backward\] dY has dtype <U32; give real numbers"):
        net.backward(np.ones((N, CLASSES)).astype(str))
    assert net.backward(np.ones((N, CLASSES))).shape == X.shape  # the forward pass is still there
