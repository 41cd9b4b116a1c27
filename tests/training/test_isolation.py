"""A prediction depends on its row and the weights alone, and no training on what was computed before it."""

import math
import threading
from typing import Any

import numpy as np
import pytest

import nnext as nn
from internals import training_state
from pins import hidden, labels, ten, uniform
from support import assert_same_bits

ROWS = 530
# No tanh or sigmoid, which make finite numbers of infinite ones.
NETWORKS: dict[str, list[nn.Layer]] = {
    "tiny": ten(),
    "layered": [*hidden()[:-1], nn.LeakyReLU(0.1), nn.Linear(40, 10)],
    "batch_norm": [
        nn.BatchNorm1d(65), nn.Linear(65, 131), nn.BatchNorm1d(131), nn.LeakyReLU(0.1),
        nn.Residual(nn.Linear(131, 40), nn.ReLU(), nn.Dropout(0.2), nn.Linear(40, 131), nn.BatchNorm1d(131)),
        nn.Linear(131, 10),
    ],
    "wide": [nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10), nn.Softmax()],
    "images": [
        nn.Conv2d(2, 18, 3, padding=1), nn.BatchNorm2d(18), nn.ReLU(),
        nn.Branches([nn.Conv2d(18, 6, 3, padding=1, groups=3)], [nn.MaxPool2d(3, 1, 1), nn.Dropout(0.3)]),
        nn.AvgPool2d(2), nn.Flatten(), nn.Linear(288, 10),
    ],
    "steps": [
        nn.Linear(5, 20), nn.LayerNorm(20), nn.Branches([nn.ReLU()], [nn.Linear(20, 20)], join="add"), nn.Flatten(),
        nn.Linear(140, 10),
    ],
    "noise": [
        nn.GaussianNoise(0.1), nn.Linear(65, 40), nn.PReLU(40), nn.RMSNorm(40), nn.Reshape(2, 4, 5), nn.PReLU(),
        nn.AlphaDropout(0.2), nn.Conv2d(2, 6, 3), nn.PReLU(6), nn.Reshape(-1), nn.Linear(36, 10), nn.LogSoftmax(),
    ],
}  # fmt: skip
SHAPES = {"images": (2, 6, 9), "steps": (7, 5)}  # of a sample; features for others
THREADS = (1, 2, 3, 8)


@pytest.fixture(params=NETWORKS)
def model(request: pytest.FixtureRequest, isa: str) -> nn.Sequential:
    """Each network on each instruction set."""
    return make(request.param)


def make(network: str) -> nn.Sequential:
    model = nn.Sequential(*NETWORKS[network], seed=7, input_shape=SHAPES.get(network))
    model.compile(loss="cross_entropy", optimizer=nn.Adam(lr=1e-4))
    return model


def samples(model: nn.Sequential) -> np.ndarray:
    shape = model.input_shape or ()
    return uniform(1, ROWS, math.prod(shape)).reshape(ROWS, *shape)


# ---- Predictions ----------------------------------------------------------------------------------------------------


def test_a_row_alone_has_the_bits_that_it_has_among_others(model: nn.Sequential) -> None:
    X, predictor = samples(model), model.compile_inference()
    expected = model.predict(X)
    for i in (0, 1, 2, 3, 17, 128, ROWS - 1):
        assert_same_bits(model.predict(X[i : i + 1])[0], expected[i])
        assert_same_bits(predictor(X[i]), expected[i])
    for threads in THREADS:
        with nn.runtime.threads(threads):
            assert_same_bits(model.predict(X), expected)
            for first, last in ((0, 2), (3, 20), (1, 131), (100, ROWS)):
                assert_same_bits(model.predict(X[first:last]), expected[first:last])
                assert_same_bits(predictor(X[first:last]), expected[first:last])


def test_neighbours_that_are_nan_or_infinite_change_nothing(model: nn.Sequential) -> None:
    X = samples(model)
    expected, spoilt = model.predict(X), X.copy()
    good = np.arange(ROWS) % 3 == 1
    spoilt[::3], spoilt[2::3] = np.nan, np.inf
    for threads in THREADS:
        with nn.runtime.threads(threads):
            assert_same_bits(model.predict(spoilt, check=False)[good], expected[good])
            assert_same_bits(model.compile_inference()(spoilt)[good], expected[good])


def test_predictions_of_nan_leave_nothing_behind(model: nn.Sequential) -> None:
    X, predictor = samples(model), model.compile_inference()
    expected, nothing = model.predict(X), np.full_like(X, np.nan)
    for threads in THREADS:
        with nn.runtime.threads(threads):
            for rows in (1, 7, ROWS):
                assert np.isnan(model.predict(nothing[:rows], check=False)).all()
                assert np.isnan(predictor(nothing[:rows])).all()
                assert_same_bits(model.predict(X[:rows]), expected[:rows])
                assert_same_bits(predictor(X[0]), expected[0])


@pytest.mark.parametrize("threads", THREADS)
def test_a_fit_in_another_thread_changes_no_prediction(model: nn.Sequential, threads: int) -> None:
    X, y = samples(model), labels(2, ROWS, 10)
    model.compile(loss="cross_entropy", optimizer=nn.SGD(lr=0.0))  # so that the weights stay, and statistics
    model.freeze(*(name.rpartition(".")[0] for name in model.state_dict() if name.endswith("running_mean")))
    expected = model.predict(X)
    begun, errors = threading.Event(), []

    def fit() -> None:
        begin = nn.LambdaCallback(on_epoch_begin=lambda epoch, logs: begun.set())
        try:
            model.fit(X, y, epochs=1_000_000, batch_size=64, callbacks=[begin], verbose=0)
        except BaseException as error:
            errors.append(error)

    with nn.runtime.threads(threads):
        thread = threading.Thread(target=fit)
        thread.start()
        begun.wait()
        for _ in range(10):
            assert_same_bits(model.predict(X), expected)
            assert_same_bits(model.predict(X[5:6]), expected[5:6])
        assert thread.is_alive()
        model.stop_training = True
        thread.join()
    assert not errors


# ---- Training -------------------------------------------------------------------------------------------------------


def spoil(model: nn.Sequential) -> None:
    """Fill whatever the model computes in with numbers that are infinite or NaN, without a step."""
    huge, y = np.copysign(np.float32(3e38), samples(model)), labels(2, ROWS, 10)
    model.predict(np.full_like(huge, np.nan), check=False)
    model.evaluate(huge, y)
    outputs = model.forward(huge)
    model.backward(np.full_like(outputs, 3e38))
    _, grads = model.loss_and_grads(huge, y)
    assert all(np.isnan(values).any() for values in (outputs, *grads.values()))


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("network", NETWORKS)
def test_training_after_nan_has_the_bits_of_training_without(isa: str, network: str, threads: int) -> None:
    spoilt, clean = make(network), make(network)
    X, y = samples(clean), labels(2, ROWS, 10)
    seen: list[dict[str, Any]] = []
    with nn.runtime.threads(threads):
        for model in (spoilt, clean):
            losses = []
            for _ in range(2):
                if model is spoilt:
                    spoil(model)
                losses += model.fit(X, y, batch_size=200, verbose=0).history["loss"]
                if model is spoilt:
                    spoil(model)
                loss, grads = model.loss_and_grads(X[:100], y[:100])
                model.step()
            seen.append(training_state(model) | grads | {"losses": np.array([*losses, loss])})
    assert_same_bits(seen[0], seen[1])
