"""One decision: whatever says what a network decides says the same, or the combination is refused with the cure."""

import itertools
from typing import Any

import numpy as np
import pytest

import nnext as nn
from activation_cases import ACTIVATIONS
from cases import LOSSES
from support import unchanged

N, FEATURES = 40, 3
LASTS: dict[str, list[nn.Layer]] = {name: [case.layer] for name, case in ACTIVATIONS.items()} | {
    "nothing": [],
    "softmax": [nn.Softmax()],
    "log_softmax": [nn.LogSoftmax()],
    "sigmoid and identity": [nn.Sigmoid(), nn.Identity()],
    "dropout": [nn.Dropout(0.5)],
    "residual": [nn.Residual(nn.Sigmoid())],
    "two softmax": [nn.Softmax(), nn.Identity(), nn.Softmax()],
    "its log": [nn.Softmax(), nn.LogSoftmax()],
    "hardtanh from 0 to 1": [nn.Hardtanh(0, 1)],
}
NAMES = [*sorted({case.name for case in LOSSES.values()}), "own"]
COMBINATIONS = list(itertools.product(LASTS, NAMES, (1, 2, 5)))

# What cannot work together, and what the message must name.
REFUSED = {
    ("sigmoid", "bce_with_logits"): "leave Sigmoid away, or use loss='bce'",
    ("sigmoid", "cross_entropy"): r"use Softmax\(\) in its place",
    ("softmax", "bce_with_logits"): "leave Softmax away",
    ("log_softmax", "bce_with_logits"): "gives none above 0, so never a probability above 1/2; leave LogSoftmax away",
    ("log_softmax", "bce"): r"LogSoftmax gives numbers in \(-inf, 0\); end the network with Sigmoid\(\)",
    ("relu", "bce_with_logits"): "leave ReLU away",
    ("nothing", "bce"): r"end the network with Sigmoid\(\), or use loss='bce_with_logits'",
    ("softplus", "bce_with_logits"): "leave Softplus away",
    ("hardtanh from 0 to 1", "cross_entropy"): r"numbers in \(0, 1\), which it would squash again",
    ("hardtanh", "bce"): r"Hardtanh gives numbers in \(-0.5, 2\)",
    ("relu", "bce"): r"end the network with Sigmoid\(\)",
    ("tanh", "bce"): r"end the network with Sigmoid\(\)",
    ("dropout", "bce"): r"end the network with Sigmoid\(\)",
    ("residual", "bce"): r"end the network with Sigmoid\(\)",
}


def own_loss(p: np.ndarray, t: np.ndarray) -> tuple[float, np.ndarray]:
    return float((p**2).mean()), 2 * p / p.size


def network(last: str, k: int, seed: int = 0) -> nn.Sequential:
    return nn.Sequential(nn.Linear(FEATURES, k), *LASTS[last], dtype="float64", seed=seed)


def compiled(last: str, loss: str, k: int, **settings: Any) -> nn.Sequential | None:
    """Return the network, or None where the combination is refused."""
    model = network(last, k)
    try:
        model.compile(own_loss if loss == "own" else loss, nn.SGD(lr=0.1), **settings)
    except ValueError:  # the messages are in the table REFUSED
        return None
    return model


def targets(model: nn.Sequential, loss: str, labels: np.ndarray, exclusive: bool) -> np.ndarray:
    """Return what the loss takes for those labels."""
    k = model.decision.outputs
    if k == 1:
        return np.where(labels % 2 == 0, *model.decision.pair)
    if loss in ("cross_entropy", "own"):
        return labels
    one_hot = np.eye(k)[labels]
    return (
        one_hot
        if exclusive or "softmax" in model.decision.why.lower()
        else np.maximum(one_hot, np.eye(k)[(labels * 2 + 1) % k])
    )


@pytest.mark.parametrize(("last", "loss", "k"), COMBINATIONS)
@pytest.mark.parametrize("exclusive", [True, False])
@pytest.mark.parametrize("fits", [True, False])
def test_all_say_the_same(last: str, loss: str, k: int, exclusive: bool, fits: bool, rng: np.random.Generator) -> None:
    model = compiled(last, loss, k, metrics=["accuracy"])
    if model is None:
        return
    X, labels = rng.normal(size=(N, FEATURES)), rng.integers(k if k > 1 else 2, size=N)
    y = targets(model, loss, labels, exclusive)
    if fits:
        history = model.fit(X, y, validation_data=(X, y), shuffle=False, verbose=0)
        assert history.history["val_accuracy"] == [model.evaluate(X, y)["accuracy"]]
    accuracy = model.evaluate(X, y)["accuracy"]
    classes = model.predict_classes(X)
    assert classes.shape == (y.shape if y.shape == classes.shape else (N,))
    right = classes == (y if classes.ndim == y.ndim else labels)
    assert accuracy == right.mean()
    decision = model.decision
    assert (decision.kind == "labels") == (classes.ndim == 2)
    if decision.probability is None:
        with pytest.raises(ValueError, match=r"\[predict_proba\] the network's output is no probability"):
            model.predict_proba(X)
        return
    probabilities = model.predict_proba(X)
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    if classes.ndim == 1:
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-12)
        assert (np.asarray(decision.names)[probabilities.argmax(axis=1)] == classes).all()
    else:
        assert ((probabilities > 0.5) == classes).all()


@pytest.mark.parametrize(("last", "loss"), REFUSED)
@pytest.mark.parametrize("k", [1, 3])
def test_what_cannot_work_together_is_refused(last: str, loss: str, k: int) -> None:
    model = network(last, k)
    message = "cross_entropy needs an output for each" if (loss, k) == ("cross_entropy", 1) else REFUSED[last, loss]
    if "softmax" in last and k == 1:
        message = "Softmax over one output is always [01]"
    with unchanged(model), pytest.raises(ValueError, match=rf"\[compile\] .*{message}"):
        model.compile(loss)


@pytest.mark.parametrize("loss", [*NAMES[:-1], own_loss])
def test_softmax_that_does_nothing_is_refused_whatever_the_loss(loss: Any) -> None:
    for last, k, message in (
        ("softmax", 1, "always 1"), ("log_softmax", 1, "always 0"),
        ("two softmax", 3, "leave one away"), ("its log", 3, "are Softmax and LogSoftmax; leave one away"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            network(last, k).compile(loss)
    model = nn.Sequential(nn.Softmax(), nn.Linear(3, 2), nn.Softmax())  # the first is an ordinary layer
    if loss != "bce_with_logits":
        model.compile(loss)


@pytest.mark.parametrize("loss", ["mse", "huber"])
@pytest.mark.parametrize("k", [1, 3])
def test_numbers_are_no_classes(loss: str, k: int, rng: np.random.Generator) -> None:
    model = network("nothing", k)
    model.compile(loss, metrics=["mae", "r2"])
    assert model.decision.kind == "numbers"
    X, y = rng.normal(size=(N, FEATURES)), rng.normal(size=(N, k))
    for ask in (model.predict_classes, model.predict_proba):
        with pytest.raises(ValueError, match=rf"the network gives numbers \(loss '{loss}' after Linear\)"):
            ask(X)
    with (
        unchanged(model),
        pytest.raises(ValueError, match=r"\[fit\] class_weight needs classes, but the network gives"),
    ):
        model.fit(X, y, class_weight="balanced", verbose=0)
    for metric in ("accuracy", "f1", "roc_auc"):
        with unchanged(model), pytest.raises(ValueError, match=rf"metric '{metric}' compares classes, but"):
            model.compile(loss, metrics=["mae", metric])
    assert model.evaluate(X, y)["mae"] == pytest.approx(np.abs(model.predict(X) - y).mean(), rel=1e-12)


def test_targets_decide_whether_labels_are_exclusive(rng: np.random.Generator) -> None:
    X, labels = rng.normal(size=(N, FEATURES)), rng.integers(4, size=N)
    one_hot = np.eye(4)[labels]
    several = np.maximum(one_hot, one_hot[::-1])
    model = network("sigmoid", 4)
    model.compile("bce", metrics=["accuracy"])
    assert model.predict_classes(X).shape == (N, 4)  # nothing seen: labels of their own
    model.fit(X, one_hot, verbose=0)
    assert model.decision.kind == "classes"
    with unchanged(model), pytest.raises(ValueError, match=r"\[.*\] y has rows with several labels or none"):
        model.evaluate(X, several)
    model.fit(X, several, verbose=0)
    assert model.decision.kind == "labels"
    model.fit(X, one_hot, verbose=0)  # all targets so far were not exclusive
    assert model.predict_classes(X).shape == (N, 4)
    model.compile("bce")
    assert model.predict_classes(X).shape == (N, 4)


@pytest.mark.parametrize(("pair", "other"), [((-1, 1), 0), ((0, 1), 2)])
def test_a_tanh_decides_between_what_the_targets_are(pair: tuple[int, int], other: int) -> None:
    X = np.linspace(-1, 1, N)[:, None]
    y = np.where(X[:, 0] < 0, *pair)
    model = nn.Sequential(nn.Linear(1, 1), nn.Tanh())
    model.compile("mse", nn.Adam(lr=0.1), metrics=["accuracy", "f1"])
    model.fit(X, y, epochs=60, verbose=0)
    assert model.decision.pair == pair
    assert set(model.predict_classes(X).tolist()) == set(pair)
    assert model.evaluate(X, y)["accuracy"] == (model.predict_classes(X) == y).mean() > 0.9
    with unchanged(model), pytest.raises(ValueError, match=rf"y has {other} at \(0,\), which is no class"):
        model.fit(X, np.full(N, other), verbose=0)


def test_one_sample_has_one_decision() -> None:
    for model, y in ((network("sigmoid", 1), 1), (network("nothing", 3), 3)):
        x = np.array([0.3, -0.1, 2.0])
        assert model.predict(x).shape == (y,)
        assert model.predict_proba(x).shape == (max(2, y),)
        assert model.predict_classes(x).shape == ()
        assert model.predict_classes(x) == model.predict_classes(x[None])[0]
