"""The one door for arrays, shapes: both sides are named, and nothing has changed."""

import re
from typing import Any

import numpy as np
import pytest

import nnext as nn
from doors import AS_WEIGHT, AS_X, AS_Y, CLASSES, N, X, changed, model, refuse
from internals import training_state
from layouts import LAYOUTS
from support import assert_same_bits, unchanged


@pytest.mark.parametrize("door", AS_X)
@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((N, 2), "X has 2 features but the network expects 3; X has shape (6, 2), give (samples, 3)"),
        ((N, 0), "X has 0 features but the network expects 3"),
        ((N,), "X has shape (6,); samples must be rows of a 2-D array: for one sample use reshape(1, -1), for one"),
        (
            (N, 3, 1),
            "X has 1 features but the network expects 3; X has shape (6, 3, 1), give (samples, 3), or start",
        ),
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


@pytest.mark.parametrize("door", AS_X)
def test_rows_of_different_lengths_are_an_error(door: str) -> None:
    operation, call = AS_X[door]
    message = rf"\[{operation}\] X is no array: .*inhomogeneous.*; give an array of real numbers"
    with unchanged(net := model()), pytest.raises(ValueError, match=message):
        call(net, [[1.0, 2.0, 3.0], [4.0]])


# ---- One dimension: samples of one feature, or one sample -----------------------------------------------------------


@pytest.mark.parametrize("make", [np.asarray, np.ndarray.tolist, *LAYOUTS.values(), lambda x: x.astype("uint8")])
@pytest.mark.parametrize("flatten", [False, True])
def test_numbers_are_samples_of_a_network_that_takes_one_feature(make: Any, flatten: bool) -> None:
    x, y = np.arange(6.0), np.arange(6.0) ** 2
    results: list[dict[str, Any]] = []
    for each in (make(x), x[:, None].copy()):
        net = nn.Sequential(*([nn.Flatten()] if flatten else []), nn.Linear(1, 4), nn.Tanh(), nn.Linear(4, 1))
        net.compile(loss="mse", optimizer="sgd")
        found = {"predict": net.predict(each), "out": net.predict(each, out=np.empty((6, 1), "float32"))}
        found |= {"forward": net.forward(each)}
        found |= net.loss_and_grads(each, y)[1] | {"evaluate": net.evaluate(each, y)["loss"]}
        net.fit(each, y, epochs=2, batch_size=4, validation_data=(each, y), verbose=0)
        net.fit(each, y, validation_split=0.5, verbose=0)
        results.append(found | training_state(net))
    assert_same_bits(results[0], results[1])
    assert results[0]["predict"].shape == (6, 1)


def test_as_many_numbers_as_features_are_one_sample_of_a_prediction(dtype: str) -> None:
    net = model(dtype=dtype)
    rows = net.predict(X)
    for make in (np.asarray, np.ndarray.tolist, lambda x: x.astype("float64"), *LAYOUTS.values()):
        found = net.predict(make(X[2].astype(dtype)))
        assert_same_bits(found, net.predict(X[2:3].astype(dtype))[0])
        assert found.shape == (CLASSES,)
    assert_same_bits(net.predict(X[2]), rows[2])
    assert_same_bits(net.predict_proba(X[2]), net.predict_proba(X[2:3])[0])
    assert net.predict_classes(X[2]) == net.predict_classes(X[2:3])[0]
    image = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    assert_same_bits(image.predict([1, 2, 3, 4]), image.predict([[[1, 2], [3, 4]]])[0])


def test_the_prediction_of_one_sample_goes_into_an_array_of_one() -> None:
    net = model()
    out = np.empty(CLASSES, "float32")
    assert net.predict(X[2], out=out) is out
    assert_same_bits(out, net.predict(X[2]))
    square = nn.Sequential(nn.Linear(3, 3))
    x = X[1].astype("float32")
    expected = square.predict(x)
    assert square.predict(x, out=x) is x  # in its place
    assert_same_bits(x, expected)
    for given, wrong, message in (
        (X[2], np.empty((1, CLASSES), "float32"), r"out has shape (1, 4) but the result is (4,); give that shape"),
        (X[2:3], np.empty(CLASSES, "float32"), r"out has shape (4,) but the result is (1, 4); give that shape"),
        (
            X[2],
            np.empty(8, "float32")[::2],
            r"must be writeable, C-contiguous and aligned; make it with numpy.empty((4,)",
        ),
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            net.predict(given, out=wrong)
    with pytest.raises(
        TypeError, match=re.escape('out must be an ndarray of float32; make it with numpy.empty((4,), "f')
    ):
        net.predict(X[2], out=[0.0] * CLASSES)  # type: ignore[arg-type]


def test_one_sample_is_checked_as_rows_are() -> None:
    net = model()
    message = r"\[predict\] X has 1 value that is NaN or infinite, the first nan at 1; remove"
    with pytest.raises(ValueError, match=message):
        net.predict([1.0, np.nan, 2.0])
    assert np.isnan(net.predict([1.0, np.nan, 2.0], check=False)).all()
    assert_same_bits(net.predict(X[0], scale=0.5), net.predict(X[:1], scale=0.5)[0])
    with pytest.raises(ValueError, match=r"X has shape \(3,\); samples must be rows of a 2-D array"):
        nn.Sequential(nn.Tanh()).predict([1.0, 2.0, 3.0])  # which takes any number of features


@pytest.mark.parametrize("door", ["fit", "validation_data", "evaluate", "forward", "loss_and_grads"])
def test_one_sample_is_a_row_everywhere_else(door: str) -> None:
    operation, call = AS_X[door]
    cure = "X has shape (3,); samples must be rows of a 2-D array: for one sample use reshape(1, -1)"
    refuse(model(), call, X[0], ValueError, f"[{operation}] {cure}")


def test_the_gradient_given_to_backward() -> None:
    net = model()
    for shape in ((5, CLASSES), (N, 3)):
        net.forward(X)
        message = (
            f"[backward] dY has {shape[0]} samples of shape ({shape[1]},) but the output had 6 of shape (4,); give the "
            "gradient of the last forward's output"
        )
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
