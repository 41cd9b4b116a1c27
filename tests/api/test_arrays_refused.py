"""The one door for arrays, values that are refused: the error names operation, value and cure, nothing has changed."""

import numpy as np
import pytest

import nnext as nn
from doors import AS_WEIGHT, AS_X, AS_Y, CLASSES, FEATURES, LABELS, ROWS, N, X, changed, model, refuse

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
