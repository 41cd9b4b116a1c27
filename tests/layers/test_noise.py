"""GaussianNoise and AlphaDropout: whose numbers they are, what they keep, and when they do nothing."""

from typing import Any

import numpy as np
import pytest

import internals
import nnext as nn
from internals import training_state
from nnext import reference
from support import assert_isas_with_fma_agree, assert_same_bits, assert_threads_change_no_bit
from tolerance import assert_within, eps

N = 100_000
LAYERS: list[nn.Layer] = [nn.GaussianNoise(0.3), nn.AlphaDropout(0.3)]


@pytest.mark.parametrize("stddev", [0.0, 0.5, 40.0])
def test_noise_is_the_references_and_has_its_moments(isa: str, dtype: str, stddev: float) -> None:
    model = nn.Sequential(nn.Identity(), nn.GaussianNoise(stddev), seed=12, dtype=dtype)
    internals.set_counters(model, (5, 0, 0))
    y = model.forward(np.zeros((200, N // 200)))
    expected = reference.random.gaussian_noise(y.shape, stddev, seed=12, layer=1, step=5)
    # The core's are within 4 eps of double, the reference's within as many; then they are rounded.
    assert_within(y, expected, (8 * eps("float64") + eps(dtype)) * np.abs(expected))
    # Means and variances of n draws spread by sd / sqrt(n); 5 of those are missed once in 2 million.
    assert abs(y.mean(dtype="float64")) <= 5 * stddev / np.sqrt(N)
    assert abs(y.var(dtype="float64") - stddev**2) <= 5 * stddev**2 * np.sqrt(2 / N)
    # A quantile spreads by sqrt(p (1 - p) / n) over the density there, which is 0.0044 at 3 deviations.
    shares = np.array([0.0013499, 0.1586553, 0.5, 0.8413447, 0.9986501])  # below -3, -1, 0, 1 and 3 deviations
    assert np.abs(np.quantile(y, shares) - stddev * np.array([-3, -1, 0, 1, 3])).max() <= 0.15 * stddev


def test_the_gradient_passes_through_noise(isa: str, dtype: str, rng: np.random.Generator) -> None:
    model, dy = nn.Sequential(nn.GaussianNoise(3), dtype=dtype), rng.normal(size=(4, 5)).astype(dtype)
    model.forward(np.ones((4, 5)))
    assert_same_bits(model.backward(dy), dy)


def test_next_to_float32s_1_the_logarithm_keeps_its_digits() -> None:
    """Noise is told in float64: what is near 0 has all values that it can have."""
    y = nn.Sequential(nn.GaussianNoise(1.0)).forward(np.zeros((1000, 1000)))
    small = np.abs(y[(np.abs(y) < 1e-4) & (y != 0)])
    assert len(np.unique(small)) > 0.99 * len(small) > 50


@pytest.mark.parametrize("layer", [nn.Dropout(1 - 2.0**-40), nn.AlphaDropout(1 - 2.0**-40)])
def test_next_to_certain_is_certain(isa: str, dtype: str, layer: nn.Layer) -> None:
    """No word of 32 bits is kept, and what is dropped says nothing of x, however large the factor of the others is."""
    y = nn.Sequential(layer, dtype=dtype).forward(np.array([[1.0, -2.0, 3.0, 1e9, 0.0]] * 100))
    assert_same_bits(abs(y), np.full_like(y, abs(y[0, 0])))


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.9])
def test_alpha_dropout_keeps_mean_and_variance(isa: str, dtype: str, p: float, rng: np.random.Generator) -> None:
    x = rng.normal(size=(200, N // 200)).astype(dtype)
    model = nn.Sequential(nn.Identity(), nn.AlphaDropout(p), seed=12, dtype=dtype)
    y = model.forward(x)
    mask = reference.random.dropout_mask(x.shape, p, seed=12, layer=1, step=0) > 0
    low = -1.7580993408473766
    a = ((1 - p) * (1 + p * low**2)) ** -0.5
    expected = a * np.where(mask, x.astype("float64"), low) - a * p * low
    assert_within(y, expected, 2 * eps(dtype) * (np.abs(a * x) + abs(a * low) + np.abs(expected)))
    # Of a mixture whose fourth moment is below 8.
    assert abs(y.mean(dtype="float64")) <= 5 / np.sqrt(N)
    assert abs(y.var(dtype="float64") - 1) <= 5 * np.sqrt(8 / N)
    dy = rng.normal(size=x.shape).astype(dtype)
    assert_within(model.backward(dy), np.where(mask, a * dy, 0), 2 * eps(dtype) * np.abs(a * dy))


@pytest.mark.parametrize("p", [0.2, 0.5])
def test_alpha_dropouts_numbers_are_pytorchs(p: float, rng: np.random.Generator) -> None:
    """But for which elements are dropped: what these become, and the slope of the others."""
    torch: Any = pytest.importorskip("torch")
    x = rng.normal(size=(50, 50))
    given = torch.tensor(x, requires_grad=True)
    theirs = torch.nn.AlphaDropout(p)(given)
    theirs.sum().backward()
    slopes, y = given.grad.numpy(), theirs.detach().numpy()
    model = nn.Sequential(nn.AlphaDropout(p), dtype="float64")
    ours, dx = model.forward(x), model.backward(np.ones(x.shape))
    for kept in (False, True):
        here, there = (dx > 0) == kept, (slopes > 0) == kept
        np.testing.assert_allclose(dx[here][0], slopes[there][0], rtol=1e-14)
        np.testing.assert_allclose((ours - dx * x)[here], (y - slopes * x)[there][0], rtol=1e-13)


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_predictions_and_evaluation_are_not_changed(layer: nn.Layer, rng: np.random.Generator) -> None:
    model, x = nn.Sequential(layer), rng.normal(size=(3, 4)).astype("float32")
    assert_same_bits(model.predict(x), x)
    assert_same_bits(model.forward(x, training=False), x)
    model.compile(loss="mse")
    assert model.evaluate(x, x)["loss"] == 0
    assert (model.forward(x) != x).any()


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_noise_is_new_in_every_step_and_layer_and_the_same_for_a_seed(layer: nn.Layer) -> None:
    x = np.ones((40, 50))
    model = nn.Sequential(layer, layer, seed=1, dtype="float64")
    model.compile(loss="mse")
    first, again = model.forward(x), model.forward(x)
    assert_same_bits(first, again)
    model.backward(np.zeros(x.shape))
    model.step()
    other = nn.Sequential(layer, layer, seed=2, dtype="float64").forward(x)
    alone = nn.Sequential(nn.Identity(), layer, seed=1, dtype="float64").forward(x)
    before = nn.Sequential(layer, seed=1, dtype="float64").forward(x)
    for different in (model.forward(x), other, alone, before):
        assert (different != first).mean() > 0.4


def trained(layer: nn.Layer, threads: int, dtype: str = "float32") -> dict[str, np.ndarray]:
    rng = np.random.default_rng(7)
    layers = [layer, nn.Linear(65, 40), layer, nn.Reshape(2, 4, 5), nn.Conv2d(2, 3, 3), layer, nn.Flatten()]
    model = nn.Sequential(*layers, nn.Linear(18, 3), seed=6, dtype=dtype)
    model.compile(loss="mse", optimizer=nn.SGD(lr=0.05, momentum=0.9))
    X, y = rng.normal(size=(701, 65)).astype("float32"), rng.normal(size=(701, 3))
    with nn.runtime.threads(threads):
        model.fit(X, y, epochs=2, batch_size=331, verbose=0)
        return training_state(model)


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_no_number_of_threads_changes_a_bit(layer: nn.Layer, isa: str) -> None:
    assert_threads_change_no_bit(lambda threads: trained(layer, threads))


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_instruction_sets_with_fma_train_to_the_same_bits(layer: nn.Layer, dtype: str) -> None:
    assert_isas_with_fma_agree(lambda: trained(layer, 2, dtype))


@pytest.mark.parametrize("wrong", [-0.1, np.nan, np.inf, "0.1", None])
def test_what_is_no_deviation_is_refused(wrong: Any) -> None:
    with pytest.raises((ValueError, TypeError), match=r"\[GaussianNoise\] stddev is "):
        nn.GaussianNoise(wrong)
