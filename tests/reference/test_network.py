"""The reference's network against numeric gradients and its own definition."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import internals
from nnext import reference
from nnext.reference import random
from numeric import NUMERIC, example, numeric_grad


def configs(*layers: str, features: int = 4, hidden: int = 5, outputs: int = 3) -> list[dict[str, Any]]:
    """Return a Linear layer, the named layers and, before the last of them, another Linear layer."""
    inner = {"in_features": hidden, "out_features": hidden, "type": "Linear"}
    residual = {"body": [inner, {"type": "Dropout", "p": 0.3}, {"type": "Tanh"}], "shortcut": [inner | {"bias": False}]}
    extra = {"LeakyReLU": {"negative_slope": 0.1}, "Dropout": {"p": 0.4}, "Residual": residual}
    extra["BatchNorm1d"] = {"num_features": hidden}
    named = [{"type": name, **extra.get(name, {})} for name in layers]
    first = {"type": "Linear", "in_features": features, "out_features": hidden, "bias": True}
    second = {"type": "Linear", "in_features": hidden, "out_features": outputs, "bias": False}
    return [first, *named[:-1], second, named[-1]]


@pytest.mark.parametrize(
    ("layers", "loss"),
    [
        (["Tanh", "Identity"], "mse"),
        (["GELU", "Identity"], "huber"),
        (["BatchNorm1d", "Identity"], "mse"),
        (["Residual", "Sigmoid"], "mse"),
        (["ReLU", "Tanh"], "mse"),
        (["LeakyReLU", "Sigmoid"], "mse"),
        (["Sigmoid", "Softmax"], "mse"),
        (["Tanh", "Dropout", "Identity"], "cross_entropy"),
        (["Tanh", "Softmax"], "cross_entropy"),
        (["Tanh", "Sigmoid"], "bce"),
        (["Tanh", "Softmax"], "bce"),
        (["Tanh", "Identity"], "bce_with_logits"),
    ],
)
def test_network_gradients_are_the_numeric_ones(layers: list[str], loss: str) -> None:
    rng = np.random.default_rng(9)
    net = reference.Network.from_config([{"type": "Flatten"}, *configs(*layers)], loss=loss, seed=2)
    X = rng.normal(size=(6, 2, 2))
    _, y = example(loss, rng, rows=6)
    w = rng.uniform(size=6)
    value, grads = net.loss_and_grads(X, y, w)
    assert grads.keys() == internals.reference_parameters(net).keys() >= {"1.weight", "1.bias"}
    assert f"{len(layers) + 1}.weight" in grads
    for name, p in internals.reference_parameters(net).items():
        start = p.copy()

        def at(v: np.ndarray, p: np.ndarray = p) -> float:
            p[...] = v
            return net.loss_and_grads(X, y, w)[0]

        np.testing.assert_allclose(grads[name], numeric_grad(at, start), atol=NUMERIC)
        p[...] = start
    assert net.loss_and_grads(X, y, w)[0] == value


@pytest.mark.parametrize(("layer", "loss"), [("Softmax", "cross_entropy"), ("Sigmoid", "bce")])
def test_the_fused_end_is_exact_where_probabilities_saturate(layer: str, loss: str) -> None:
    net = reference.Network([reference.Linear(np.eye(2)), *_layers({"type": layer})], loss=loss)
    X, y = np.array([[800.0, 0.0]]), {"cross_entropy": np.array([1]), "bce": np.array([[0.0, 1.0]])}[loss]
    value, grads = net.loss_and_grads(X, y)
    assert value == pytest.approx({"cross_entropy": 800.0, "bce": (800 + np.log(2)) / 2}[loss])
    assert abs(grads["0.weight"]).max() >= 400
    assert net.evaluate(X, y) == value
    np.testing.assert_array_equal(net.predict(X), net.forward(X))


def _layers(*layer_configs: dict[str, Any]) -> list[Any]:
    return [reference.layers.from_config(config, {}) for config in layer_configs]


def test_backward_gives_the_gradient_in_the_input() -> None:
    rng = np.random.default_rng(10)
    net = reference.Network.from_config(configs("Tanh", "Dropout", "Softmax"))
    X, dY = rng.normal(size=(3, 4)), rng.normal(size=(3, 3))

    def value(x: np.ndarray) -> float:
        return float((net.forward(x, training=True) * dY).sum())

    expected = numeric_grad(value, X)
    value(X)
    np.testing.assert_allclose(net.backward(dY), expected, atol=NUMERIC)
    assert net.grads().keys() == net.state_dict().keys()


def test_a_fit_is_a_loop_over_shuffled_batches() -> None:
    rng = np.random.default_rng(11)
    X, y, w = rng.normal(size=(11, 4)), rng.integers(3, size=11), rng.uniform(size=11)
    make = configs("ReLU", "Dropout", "Identity")
    net = reference.Network.from_config(make, None, "cross_entropy", reference.Adam(lr=0.01), seed=4)
    history = net.fit(X, y, epochs=2, batch_size=4, sample_weight=w)
    history["loss"] += net.fit(X, y, epochs=1, batch_size=4, sample_weight=w)["loss"]

    loop = reference.Network.from_config(make, None, "cross_entropy", reference.Adam(lr=0.01), seed=4)
    w /= w.mean()
    for epoch in range(3):
        order = random.permutation(11, 4, random.stream(random.SHUFFLE, 0, epoch))
        total = 0.0
        for rows in (order[:4], order[4:8], order[8:]):
            p = loop.forward(X[rows], training=True)
            total += sum(w[i] * reference.losses.cross_entropy(p[j : j + 1], y[i : i + 1]) for j, i in enumerate(rows))
            loop.backward(w[rows, None] * reference.losses.cross_entropy_grad(p, y[rows]))
            loop.step()
        assert history["loss"][epoch] == pytest.approx(total / 11, rel=1e-13)
    for name, weight in loop.state_dict().items():
        np.testing.assert_allclose(net.state_dict()[name], weight, rtol=1e-10)
    assert (net.steps, net.epochs) == (9, 3)


def test_a_fit_in_which_nothing_counts_is_refused() -> None:
    net = reference.Network([reference.Linear(np.ones((1, 1)))])
    with pytest.raises(ValueError, match=r"\[fit\] sample_weight is zero for all 3 samples; at least one must count"):
        net.fit(np.ones((3, 1)), np.ones(3), sample_weight=np.zeros(3))


def test_a_fit_without_shuffling_takes_the_rows_in_their_order() -> None:
    seen: list[float] = []

    class Recorder(reference.Network):
        def loss_and_grads(self, X: Any, *args: Any, **kwargs: Any) -> Any:
            seen.extend(np.asarray(X)[:, 0])
            return super().loss_and_grads(X, *args, **kwargs)

    Recorder([reference.Linear(np.ones((1, 1)))]).fit(np.arange(5.0)[:, None], np.zeros(5), batch_size=2, shuffle=False)
    assert seen == [0, 1, 2, 3, 4]


def test_a_network_is_read_from_a_model_and_does_not_share_its_weights() -> None:
    rng = np.random.default_rng(12)
    state = {"0.weight": rng.normal(size=(5, 4)), "0.bias": rng.normal(size=5), "3.weight": rng.normal(size=(3, 5))}
    model = SimpleNamespace(
        layers=[
            SimpleNamespace(config=lambda config=config: config) for config in configs("ReLU", "Dropout", "Softmax")
        ],
        state_dict=lambda: state,
        engine=SimpleNamespace(numbering=(0, 0)),
        seed=3,
        dtype="float32",
    )
    net = reference.Network.from_model(model, loss="cross_entropy", optimizer=reference.SGD(lr=0.1))
    X = rng.normal(size=(7, 4))
    hidden = np.maximum(X @ state["0.weight"].T + state["0.bias"], 0)
    got = net.predict(X)
    assert got.dtype == np.float32
    eps = np.finfo(np.float32).eps
    np.testing.assert_allclose(got, reference.softmax(hidden @ state["3.weight"].T), rtol=0, atol=50 * eps)
    before = {name: w.copy() for name, w in state.items()}
    net.fit(X, np.zeros(7, dtype=int), epochs=1)
    assert all(np.array_equal(state[name], before[name]) for name in state)
    assert all(w.dtype == np.float32 for w in net.state_dict().values())


def test_networks_refuse_what_does_not_fit() -> None:
    net = reference.Network.from_config(configs("ReLU", "Identity"))
    with pytest.raises(ValueError, match=r"\[linear\] x has shape \(2, 3\) but the layer expects \(rows, 4\)"):
        net.predict(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"\[fit\] X has 2 rows but y has 3"):
        net.fit(np.ones((2, 4)), np.ones(3))
    with pytest.raises(ValueError, match="no layer of type 'Conv9d'"):
        reference.Network.from_config([{"type": "Conv9d"}])
    with pytest.raises(ValueError, match="unknown loss 'rmse'"):
        reference.Network([], loss="rmse")


def test_a_step_moves_statistics_and_clips_gradients() -> None:
    rng = np.random.default_rng(13)
    net = reference.Network.from_config([{"type": "BatchNorm1d", "num_features": 2}], clip_norm=0.1)
    X, y = rng.normal(3, 2, size=(8, 2)), rng.normal(size=(8, 2))
    before = net.state_dict()
    _, grads = net.loss_and_grads(X, y)
    assert all(np.array_equal(net.state_dict()[name], values) for name, values in before.items())
    net.step()
    state, norm = net.state_dict(), np.sqrt(sum((g**2).sum() for g in grads.values()))
    np.testing.assert_allclose(state["0.weight"], 1 - 0.01 * grads["0.weight"] * 0.1 / (norm + 1e-6), rtol=1e-14)
    np.testing.assert_allclose(state["0.running_mean"], 0.1 * X.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(state["0.running_var"], 0.9 + 0.1 * X.var(axis=0, ddof=1), rtol=1e-14)
    assert state["0.num_batches_tracked"] == 1
    np.testing.assert_allclose(net.predict(X[:1]), net.predict(X)[:1])  # one row will do
    with pytest.raises(ValueError, match=r"\[batch_norm\] x has 1 row but training needs 2; give more rows"):
        net.forward(X[:1], training=True)
