"""What counts in a fit: weights of 0, weights of classes, and the rows that are held out."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nnext as nn
from internals import training_state
from support import assert_same_bits, unchanged

N, K = 18, 3
LAYERS = [nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Tanh(), nn.Dropout(0.2), nn.Linear(5, K)]

# What may stand in a row that counts for nothing.
RUBBISH: dict[str, Callable[[np.ndarray, Any], tuple[np.ndarray, Any]]] = {
    "nan in X": lambda X, y: (np.full_like(X, np.nan), y),
    "infinite X": lambda X, y: (np.full_like(X, np.inf), y),
    "large X": lambda X, y: (np.full_like(X, 1e300), y),
    "no class": lambda X, y: (X, np.full_like(y, -1)),
    "nan in y": lambda X, y: (X, np.full_like(y, np.nan, dtype=float)),
    "large y": lambda X, y: (X, np.full_like(y, 1e300, dtype=float)),
}
LOSSES = {"cross_entropy": (N,), "mse": (N, K), "bce_with_logits": (N, K)}


def network(loss: str, **settings: Any) -> nn.Sequential:
    model = nn.Sequential(*LAYERS, seed=3)
    model.compile(loss, nn.Adam(lr=0.01), **settings)
    return model


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("rubbish", RUBBISH)
@pytest.mark.parametrize("batch_size", [4, N])
def test_a_sample_of_weight_0_counts_for_nothing(
    rng: np.random.Generator, loss: str, rubbish: str, batch_size: int
) -> None:
    """Whatever stands in its row, also for the statistics of a batch, validation, metrics, evaluate and gradients."""
    X, y = rng.normal(size=(N, 4)), rng.integers(2, size=LOSSES[loss])
    weight = rng.integers(1, 4, size=N).astype(float)
    weight[[0, 7, 8, N - 1]] = 0
    kept = weight > 0
    dirty_X, dirty_y = X.copy(), y.astype(float)
    dirty_X[~kept], dirty_y[~kept] = RUBBISH[rubbish](X[~kept], y[~kept])
    own = [] if loss == "mse" else ["accuracy"]
    clean, dirty = network(loss, metrics=own), network(loss, metrics=own)
    options = {"epochs": 3, "batch_size": batch_size, "verbose": 0}
    expected = clean.fit(
        X[kept], y[kept], sample_weight=weight[kept], validation_data=(X[kept], y[kept], weight[kept]), **options
    )
    given = (dirty_X, dirty_y, weight)
    history = dirty.fit(dirty_X, dirty_y, sample_weight=weight, validation_data=given, **options)
    assert history.history == expected.history
    assert_same_bits(training_state(dirty), training_state(clean))
    scores = dirty.evaluate(dirty_X, dirty_y, sample_weight=weight)
    assert scores == clean.evaluate(X[kept], y[kept], sample_weight=weight[kept])
    loss_value, grads = dirty.loss_and_grads(*given)
    wanted, wanted_grads = clean.loss_and_grads(X[kept], y[kept], weight[kept])
    assert loss_value == wanted
    assert_same_bits(grads, wanted_grads)


def test_a_class_of_weight_0_counts_for_nothing(rng: np.random.Generator) -> None:
    X, y = rng.normal(size=(N, 4)), np.arange(N) % K
    ones, none = network("cross_entropy"), network("cross_entropy")
    history = none.fit(np.where(y[:, None] == 2, np.nan, X), y, class_weight={2: 0.0}, verbose=0).history
    assert history == ones.fit(X[y != 2], y[y != 2], class_weight={0: 1.0}, verbose=0).history
    assert_same_bits(training_state(none), training_state(ones))


@pytest.mark.parametrize("held", [0.25, 0.5])
def test_rows_are_held_out_before_weights_are_looked_at(rng: np.random.Generator, held: float) -> None:
    X, y, weight = rng.normal(size=(N, 4)), np.arange(N) % K, rng.integers(0, 2, size=N)
    model = network("cross_entropy")
    rows = model.fit(X, y, sample_weight=weight, validation_split=held, verbose=0).validation_rows
    assert_same_bits(rows, network("cross_entropy").fit(X, y, validation_split=held, verbose=0).validation_rows)


@pytest.mark.parametrize(
    ("y", "keys", "wrong"),
    [
        (np.arange(N) % K, {0: 2.0, 1: 1.0}, [{"0": 2.0}, {3: 1.0}, {-1: 1.0}, {0.5: 1.0}, {None: 1.0}, {(0,): 1.0}]),
        (np.eye(K)[np.arange(N) % K], {0: 2.0, 2: 3}, [{"0": 2.0}, {3: 1.0}]),
        (np.arange(N) % K > 1, {True: 2.0, False: 1}, [{"True": 2.0}]),
    ],
)
def test_weights_are_for_classes_that_there_are(y: np.ndarray, keys: Any, wrong: list[Any]) -> None:
    X = np.random.default_rng(0).normal(size=(N, 4))
    labels = (y.argmax(axis=1) if y.ndim == 2 else y).astype(int)
    by_class, by_sample = network("cross_entropy"), network("cross_entropy")
    weight = np.array([keys.get(label, 1.0) for label in labels.tolist()])
    history = by_class.fit(X, y, class_weight=keys, verbose=0).history
    assert history == by_sample.fit(X, y, sample_weight=weight, verbose=0).history
    for class_weight in wrong:
        with (
            unchanged(by_class),
            pytest.raises(ValueError, match=r"\[fit\] class_weight has the key .*, which is no cl"),
        ):
            by_class.fit(X, y, class_weight=class_weight, verbose=0)


def test_weights_of_classes_are_not_for_several_labels(rng: np.random.Generator) -> None:
    X, y = rng.normal(size=(N, 4)), rng.integers(2, size=(N, K))
    y[0] = 1
    model = network("bce_with_logits")
    for class_weight in ({0: 1.0, 1: 2.0}, "balanced"):
        with (
            unchanged(model),
            pytest.raises(ValueError, match=r"these have 3 labels; give sample_weight of shape \(n, 3"),
        ):
            model.fit(X, y, class_weight=class_weight, verbose=0)


# ---- The factor on X ------------------------------------------------------------------------------------------------

ASK: dict[str, Callable[..., Any]] = {
    "predict": lambda model, X, y, **more: model.predict(X, **more),
    "predict_proba": lambda model, X, y, **more: model.predict_proba(X, **more),
    "predict_classes": lambda model, X, y, **more: model.predict_classes(X, **more),
    "evaluate": lambda model, X, y, **more: model.evaluate(X, y, **more),
    "forward": lambda model, X, y, **more: model.forward(X, **more),
    "loss_and_grads": lambda model, X, y, **more: model.loss_and_grads(X, y, **more),
    "fit": lambda model, X, y, **more: model.fit(X, y, verbose=0, **more),
}


@pytest.mark.parametrize("operation", ASK)
def test_a_forgotten_scale_is_told(rng: np.random.Generator, operation: str) -> None:
    X, y = rng.integers(0, 256, size=(N, 4), dtype="uint8"), np.arange(N) % K
    model = network("cross_entropy")
    ASK[operation](model, X, y)  # never fitted with one
    model.fit(X, y, scale=1 / 255, verbose=0)
    for given in (1 / 255, 1.0):
        ASK[operation](model, X, y, scale=given)
        model.fit(X, y, scale=1 / 255, verbose=0)
    with pytest.warns(UserWarning, match=rf"\[{operation}\] the model was fitted with scale=0.00392157, but none is"):
        ASK[operation](model, X, y)


def test_the_reference_leaves_them_out_too(rng: np.random.Generator) -> None:
    X, y = rng.normal(size=(N, 4)), np.arange(N) % K
    weight = rng.integers(0, 3, size=N)
    model = nn.MLP([4, 5, K], activation="tanh", dtype="float64")
    model.compile("cross_entropy", nn.SGD(lr=0.1))
    twin = nn.reference.Network.from_model(model, "cross_entropy", nn.reference.SGD(lr=0.1))
    options: dict[str, Any] = {"epochs": 3, "batch_size": 4, "sample_weight": weight}
    history = model.fit(X, y, verbose=0, **options).history
    np.testing.assert_allclose(history["loss"], twin.fit(X, y, **options)["loss"], rtol=1e-12)
    for name, values in twin.state_dict().items():
        np.testing.assert_allclose(model.state_dict()[name], values, rtol=1e-11)


def test_validation_split_takes_of_each_class_its_share(rng: np.random.Generator) -> None:
    X, y = rng.normal(size=(60, 4)), np.repeat([0, 1, 2], [40, 15, 5])
    for seed in range(5):
        model = nn.Sequential(nn.Linear(4, K), seed=seed)
        model.compile("cross_entropy")
        with pytest.warns(UserWarning, match="the last 12 rows have classes that no other row has"):
            history = model.fit(X, y, validation_split=0.2, verbose=0)
        assert history.validation_rows is not None
        assert np.bincount(y[history.validation_rows]).tolist() == [8, 3, 1]
