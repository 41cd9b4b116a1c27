"""The reference's functions and update rules against numeric gradients and PyTorch: all else is compared with them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import activation_cases
import cases
from nnext import reference
from nnext.reference import losses
from numeric import NUMERIC, example, numeric_grad

ACTIVATIONS = [*dict.fromkeys(case.name for case in activation_cases.ACTIVATIONS.values()), "softmax", "log_softmax"]
LOSSES = list(dict.fromkeys(case.name for case in cases.LOSSES.values()))


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
    nan = [True, True, True] if "softmax" in name else [False, True, False]
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
        assert reference.log_softmax(big).tolist() == [[-2000.0, 0.0]]
        assert reference.bce_with_logits(big, [[1.0, 0.0]]) == 1000.0
        assert reference.cross_entropy(big, [0]) == 2000.0
        for name in ("softplus", "silu", "mish", "hardswish"):
            assert getattr(reference, name)(big).tolist() == [[0.0, 1000.0]]
            assert getattr(reference, f"{name}_grad")(big).tolist() == [[0.0, 1.0]]
        assert reference.softsign([[-np.inf, np.inf]]).tolist() == [[-1.0, 1.0]]
        assert reference.elu(big, alpha=0.5).tolist() == [[-0.5, 1000.0]]
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
