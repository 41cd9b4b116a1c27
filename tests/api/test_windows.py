"""Windows of time series: what is in them, that nothing is copied, and what is refused."""

from typing import Any

import numpy as np
import pytest

import nnext as nn
from nnext import datasets
from support import assert_same_bits

SERIES = {
    "numbers": np.arange(20.0),
    "one feature": np.arange(20.0)[:, None],
    "features": np.arange(60).reshape(20, 3),
    "backwards": np.arange(60, dtype=np.float32).reshape(20, 3)[::-1],
    "columns of others": np.arange(80, dtype=np.uint8).reshape(20, 4)[:, 1:3],
    "a column-major array": np.asfortranarray(np.arange(60.0).reshape(20, 3)),
}


@pytest.mark.parametrize("name", SERIES)
@pytest.mark.parametrize(
    ("width", "horizon", "step", "n"),
    [(3, 1, 1, 17), (1, 1, 1, 19), (4, 3, 3, 5), (4, 4, 3, 5), (4, 5, 3, 4), (12, 8, 1, 1), (5, 1, 99, 1)],
)  # fmt: skip
def test_windows_are_those_of_their_definition(name: str, width: int, horizon: int, step: int, n: int) -> None:
    series = SERIES[name]
    X, y = datasets.windows(series, width, horizon, step=step)
    of_features = series if series.ndim == 2 else series[:, None]
    assert (len(X), len(y)) == (n, n)
    for i, (window, target) in enumerate(zip(X, y, strict=True)):
        assert_same_bits(window, of_features[i * step : i * step + width])
        assert_same_bits(target, series[i * step + width : i * step + width + horizon])


@pytest.mark.parametrize("name", SERIES)
def test_nothing_is_copied_and_nothing_can_be_written(name: str) -> None:
    series = SERIES[name].copy()
    for part in datasets.windows(series, 3, 2, step=2):
        assert np.shares_memory(part, series)
        with pytest.raises(ValueError, match="read-only"):
            part[0, 0] = 1
    series[4:] += 1
    X, y = datasets.windows(series, 3, 2, step=2)
    before = X.copy(), y.copy()
    series += 1
    np.testing.assert_array_equal(X, before[0] + 1)
    np.testing.assert_array_equal(y, before[1] + 1)
    series.flags.writeable = False
    datasets.windows(series, 3)


def test_a_long_series_has_many_windows_at_once() -> None:
    """10^11 numbers, were they copied."""
    X, y = datasets.windows(np.zeros(1_000_000), 100_000, 10)
    assert (X.shape, y.shape) == ((899_991, 100_000, 1), (899_991, 10))


def test_lists_and_numbers_of_other_types_are_taken() -> None:
    for series in ([1, 2, 3], (1.0, 2.0, 3.0), [True, False, True], np.arange(3, dtype=np.float16), range(3)):
        X, y = datasets.windows(series, 2)
        np.testing.assert_array_equal(X, np.asarray(series)[None, :2, None])
        np.testing.assert_array_equal(y, np.asarray(series)[None, 2:])


def test_a_network_learns_from_the_view_as_from_a_copy() -> None:
    series = np.sin(np.arange(200) / 5).astype(np.float32)
    X, y = datasets.windows(series, 8, 2)
    states = []
    for inputs, targets in ((X, y), (X.copy(), y.copy())):
        model = nn.Sequential(nn.Flatten(), nn.Linear(8, 2))
        model.compile(loss="mse", optimizer=nn.Adam(lr=0.01))
        history = model.fit(inputs, targets, epochs=20, verbose=0)
        assert history["loss"][-1] < 0.1 * history["loss"][0]
        states.append(model.state_dict() | {"predictions": model.predict(inputs)})
    assert_same_bits(*states)


@pytest.mark.parametrize(
    ("series", "settings", "error", "message"),
    [
        (np.ones(5), {"width": 5}, ValueError, "series has 5 points but a window of 5 and its target of 1 need 6"),
        (np.ones((5, 2)), {"width": 2, "horizon": 4}, ValueError, "series has 5 .* need 6; give a longer series, or"),
        (np.ones(0), {"width": 1}, ValueError, "series has 0 points but a window of 1 and its target of 1 need 2"),
        (np.ones(5), {"width": 0}, ValueError, "width is 0; give a whole number from 1"),
        (np.ones(5), {"width": 2, "horizon": 0}, ValueError, "horizon is 0; give a whole number from 1"),
        (np.ones(5), {"width": 2, "step": -1}, ValueError, "step is -1; give a whole number from 1"),
        (np.ones(5), {"width": 2.0}, TypeError, "width is 2.0; give a whole number"),
        (np.ones(5), {"width": True}, TypeError, "width is True; give a whole number"),
        (np.ones((5, 2, 2)), {"width": 2}, ValueError, r"series has shape \(5, 2, 2\); give one of shape \(time,\) or"),
        (np.ones((5, 0)), {"width": 2}, ValueError, r"series has shape \(5, 0\); give one of shape"),
        (3.0, {"width": 2}, ValueError, r"series has shape \(\); give one of shape"),
        (["a", "b", "c"], {"width": 2}, TypeError, "series has dtype <U1; give an array of real numbers"),
        (np.ones(5, complex), {"width": 2}, TypeError, "series has dtype complex128; give an array of real numbers"),
        ([[1, 2], [3]], {"width": 1}, TypeError, "series has dtype object; give an array of real numbers"),
        (None, {"width": 1}, TypeError, "series has dtype object; give an array of real numbers"),
        (np.ones(5), {"width": 2, "stride": 2}, TypeError, "unknown argument 'stride'; use step"),
        (np.ones(5), {}, TypeError, r"width is missing; write windows\(series, width"),
    ],
)  # fmt: skip
def test_what_has_no_windows_is_refused(series: Any, settings: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=rf"^\[windows\] {message}"):
        datasets.windows(series, **settings)
