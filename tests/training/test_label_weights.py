"""A weight for each output of a sample, where the loss is a mean over outputs."""

from typing import Any

import numpy as np
import pytest

import nnext as nn
from internals import training_state
from loss_cases import LOSSES, LossCase
from nnext import functional, reference
from support import assert_same_bits, unchanged
from tolerance import assert_relative, assert_within, eps

CASES = {name: case for name, case in LOSSES.items() if case.is_mean}
N, K = 23, 3

# layers before the last, samples, batch: what trains in a kernel of its own, as phases of rows, with the first layer
# split by features (of float32 weights, 1,024 outputs are 16 panels or more), and in steps that can be interrupted.
WAYS: dict[str, tuple[list[nn.Layer], int, int]] = {
    "tiny": ([nn.Linear(4, 5), nn.Tanh()], N, 5),
    "rows": ([nn.Linear(65, 131), nn.Tanh(), nn.Linear(131, 40), nn.Tanh()], 500, 240),
    "features": ([nn.Linear(30, 1024), nn.Tanh()], 150, 100),
    "long": ([nn.Linear(300, 300), nn.Tanh()], 900, 500),
}


def build(case: LossCase, hidden: list[nn.Layer], dtype: str = "float64", outputs: int = K) -> nn.Sequential:
    last = case.last_layer or (nn.Sigmoid() if case.name == "bce" else None)
    width = [layer for layer in hidden if isinstance(layer, nn.Linear)][-1].out_features
    tail = [] if last is None else [last]
    model = nn.Sequential(*hidden, nn.Linear(width, outputs), *tail, seed=3, dtype=dtype)
    model.compile(loss=case.make(), optimizer=nn.SGD(lr=0.1))
    return model


def weights(rng: np.random.Generator, rows: int) -> np.ndarray:
    """Return a weight for each output, of which a third counts nothing, but no whole row: fit would leave that out."""
    drawn = rng.uniform(0, 3, size=(rows, K))
    drawn[rng.integers(3, size=drawn.shape) == 0] = 0
    drawn[np.arange(rows), rng.integers(K, size=rows)] += 0.5
    return drawn


def data(case: LossCase, way: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    hidden, rows, _ = WAYS[way]
    assert isinstance(hidden[0], nn.Linear)
    return rng.normal(size=(rows, hidden[0].in_features)), case.targets(rng, rows, K), weights(rng, rows)


# ---- One batch ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_a_loss_and_its_gradient_are_the_references(isa: str, dtype: str, rng: np.random.Generator, name: str) -> None:
    case = CASES[name]
    for rows, outputs in ((1, 1), (1, 7), (N, 1), (N, K), (50, 33)):
        p, y = case.predictions(rng, rows, outputs).astype(dtype), case.targets(rng, rows, outputs).astype(dtype)
        w = rng.uniform(0, 3, size=(rows, outputs))
        for end in ("", "_grad"):
            found = getattr(functional, case.name + end)(p, y, w, **case.arguments)
            expected = getattr(reference, case.name + end)(p.astype("float64"), y, w, **case.arguments)
            assert_relative(found, expected, 100 * eps(dtype))


@pytest.mark.parametrize("name", CASES)
def test_the_references_is_this_formula(rng: np.random.Generator, name: str) -> None:
    """Sum of w l over sum of w, with each l as the loss of that output alone."""
    case = CASES[name]
    p, y, w = case.predictions(rng, N, K), case.targets(rng, N, K), weights(rng, N)
    loss, gradient = (getattr(reference, case.name + end) for end in ("", "_grad"))
    total, slopes = 0.0, np.zeros((N, K))
    for at in np.ndindex(N, K):
        total += w[at] * loss([p[at]], [y[at]], **case.arguments)
        slopes[at] = w[at] * gradient([p[at]], [y[at]], **case.arguments)[0]
    assert_relative(loss(p, y, w, **case.arguments), total / w.sum(), 1e-13)
    assert_relative(gradient(p, y, w, **case.arguments), slopes / w.sum(), 1e-13)


@pytest.mark.parametrize("name", CASES)
def test_the_same_weight_for_all_outputs_of_a_sample_is_the_samples(
    dtype: str, rng: np.random.Generator, name: str
) -> None:
    case, w = CASES[name], rng.uniform(0, 3, size=N)
    X, y, _ = data(case, "tiny", rng)
    model = build(case, WAYS["tiny"][0], dtype)
    each = np.repeat(w[:, None], K, axis=1)
    assert_relative(
        model.evaluate(X, y, sample_weight=each)["loss"], model.evaluate(X, y, sample_weight=w)["loss"], 50 * eps(dtype)
    )
    found, expected = (model.loss_and_grads(X, y, sample_weight=weight)[1] for weight in (each, w))
    for path, values in expected.items():
        assert_relative(found[path], values, 200 * eps(dtype))


@pytest.mark.parametrize("name", CASES)
def test_a_label_that_counts_nothing_may_be_anything(rng: np.random.Generator, name: str) -> None:
    """So a data set may have samples of which only some outputs are known."""
    case = CASES[name]
    X, y, w = data(case, "tiny", rng)
    model, twin = (build(case, WAYS["tiny"][0]) for _ in range(2))
    other = np.where(w == 0, 1 - y, y)
    assert (other != y).any()
    for each, targets in ((model, y), (twin, other)):
        each.fit(X, targets, epochs=2, batch_size=5, sample_weight=w, verbose=0)
    assert_same_bits(training_state(model), training_state(twin))
    assert model.evaluate(X, y, sample_weight=w) == model.evaluate(X, other, sample_weight=w)


# ---- A fit ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["mse", "huber_narrow", "bce_after_sigmoid", "bce_with_logits", "gamma", "hinge"])
def test_a_fit_is_the_references_for_any_number_of_threads(
    isa: str, dtype: str, rng: np.random.Generator, name: str, way: str
) -> None:
    case, (hidden, _, batch_size) = CASES[name], WAYS[way]
    X, y, w = data(case, way, rng)
    arguments: dict[str, Any] = {"epochs": 2, "batch_size": batch_size, "sample_weight": w}
    models, losses = [], []
    for threads in (1, 2, 3):
        model = build(case, hidden, dtype)
        with nn.runtime.threads(threads):
            losses.append(model.fit(X, y, **arguments, verbose=0).history["loss"])
            losses[-1].append(model.evaluate(X, y, sample_weight=w)["loss"])
            losses[-1].append(model.loss_and_grads(X, y, sample_weight=w)[0])
        models.append(model)
    for model, recorded in zip(models[1:], losses[1:], strict=True):
        assert_same_bits(training_state(model), training_state(models[0]))
        assert recorded == losses[0]
    network = reference.Network.from_model(build(case, hidden, dtype), case.make(), reference.SGD(lr=0.1))
    expected = network.fit(X, y, **arguments)["loss"]
    expected += [network.evaluate(X, y, w), network.loss_and_grads(X, y, w)[0]]
    assert_relative(losses[0], expected, 1e4 * eps(dtype))
    for path, values in network.state_dict().items():
        assert_relative(models[0].state_dict()[path], values, 1e5 * eps(dtype))


def test_of_a_network_with_one_output_they_are_the_samples(rng: np.random.Generator) -> None:
    X, y, w = rng.normal(size=(N, 4)), rng.normal(size=N), rng.uniform(0, 3, size=N)
    states = []
    for weight in (w, w[:, None]):
        model = build(CASES["mse"], WAYS["tiny"][0], outputs=1)
        model.fit(X, y, batch_size=5, sample_weight=weight, verbose=0)
        states.append(training_state(model))
    assert_same_bits(states[0], states[1])


def test_a_validation_has_its_own(rng: np.random.Generator) -> None:
    X, y, w = data(CASES["mse"], "tiny", rng)
    model = build(CASES["mse"], WAYS["tiny"][0])
    history = model.fit(X, y, sample_weight=w, validation_data=(X[:9], y[:9], w[:9]), verbose=0).history
    assert history["val_loss"] == [model.evaluate(X[:9], y[:9], sample_weight=w[:9])["loss"]]
    split = build(CASES["mse"], WAYS["tiny"][0])
    split.fit(X, y, sample_weight=w, validation_split=0.4, verbose=0)  # the split takes rows of weights


def test_gradients_agree_with_central_differences(rng: np.random.Generator) -> None:
    for case in CASES.values():
        X, y, w = data(case, "tiny", rng)
        assert_within(nn.gradcheck(build(case, WAYS["tiny"][0]), X, y, sample_weight=w).max_relative_error, 0, 1e-6)


# ---- Refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "weight", "message"),
    [
        ("cross_entropy", np.ones((N, K)), r"shape \(23, 3\); give one weight a sample: \(23,\); the classes of a"),
        ("cross_entropy", np.ones((N, 1)), r"shape \(23, 1\); give one weight a sample: \(23,\)"),
        ("mse", np.ones((N, 1)), r"shape \(23, 1\); .* \(23,\), or one for each output: \(23, 3\)"),
        ("mse", np.ones((N, K + 1)), r"shape \(23, 4\); .* or one for each output: \(23, 3\)"),
        ("mse", np.ones((N, K, 1)), r"shape \(23, 3, 1\); .* or one for each output: \(23, 3\)"),
        ("mse", np.ones((N - 1, K)), r"sample_weight has 22 rows but X has 23"),
        ("mse", np.where(np.arange(N * K) == 4, -1.5, 1).reshape(N, K), r"has -1.5 at index \(1, 1\); weights must"),
        ("mse", np.where(np.arange(N * K) == 4, np.nan, 1).reshape(N, K), r"1 value that is NaN .* at \(1, 1\)"),
        ("mse", np.zeros((N, K)), r"is zero for all 23 samples; at least one must count"),
    ],
)
def test_what_does_not_fit_is_named(rng: np.random.Generator, loss: str, weight: np.ndarray, message: str) -> None:
    model = build(LOSSES[loss], WAYS["tiny"][0])
    X, y = rng.normal(size=(N, 4)), LOSSES[loss].targets(rng, N, K)
    for operation in ("fit", "evaluate", "loss_and_grads"):
        with unchanged(model), pytest.raises(ValueError, match=rf"\[{operation}\] .*{message}"):
            getattr(model, operation)(X, y, sample_weight=weight)


def test_samples_with_such_weights_are_refused_by_a_loss_that_takes_none(rng: np.random.Generator) -> None:
    X, y = rng.normal(size=(N, 4)), LOSSES["cross_entropy_one_hot"].targets(rng, N, K)
    model = build(LOSSES["mse"], WAYS["tiny"][0])
    samples = model.engine.samples(X, y, np.ones((N, K)), "fit", 1.0)
    model.compile(loss="cross_entropy")
    with pytest.raises(RuntimeError, match="the samples were checked for another loss than cross_entropy"):
        model.engine.evaluate(samples)
