"""The NumPy reference against numeric gradients, published vectors and PyTorch: all else is compared with it."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import cases
import internals
from nnext import reference
from nnext.reference import initializers, losses, random

# Central differences with step h are off by about h^2 (the curve) + eps / h (rounding): least near eps^(1/3).
STEP = np.finfo(np.float64).eps ** (1 / 3)
NUMERIC = 100 * STEP**2  # 4e-9; the third derivatives here stay below 100

ACTIVATIONS = [*dict.fromkeys(case.name for case in cases.ACTIVATIONS.values()), "softmax"]
LOSSES = list(dict.fromkeys(case.name for case in cases.LOSSES.values()))


def numeric_grad(f: Callable[[np.ndarray], float], x: np.ndarray) -> np.ndarray:
    grad = np.empty_like(x)
    for i in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[i] += STEP
        down[i] -= STEP
        grad[i] = (f(up) - f(down)) / (up[i] - down[i])
    return grad


def example(loss: str, rng: np.random.Generator, rows: int = 5, outputs: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Return an output and targets that suit a loss."""
    y_pred = rng.normal(size=(rows, outputs))
    if loss == "cross_entropy":
        return y_pred, rng.integers(outputs, size=rows)
    if loss == "bce":
        y_pred = rng.uniform(0.1, 0.9, size=(rows, outputs))
    return y_pred, rng.uniform(size=(rows, outputs))


# ---- Random numbers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ],
)
def test_philox_gives_the_known_answers_of_random123(counter: str, key: str, expected: str) -> None:
    """The vectors "philox4x32 10" of tests/kat_vectors in the authors' library, Random123 1.14."""

    def numbers(text: str) -> list[int]:
        return [int(word, 16) for word in text.split()]

    assert random.philox4x32(numbers(counter), numbers(key)).tolist() == numbers(expected)
    both = random.philox4x32([numbers(counter), [1, 2, 3, 4]], numbers(key))
    assert both[0].tolist() == numbers(expected)


@pytest.mark.parametrize("seed", [0, 7, 2**32 + 5, 2**64 - 1])
def test_a_word_depends_on_seed_stream_and_index_only(seed: int) -> None:
    name = random.stream(random.DROPOUT, layer=3, step=2**33 + 1)
    assert name == 1 << 56 | 3 << 40 | 2**33 + 1
    words = random.words(seed, name, 11)
    assert words.dtype == np.uint32
    key = [seed % 2**32, seed >> 32]
    for i, word in enumerate(words.tolist()):
        assert word == random.philox4x32([i // 4, 0, name % 2**32, name >> 32], key)[i % 4]
    assert words[:5].tolist() == random.words(seed, name, 5).tolist()


def test_uniform_and_normal_have_their_moments() -> None:
    n = 40_000
    u, z = random.uniform(1, 0, n), random.normal(1, 0, n)
    assert u.min() > 0
    assert u.max() < 1
    # Means and variances of n draws spread by sd / sqrt(n); 5 of those are missed once in 2 million.
    assert abs(u.mean() - 0.5) < 5 * np.sqrt(1 / 12 / n)
    assert abs(z.mean()) < 5 / np.sqrt(n)
    assert abs(z.var() - 1) < 5 * np.sqrt(2 / n)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 100])
def test_a_permutation_is_fisher_and_yates(n: int) -> None:
    name = random.stream(random.SHUFFLE, 0, 4)
    order = random.permutation(n, 9, name)
    assert sorted(order.tolist()) == list(range(n))
    expected, words = np.arange(n), random.words(9, name, n)
    for i in range(n - 1, 0, -1):
        j = int(words[i]) * (i + 1) // 2**32
        expected[[i, j]] = expected[[j, i]]
    assert order.tolist() == expected.tolist()


def test_a_dropout_mask_keeps_the_mean_and_belongs_to_its_elements() -> None:
    mask = random.dropout_mask((200, 50), 0.25, seed=3, layer=1, step=2)
    assert set(mask.ravel().tolist()) == {0.0, 1 / 0.75}
    assert abs((mask == 0).mean() - 0.25) < 5 * np.sqrt(0.25 * 0.75 / mask.size)
    assert np.array_equal(mask[:7], random.dropout_mask((7, 50), 0.25, seed=3, layer=1, step=2))
    assert not np.array_equal(mask, random.dropout_mask((200, 50), 0.25, seed=3, layer=1, step=3))
    assert np.array_equal(random.dropout_mask((3, 4), 0.0, 0, 0, 0), np.ones((3, 4)))


@pytest.mark.parametrize(
    ("name", "bound"),
    [("he_uniform", np.sqrt(6 / 200)), ("glorot_uniform", np.sqrt(6 / 300))],
)
def test_uniform_initializers_fill_their_bound(name: str, bound: float) -> None:
    w = getattr(initializers, name)((100, 200), seed=1, layer=2)
    assert w.shape == (100, 200)
    assert 0.999 * bound < abs(w).max() < bound
    assert np.array_equal(w.ravel(), -bound + 2 * bound * random.uniform(1, random.stream(0, 4 * 2), w.size))


@pytest.mark.parametrize(
    ("name", "std"),
    [("he_normal", np.sqrt(2 / 200)), ("glorot_normal", np.sqrt(2 / 300)), ("lecun_normal", np.sqrt(1 / 200))],
)
def test_normal_initializers_have_their_deviation(name: str, std: float) -> None:
    w = getattr(initializers, name)((100, 200), seed=1, layer=2)
    assert w.std() == pytest.approx(std, rel=5 / np.sqrt(2 * w.size))


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 4)])
def test_orthogonal_is_gram_and_schmidts(shape: tuple[int, int]) -> None:
    w = initializers.orthogonal(shape, gain=2.0, seed=1, layer=2)
    assert w.shape == shape
    rows = w if shape[0] <= shape[1] else w.T
    eps = np.finfo(np.float64).eps
    np.testing.assert_allclose(rows @ rows.T, 4 * np.eye(len(rows)), rtol=0, atol=100 * eps)
    drawn = random.normal(1, random.stream(0, 8), rows.size).reshape(rows.shape)
    # Row i is what rows 0 to i - 1 leave of the i-th drawn row, so it points along it and not along the earlier ones.
    products = drawn @ rows.T
    assert (np.diag(products) > 0).all()
    np.testing.assert_allclose(np.triu(products, 1), 0, atol=100 * eps)


def test_the_default_of_linear_draws_weight_and_bias_from_two_streams() -> None:
    weight, bias = initializers.linear_default(3, 4, seed=5, layer=6)
    assert np.array_equal(weight.ravel(), -0.5 + random.uniform(5, random.stream(0, 24), 12))
    assert np.array_equal(bias, -0.5 + random.uniform(5, random.stream(0, 25), 3))
    assert not initializers.zeros((2, 3)).any()


# ---- Functions ------------------------------------------------------------------------------------------------------


def test_matmul_reads_transposes_and_refuses_what_does_not_fit() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 3)), rng.normal(size=(3, 4))
    out = np.empty((2, 4))
    assert reference.matmul(a.T, b.T, transpose_a=True, transpose_b=True, out=out) is out
    np.testing.assert_array_equal(out, a @ b)
    with pytest.raises(ValueError, match=r"\[matmul\] a has shape \(2, 3\) and b \(2, 3\)"):
        reference.matmul(a, a)
    with pytest.raises(ValueError, match="2 dimensions"):
        reference.matmul(a, [1.0, 2.0, 3.0])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_gradients_are_the_numeric_ones(name: str) -> None:
    rng = np.random.default_rng(1)
    f, f_grad = getattr(reference, name), getattr(reference, f"{name}_grad")
    x = rng.normal(size=(4, 5))
    x = np.where(abs(x) < 0.01, 0.01, x)  # away from the corner of relu
    dy = rng.normal(size=x.shape)
    np.testing.assert_allclose(f_grad(x, dy), numeric_grad(lambda v: float((f(v) * dy).sum()), x), atol=NUMERIC)
    np.testing.assert_array_equal(f_grad(x), f_grad(x, np.ones_like(x)))
    np.testing.assert_array_equal(f_grad(x, 2.0), f_grad(x, np.full_like(x, 2.0)))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_keep_float32_and_let_nan_through(name: str) -> None:
    f, f_grad = getattr(reference, name), getattr(reference, f"{name}_grad")
    x = np.array([[-1.0, np.nan, 2.0], [1.0, 0.0, -3.0]], dtype=np.float32)
    nan = [True, True, True] if name == "softmax" else [False, True, False]
    for y in (f(x), f_grad(x, x)):
        assert y.dtype == np.float32
        assert np.isfinite(y[1]).all()
    assert np.isnan(f(x)[0]).tolist() == np.isnan(f_grad(x, x)[0]).tolist() == nan
    assert f_grad(x).dtype == f_grad(x, 2.0).dtype == np.float32
    assert f([[1, 2]]).dtype == np.float64


def test_activations_take_their_limits_without_overflow() -> None:
    big = np.array([[-1000.0, 1000.0]])
    with np.errstate(over="raise", invalid="raise"):
        assert reference.sigmoid(big).tolist() == [[0.0, 1.0]]
        assert reference.softmax(big).tolist() == [[0.0, 1.0]]
        assert reference.bce_with_logits(big, [[1.0, 0.0]]) == 1000.0
        assert reference.cross_entropy(big, [0]) == 2000.0
    assert reference.relu_grad([0.0]).tolist() == [0.0]
    assert reference.leaky_relu([-2.0], negative_slope=0.5).tolist() == [-1.0]
    assert reference.leaky_relu_grad([-2.0], negative_slope=0.5).tolist() == [0.5]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", LOSSES)
def test_loss_gradients_are_the_numeric_ones(name: str, weighted: bool) -> None:
    rng = np.random.default_rng(2)
    f, f_grad = getattr(reference, name), getattr(reference, f"{name}_grad")
    y_pred, y = example(name, rng)
    w = rng.uniform(size=len(y)) if weighted else None
    np.testing.assert_allclose(f_grad(y_pred, y, w), numeric_grad(lambda v: f(v, y, w), y_pred), atol=NUMERIC)


@pytest.mark.parametrize("name", LOSSES)
def test_a_weight_of_two_is_the_row_twice(name: str) -> None:
    y_pred, y = example(name, np.random.default_rng(3))
    f, twice = getattr(reference, name), [0, 1, 2, 2, 3, 4]
    assert f(y_pred, y, [1, 1, 2, 1, 1]) == pytest.approx(f(y_pred[twice], y[twice]), rel=1e-14)
    assert f(y_pred, y, np.zeros(5)) == 0.0
    assert not getattr(reference, f"{name}_grad")(y_pred, y, np.zeros(5)).any()


@pytest.mark.parametrize("name", [name for name in LOSSES if name != "cross_entropy"])
def test_a_column_and_a_vector_mean_the_same(name: str) -> None:
    y_pred, y = example(name, np.random.default_rng(4), outputs=1)
    f, f_grad = getattr(reference, name), getattr(reference, f"{name}_grad")
    assert f(y_pred, y) == f(y_pred[:, 0], y) == f(y_pred, y[:, 0])
    assert f_grad(y_pred[:, 0], y).shape == (5,)
    assert f_grad(y_pred, y[:, 0]).shape == (5, 1)


def test_labels_and_their_one_hot_rows_mean_the_same() -> None:
    x, labels = example("cross_entropy", np.random.default_rng(5))
    one_hot = np.eye(3)[labels]
    assert reference.cross_entropy(x, labels) == reference.cross_entropy(x, one_hot)
    assert reference.cross_entropy(x, labels[:, None]) == reference.cross_entropy(x, labels.astype(np.float32))
    np.testing.assert_array_equal(reference.cross_entropy_grad(x, labels), reference.cross_entropy_grad(x, one_hot))


@pytest.mark.parametrize("name", LOSSES)
def test_nan_reaches_the_loss_and_its_row_of_the_gradient(name: str) -> None:
    y_pred, y = example(name, np.random.default_rng(6))
    y_pred[2, 1] = np.nan
    assert np.isnan(getattr(reference, name)(y_pred, y))
    bad = np.isnan(getattr(reference, f"{name}_grad")(y_pred, y))
    assert bad.any(axis=1).tolist() == [False, False, True, False, False]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: losses.mse([1.0, 2.0], [1.0]), r"\[mse\] y_pred has shape \(2,\) but y has \(1,\)"),
        (lambda: losses.mse([[1.0, 2.0]], [[1.0], [2.0]]), r"\[mse\] y_pred has shape \(1, 2\) but y has \(2, 1\)"),
        (lambda: losses.mse(np.ones((0, 2)), np.ones((0, 2))), "at least one row"),
        (lambda: losses.mse_grad([1.0], [1.0], [1.0, 2.0]), r"sample_weight has shape \(2,\) but y_pred has 1 rows"),
        (lambda: losses.mse([1.0, 2.0], [1.0, 2.0], [1.0, -1.0]), "at least 0, but its minimum is -1"),
        (lambda: losses.bce([1.5], [1.0]), r"\[bce\] y_pred goes from 1.5 to 1.5"),
        (lambda: losses.cross_entropy([1.0], [0]), r"must be \(rows, classes\)"),
        (lambda: losses.cross_entropy([[1.0, 2.0]], [2]), "label 2 at index 0 .* 0 to 1"),
        (lambda: losses.cross_entropy([[1.0, 2.0]] * 2, [0, -1]), "label -1 at index 1"),
        (lambda: losses.cross_entropy([[1.0, 2.0]], [0.5]), "label 0.5 at index 0"),
        (lambda: losses.cross_entropy([[1.0, 2.0]], [np.nan]), "label nan at index 0"),
        (lambda: losses.cross_entropy([[1.0, 2.0]], [[1, 0, 0]]), "pass 1 labels, or probabilities"),
    ],
)
def test_losses_refuse_what_does_not_fit(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


# ---- Optimizers and losses beside PyTorch ---------------------------------------------------------------------------


def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is not installed; the comparison with it needs it")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("SGD", {"lr": 0.05}),
        ("SGD", {"lr": 0.05, "weight_decay": 0.1}),
        ("SGD", {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.1}),
        ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
        ("Adam", {"lr": 0.01}),
        ("Adam", {"lr": 0.01, "betas": (0.8, 0.99), "eps": 1e-3, "weight_decay": 0.1}),
        ("NAdam", {"lr": 0.01}),
        ("NAdam", {"lr": 0.01, "betas": (0.8, 0.99), "eps": 1e-3, "weight_decay": 0.1, "momentum_decay": 0.1}),
        ("Adagrad", {"lr": 0.1}),
        ("Adagrad", {"lr": 0.1, "eps": 1e-3, "weight_decay": 0.1}),
    ],
)
def test_optimizers_step_as_pytorchs(name: str, options: dict[str, Any], request: pytest.FixtureRequest) -> None:
    t, rng = torch(), np.random.default_rng(7)
    dtype = t.get_default_dtype()
    request.addfinalizer(lambda: t.set_default_dtype(dtype))
    t.set_default_dtype(t.float64)  # else NAdam's product of momenta is a float32
    w = {"a": rng.normal(size=(3, 4)), "b": rng.normal(size=4)}
    theirs = {k: t.tensor(v, requires_grad=True) for k, v in w.items()}
    ours, optimizer = getattr(reference, name)(**options), getattr(t.optim, name)(theirs.values(), **options)
    for _ in range(100):
        grads = {k: rng.normal(size=v.shape) for k, v in w.items()}
        ours.step(w, grads)
        for k, v in theirs.items():
            v.grad = t.tensor(grads[k])
        optimizer.step()
    for k, v in theirs.items():
        np.testing.assert_allclose(w[k], v.detach().numpy(), rtol=1e-12, atol=1e-12)  # 100 steps of a few roundings


@pytest.mark.parametrize("name", LOSSES)
def test_losses_are_pytorchs(name: str) -> None:
    t = torch()
    y_pred, y = example(name, np.random.default_rng(8))
    if name == "bce":
        y_pred[0], y[0] = [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]  # the certainties, right and wrong
    x = t.tensor(y_pred, requires_grad=True)
    function = cases.LOSSES[name].torch
    loss = (getattr(t.nn.functional, function) if isinstance(function, str) else function)(x, t.tensor(y)).mean()
    loss.backward()
    assert getattr(reference, name)(y_pred, y) == pytest.approx(loss.item(), rel=1e-14)
    rtol = 1e-8 if name == "bce" else 1e-13  # PyTorch's least denominator of bce, 1e-12, is a float32 even here
    np.testing.assert_allclose(getattr(reference, f"{name}_grad")(y_pred, y), x.grad.numpy(), rtol=rtol, atol=1e-15)


# ---- Network --------------------------------------------------------------------------------------------------------


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
    for epoch in range(3):
        order = random.permutation(11, 4, random.stream(random.SHUFFLE, 0, epoch))
        total = 0.0
        for rows in (order[:4], order[4:8], order[8:]):
            loss, _ = loop.loss_and_grads(X[rows], y[rows], w[rows])
            loop.step()
            total += loss * w[rows].sum()
        assert history["loss"][epoch] == pytest.approx(total / w.sum(), rel=1e-14)
    for name, weight in loop.state_dict().items():
        np.testing.assert_array_equal(net.state_dict()[name], weight)
    assert (net.steps, net.epochs) == (9, 3)


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
    with pytest.raises(ValueError, match="no layer of type 'Conv2d'"):
        reference.Network.from_config([{"type": "Conv2d"}])
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
