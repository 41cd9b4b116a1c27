"""The reference's losses of sequences and images: each step and place is a row of its own, as in PyTorch."""

from typing import Any

import numpy as np
import pytest

from nnext import reference
from torch_twins import torch

RNG = np.random.default_rng(4)
SHAPES = {"sequence": (3, 4, 5), "image": (3, 5, 2, 4)}  # (n, T, C) and (n, C, H, W)


def first(x: Any) -> Any:
    """Turn sequences to (n, C, T), as PyTorch's cross_entropy has them."""
    return x.transpose(1, 2) if x.ndim == 3 else x


@pytest.mark.parametrize("weights", ["none", "samples", "places"])
@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("kind", SHAPES)
def test_cross_entropy_is_pytorchs(kind: str, soft: bool, weights: str) -> None:
    shape, channels = SHAPES[kind], -1 if kind == "sequence" else 1
    places = shape[:-1] if kind == "sequence" else (shape[0], *shape[2:])
    x = torch.tensor(3 * RNG.normal(size=shape), requires_grad=True)
    y = RNG.integers(5, size=places)
    if soft:
        y = RNG.uniform(size=shape)
        y /= y.sum(axis=channels, keepdims=True)
    w = {"none": None, "samples": RNG.uniform(size=3), "places": RNG.uniform(size=places)}[weights]
    target = torch.from_numpy(y)
    rows = torch.nn.functional.cross_entropy(first(x), first(target) if soft else target, reduction="none")
    scale = np.ones(places) if w is None else np.broadcast_to(w.T, places[::-1]).T
    loss = (rows * torch.tensor(scale.copy())).sum() / scale.sum()
    loss.backward()
    assert reference.cross_entropy(x.detach().numpy(), y, w) == pytest.approx(loss.item(), rel=1e-14)
    gradient = reference.cross_entropy_grad(x.detach().numpy(), y, w)
    np.testing.assert_allclose(gradient, x.grad.numpy(), rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize("weights", ["samples", "places", "outputs"])
@pytest.mark.parametrize("name", ["mse", "bce_with_logits"])
@pytest.mark.parametrize("kind", SHAPES)
def test_means_over_outputs_take_weights_of_samples_places_and_outputs(kind: str, name: str, weights: str) -> None:
    shape = SHAPES[kind]
    p, t = RNG.normal(size=shape), RNG.uniform(size=shape)
    w, beside = {
        "samples": lambda: (RNG.uniform(size=3), (3, *(1,) * (len(shape) - 1))),
        "places": lambda: (
            (RNG.uniform(size=(3, 4)), (3, 4, 1)) if kind == "sequence" else (RNG.uniform(size=(3, 2, 4)), (3, 1, 2, 4))
        ),
        "outputs": lambda: (RNG.uniform(size=shape), shape),
    }[weights]()
    scale = np.broadcast_to(w.reshape(beside), shape)
    x = torch.tensor(p, requires_grad=True)
    function = {"mse": "mse_loss", "bce_with_logits": "binary_cross_entropy_with_logits"}[name]
    terms = getattr(torch.nn.functional, function)(x, torch.tensor(t), reduction="none")
    loss = (terms * torch.tensor(scale.copy())).sum() / scale.sum()
    loss.backward()
    assert getattr(reference, name)(p, t, w) == pytest.approx(loss.item(), rel=1e-14)
    np.testing.assert_allclose(getattr(reference, f"{name}_grad")(p, t, w), x.grad.numpy(), rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize(
    ("y", "weight", "message"),
    [
        (np.zeros((3, 5)), None, r"y_pred has shape \(3, 4, 5\) but y has \(3, 5\); pass 12 labels, or probabilities"),
        (np.full((3, 4), 5), None, r"label 5 at index 0 is no class; y_pred has 5 columns"),
        (
            np.zeros((3, 4)),
            np.ones(4),
            r"has shape \(4,\) .* 3 rows; pass one weight a row, or one a place as \(3, 4\)",
        ),
        (np.zeros((3, 4)), np.ones((3, 4, 5)), r"sample_weight has shape \(3, 4, 5\) but y_pred has 3 rows"),
    ],
)
def test_what_does_not_fit_is_refused(y: Any, weight: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        reference.cross_entropy(np.zeros((3, 4, 5)), y, weight)


def test_a_network_learns_a_label_of_each_step() -> None:
    configs = [{"type": "Linear", "in_features": 3, "out_features": 2}, {"type": "Softmax"}]
    net = reference.Network.from_config(configs, loss="cross_entropy", optimizer=reference.Adam(lr=0.1))
    X = RNG.normal(size=(20, 7, 3))
    labels = (X[..., 0] > 0).astype(int)
    weight = np.where(X[..., 1] > 1, 0.0, 1.0)  # steps that count nothing
    history = net.fit(X, labels, epochs=20, batch_size=5, sample_weight=weight)["loss"]
    assert history[-1] < 0.2 < history[0]
    counts = weight > 0
    assert (net.predict(X).argmax(axis=-1) == labels)[counts].mean() > 0.97
    flat = reference.cross_entropy(np.log(net.predict(X)).reshape(-1, 2), labels.reshape(-1), weight.reshape(-1))
    assert net.evaluate(X, labels, weight) == pytest.approx(flat, rel=1e-12)
