"""Settings of losses: label smoothing, weights of classes and of positive labels, and the targets that losses take."""

from typing import Any

import numpy as np
import pytest

import nnext as nn
from internals import training_state
from nnext import functional, reference
from support import assert_isas_with_fma_agree, assert_same_bits, assert_threads_change_no_bit
from tolerance import ULP, assert_relative, assert_within, eps

CLASS_WEIGHT = (0.5, 0.0, 2.0, 1.25)
ADJUSTED: dict[str, dict[str, Any]] = {
    "smoothed": {"label_smoothing": 0.1},
    "weighted": {"class_weight": CLASS_WEIGHT},
    "both": {"label_smoothing": 0.3, "class_weight": CLASS_WEIGHT},
    "all even": {"label_smoothing": 1.0},
}
K = len(CLASS_WEIGHT)


def labels_of(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Return labels of which the first is one that counts."""
    labels = rng.integers(K, size=shape)
    labels.flat[0] = 2
    return labels


# ---- Label smoothing and weights of classes -------------------------------------------------------------------------


@pytest.mark.parametrize("settings", ADJUSTED.values(), ids=ADJUSTED)
@pytest.mark.parametrize("weighted", [False, True])
def test_cross_entropy_is_the_references(
    isa: str, dtype: str, rng: np.random.Generator, settings: dict[str, Any], weighted: bool
) -> None:
    for n, k in ((1, K), (9, K), (40, K), (35, 2), (3, 17), (5, 130), (50, 33)):
        chosen = {key: value if key != "class_weight" else rng.uniform(0, 3, size=k) for key, value in settings.items()}
        z, labels = 3 * rng.normal(size=(n, k)).astype(dtype), rng.integers(k, size=n)
        weight = rng.uniform(0.1, 2, size=n) if weighted else None
        for y in (labels, rng.dirichlet(np.ones(k), size=n).astype(dtype)):
            for end in ("", "_grad"):
                found = getattr(functional, f"cross_entropy{end}")(z, y, weight, **chosen)
                expected = getattr(reference, f"cross_entropy{end}")(z.astype("float64"), y, weight, **chosen)
                assert_relative(found, expected, (k + 4 * ULP + 20) * eps(dtype))


@pytest.mark.parametrize("settings", ADJUSTED.values(), ids=ADJUSTED)
def test_labels_are_one_hot_rows_in_every_bit(
    isa: str, dtype: str, rng: np.random.Generator, settings: dict[str, Any]
) -> None:
    """Also rows of a batch that is cut otherwise, which short rows go through together."""
    for n in (1, 2, 7, 33):
        z, labels = rng.normal(size=(n, K)).astype(dtype), labels_of(rng, n)
        one_hot = np.eye(K)[labels]
        losses = [functional.cross_entropy(z, y, **settings) for y in (labels, one_hot)]
        assert losses[0] == losses[1]
        grads = [functional.cross_entropy_grad(z, y, **settings) for y in (labels, one_hot)]
        assert_same_bits(grads[0], grads[1])
        if "class_weight" not in settings and n & (n - 1) == 0:  # 1 / n is exact
            alone = [functional.cross_entropy_grad(z[i : i + 1], labels[i : i + 1], **settings) for i in range(n)]
            assert_same_bits(grads[0] * n, np.concatenate(alone))


def test_no_smoothing_and_equal_weights_change_nothing(isa: str, dtype: str, rng: np.random.Generator) -> None:
    z, labels = rng.normal(size=(33, K)).astype(dtype), rng.integers(K, size=33)
    for y in (labels, np.eye(K)[labels]):
        assert functional.cross_entropy(z, y, label_smoothing=0.0) == functional.cross_entropy(z, y)
        for end in ("", "_grad"):
            function = getattr(functional, f"cross_entropy{end}")
            assert_relative(function(z, y, class_weight=[4.0] * K), function(z, y), 20 * eps(dtype))


@pytest.mark.parametrize("settings", ADJUSTED.values(), ids=ADJUSTED)
def test_100_steps_are_pytorchs(rng: np.random.Generator, settings: dict[str, Any]) -> None:
    torch_twins = pytest.importorskip("torch_twins")
    torch, cross_entropy = torch_twins.torch, torch_twins.torch.nn.functional.cross_entropy
    model = nn.Sequential(nn.Linear(6, 9), nn.Tanh(), nn.Linear(9, K), seed=5, dtype="float64")
    other = torch_twins.twin(model)
    model.compile(nn.CrossEntropy(**settings), nn.SGD(lr=0.05, momentum=0.9))
    optimizer = torch.optim.SGD(other.parameters(), lr=0.05, momentum=0.9)
    options = {"label_smoothing": settings.get("label_smoothing", 0.0)}
    if "class_weight" in settings:
        options["weight"] = torch.tensor(CLASS_WEIGHT, dtype=torch.float64)
    for _ in range(100):
        X, y = rng.normal(size=(16, 6)), labels_of(rng, 16)
        optimizer.zero_grad()
        expected = cross_entropy(other(torch.from_numpy(X)), torch.from_numpy(y), **options)
        expected.backward()
        optimizer.step()
        loss, _ = model.loss_and_grads(X, y)
        model.step()
        assert abs(loss - expected.item()) <= 1e-10 * expected.item()
    for name, values in other.state_dict().items():
        assert_relative(model.state_dict()[name], values.numpy(), 1e-10)


def network(loss: nn.Loss, k: int = K, seed: int = 3, dtype: str = "float64") -> nn.Sequential:
    model = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, k), seed=seed, dtype=dtype)
    model.compile(loss, nn.SGD(lr=0.1))
    return model


def test_weights_of_classes_are_those_of_fit_and_both_together_multiply(rng: np.random.Generator) -> None:
    X, y, w = rng.normal(size=(41, 5)), labels_of(rng, 41), rng.uniform(0.5, 2, size=41)
    y[y == 1] = 0  # a fit leaves out what its own weights say counts nothing, so that its batches are others
    first, second = dict(enumerate(CLASS_WEIGHT)), {0: 3.0, 1: 1.0, 2: 0.25, 3: 2.0}
    product = {label: first[label] * second[label] for label in first}
    for given, together in ((None, first), (second, product)):
        model, other = network(nn.CrossEntropy(class_weight=CLASS_WEIGHT)), network(nn.CrossEntropy())
        options = {"epochs": 3, "batch_size": 8, "sample_weight": w, "verbose": 0}
        histories = [
            each.fit(X, y, class_weight=chosen, **options).history["loss"]
            for each, chosen in ((model, given), (other, together))
        ]
        assert_relative(histories[0], histories[1], 1e-12)
        for name, values in other.state_dict().items():
            assert_relative(model.state_dict()[name], values, 1e-12)
    weighted = other.evaluate(X, y, sample_weight=np.array(CLASS_WEIGHT)[y] * w)["loss"]
    other.compile(nn.CrossEntropy(class_weight=CLASS_WEIGHT))
    assert_relative(other.evaluate(X, y, sample_weight=w)["loss"], weighted, 100 * eps("float64"))


@pytest.mark.parametrize("settings", ADJUSTED.values(), ids=ADJUSTED)
def test_a_fit_is_the_references(isa: str, rng: np.random.Generator, settings: dict[str, Any]) -> None:
    """Whose divisor is that of all samples."""
    X, y, w = rng.normal(size=(41, 5)), labels_of(rng, 41), rng.uniform(0.5, 2, size=41)
    loss = nn.CrossEntropy(**settings)
    for targets in (y, np.eye(K)[y]):
        model = network(loss)
        other = reference.Network.from_model(network(loss), loss, reference.SGD(lr=0.1))
        found = model.fit(X, targets, epochs=3, batch_size=16, sample_weight=w, verbose=0).history["loss"]
        expected = other.fit(X, targets, epochs=3, batch_size=16, sample_weight=w)["loss"]
        assert_relative(found, expected, 1e3 * eps("float64"))
        for name, values in other.state_dict().items():
            assert_relative(model.state_dict()[name], values, 1e3 * eps("float64"))


def test_batches_together_are_the_mean_of_all_their_samples(rng: np.random.Generator) -> None:
    X, y, w = rng.normal(size=(41, 5)), labels_of(rng, 41), rng.uniform(0.5, 2, size=41)
    y[::10] = 2  # so that no batch counts nothing
    model = network(nn.CrossEntropy(label_smoothing=0.1, class_weight=CLASS_WEIGHT))
    cuts = [(X[i : i + 10], y[i : i + 10], w[i : i + 10]) for i in range(0, 41, 10)]
    whole = model.evaluate(X, y, sample_weight=w)["loss"]
    assert_relative(model.evaluate(cuts)["loss"], whole, 100 * eps("float64"))


def test_each_place_has_its_class(isa: str, rng: np.random.Generator) -> None:
    """Of a sequence (n, T, F) and an image (n, C, H, W)."""
    for shape, axis in (((6, 5, K), 2), ((6, K, 3, 2), 1)):
        z = rng.normal(size=shape)
        rows = np.moveaxis(z, axis, -1).reshape(-1, K)
        places = np.moveaxis(z, axis, -1).shape[:-1]
        y, settings = labels_of(rng, *places), ADJUSTED["both"]
        model = nn.Sequential(nn.Identity(), dtype="float64", input_shape=shape[1:])
        model.compile(nn.CrossEntropy(**settings))
        weight = rng.uniform(0.5, 2, size=6)
        each = np.broadcast_to(weight.reshape(-1, *(1,) * (len(places) - 1)), places).reshape(-1)
        expected = reference.cross_entropy(rows, y.reshape(-1), each, **settings)
        assert_relative(model.evaluate(z, y, sample_weight=weight)["loss"], expected, 50 * eps("float64"))
        if axis == 2:  # the functions take channels last
            found = functional.cross_entropy_grad(z, y, weight, **settings)
            expected = reference.cross_entropy_grad(rows, y.reshape(-1), each, **settings)
            assert_relative(found.reshape(-1, K), expected, 50 * eps("float64"))


LOSSES: dict[str, nn.Loss] = {
    "cross_entropy": nn.CrossEntropy(**ADJUSTED["both"]),
    "bce_with_logits": nn.BCEWithLogits(pos_weight=CLASS_WEIGHT),
    "focal": nn.Focal(gamma=1.5, alpha=0.25),
    "quantile": nn.Quantile(q=0.9),
}


def trained(name: str, threads: int = 1, dtype: str = "float32") -> dict[str, Any]:
    rng = np.random.default_rng(7)
    X = rng.normal(size=(500, 40))
    y = labels_of(rng, 500) if name == "cross_entropy" else rng.integers(2, size=(500, K))
    model = nn.Sequential(nn.Linear(40, 131), nn.Tanh(), nn.Linear(131, K), seed=3, dtype=dtype)
    model.compile(LOSSES[name], nn.SGD(lr=0.1))
    weight = None if name == "cross_entropy" else rng.uniform(0, 2, size=(500, K))
    with nn.runtime.threads(threads):
        model.fit(X, y, epochs=2, batch_size=240, sample_weight=weight, verbose=0)
    return training_state(model)


@pytest.mark.parametrize("name", LOSSES)
def test_threads_and_instruction_sets_change_no_bit(name: str) -> None:
    assert_threads_change_no_bit(lambda threads: trained(name, threads))
    assert_isas_with_fma_agree(lambda: trained(name))


# ---- Weights of positive labels -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["bce", "bce_with_logits"])
@pytest.mark.parametrize("weights", ["none", "of samples", "of outputs"])
def test_positive_labels_weigh_what_each_output_says(
    isa: str, dtype: str, rng: np.random.Generator, name: str, weights: str
) -> None:
    """Also where every output is a term of its own, and the weights of outputs go round."""
    for n, k in ((1, 1), (5, 2), (7, 3), (9, 17), (3, 40)):
        p = rng.uniform(0.05, 0.95, size=(n, k)).astype(dtype)
        y, pos_weight = rng.integers(2, size=(n, k)), rng.uniform(0, 4, size=k)
        weight = {"none": None, "of samples": rng.uniform(1, 2, size=n), "of outputs": rng.uniform(1, 2, size=(n, k))}
        for chosen in (pos_weight, 2.5):
            for end in ("", "_grad"):
                found = getattr(functional, name + end)(p, y, weight[weights], pos_weight=chosen)
                expected = getattr(reference, name + end)(p.astype("float64"), y, weight[weights], pos_weight=chosen)
                assert_relative(found, expected, (k + 4 * ULP + 20) * eps(dtype))


def test_of_an_image_each_channel_has_its_own(rng: np.random.Generator) -> None:
    z, y, w = rng.normal(size=(4, 3, 5, 2)), rng.integers(2, size=(4, 3, 5, 2)), rng.uniform(1, 2, size=(4, 3, 5, 2))
    pos_weight = [0.5, 1.0, 4.0]
    model = nn.Sequential(nn.Identity(), dtype="float64", input_shape=(3, 5, 2))
    model.compile(nn.BCEWithLogits(pos_weight=pos_weight))
    for weight in (None, w):
        found = model.evaluate(z, y, sample_weight=weight)["loss"]
        assert_relative(found, reference.bce_with_logits(z, y, weight, pos_weight=pos_weight), 100 * eps("float64"))


def test_a_sigmoid_is_fused_with_the_settings(rng: np.random.Generator) -> None:
    assert nn.BCE(pos_weight=3).fused("Sigmoid") == nn.BCEWithLogits(pos_weight=3)
    X, y = rng.normal(size=(9, 2)), rng.integers(2, size=(9, 2))
    model = nn.Sequential(nn.Sigmoid(), dtype="float64")
    model.compile(nn.BCE(pos_weight=[3, 0.5]))
    expected = functional.bce_with_logits(X, y, pos_weight=[3, 0.5])
    assert model.evaluate(X, y)["loss"] == expected
    assert model.evaluate([[-1000.0, 0.0]], [[1, 0]])["loss"] == (3000 + np.log(2)) / 2


# ---- Accuracy where formulas lose digits ----------------------------------------------------------------------------


def test_log_cosh_is_accurate_near_0_and_finite_far_away(isa: str, dtype: str) -> None:
    d = np.array([1e-12, 1e-6, 1e-3, 0.1, 0.9, 0.999, 1.0, 1.001, 3.0, 50.0], dtype)
    wide = d.astype(np.longdouble)
    expected = np.log1p(2 * np.sinh(wide / 2) ** 2)
    for sign in (1, -1):
        found = np.array([functional.log_cosh([sign * x], [0.0]) for x in d.astype(dtype)[:, None]])[:, None].ravel()
        assert_within(found, expected, 8 * eps(dtype) * expected)
    assert functional.log_cosh(np.array([3e38], dtype), [0]) == pytest.approx(3e38)
    assert_same_bits(functional.log_cosh_grad(np.array([3e38], dtype), [0]), np.ones(1, dtype))


def test_a_focal_loss_is_stable_at_both_ends(isa: str, dtype: str) -> None:
    z = np.array([-800.0, 800.0, -800.0, 800.0], dtype)
    for gamma in (0.0, 0.5, 2.0):
        assert functional.focal(z, [0, 1, 0, 1], gamma=gamma) == 0
        assert functional.focal(z, [1, 0, 1, 0], gamma=gamma) == 800
        assert_same_bits(functional.focal_grad(z, [1, 0, 1, 0], gamma=gamma) * 4, np.array([-1, 1, -1, 1], dtype))
        assert not functional.focal_grad(z, [0, 1, 0, 1], gamma=gamma).any()
    one = np.array([20.0], dtype)  # p = 1 - 2e-9, which float32 takes for 1
    size = np.log1p(np.exp(-20.0)) / (1 + np.exp(20.0)) ** 2
    assert_within(functional.focal(one, [1]), size, (20 + 2 * 2 * 20) * eps(dtype) * size)


def test_a_divergence_is_that_of_its_definition_and_0_where_both_agree(isa: str, rng: np.random.Generator) -> None:
    t = rng.dirichlet(np.ones(5), size=7)
    assert_within(functional.kl_div(np.log(t), t), 0, 10 * eps("float64") * np.log(5))
    t[0] = np.eye(5)[2]  # log 0 counts as nothing
    z = rng.normal(size=(7, 5))
    entropy = -np.sum(t * np.log(np.where(t > 0, t, 1))) / 7
    assert_relative(functional.kl_div(z, t), functional.cross_entropy(z, t) - entropy, 50 * eps("float64"))
    assert_same_bits(functional.kl_div_grad(z, t), functional.cross_entropy_grad(z, t))


def test_slopes_are_0_at_kinks(isa: str, dtype: str) -> None:
    y = np.array([0.5, -1.0, 3.0], dtype)
    assert not functional.mae_grad(y, y).any()
    assert not functional.quantile_grad(y, y, q=0.9).any()
    assert not functional.hinge_grad(np.array([1, -1, 2], dtype), [1, -1, 1]).any()
