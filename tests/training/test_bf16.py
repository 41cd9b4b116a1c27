"""precision="bf16": what is rounded and to what, the bits, and that a network learns as well as in float32."""

import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import internals
import nnext as nn
from internals import training_state
from support import assert_same_bits, model_metadata, run_python
from tolerance import assert_within, product_bound

Array = np.ndarray
Set = tuple[Array, Array]

USABLE = nn.runtime.available_bf16() if nn.runtime.isa() == "avx512" else []
needs_bf16 = pytest.mark.skipif(not USABLE, reason="this CPU, or the instruction set in use, has no products in bf16")

ODD = [32, 33, 47, 48, 49, 63, 64, 65, 70]  # around tiles of 16 and 32 and panels of 64


@pytest.fixture(params=["amx", "avx512bf16"])
def kernels(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each kind of kernels for bf16, selected for the test."""
    if request.param not in USABLE:
        pytest.skip(f"this CPU, or the instruction set in use, has no {request.param}; usable: {USABLE}")
    internals.select_bf16(request.param)
    yield request.param
    internals.select_bf16(USABLE[0])


def rounded(x: Array) -> Array:
    """Return float32 numbers rounded to bf16, to nearest even."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    kept = (bits + 0x7FFF + (bits >> 16 & 1)) & np.uint32(0xFFFF0000)
    return kept.view(np.float32).astype(np.float64)


def compiled(*layers: nn.Layer, precision: str = "bf16", **settings: Any) -> nn.Sequential:
    model = nn.Sequential(*layers, seed=3)
    model.compile(**{"loss": "mse", "optimizer": nn.Adam(lr=1e-2), "precision": precision, **settings})
    return model


def check_layer(rng: np.random.Generator, rows: int, inputs: int, outputs: int, bias: bool = True) -> None:
    """Compare y, dx and dw of a layer with products of rounded numbers in float64."""
    model = compiled(nn.Linear(inputs, outputs, bias=bias, bias_init="normal" if bias else "zeros"))
    x, dy = (rng.normal(size=(rows, n)).astype(np.float32) for n in (inputs, outputs))
    w, b = model.state_dict()["0.weight"], model.state_dict().get("0.bias", np.zeros(outputs))
    y, dx = model.forward(x, training=True), model.backward(dy)
    rx, rdy, rw = rounded(x), rounded(dy), rounded(w)
    a, c = np.hstack([rx, np.ones((rows, 1))]), np.vstack([rw.T, b])
    assert_within(y, a @ c, product_bound(a, c, np.float32))
    assert_within(dx, rdy @ rw, product_bound(rdy, rw, np.float32))
    gradients = model.grads()
    assert_within(gradients["0.weight"], rdy.T @ rx, product_bound(rdy.T, rx, np.float32))
    if bias:  # sums of the gradients as they are
        ones = np.ones((1, rows))
        assert_within(gradients["0.bias"], (ones @ dy.astype(np.float64))[0], product_bound(ones, dy, np.float32)[0])


# ---- Products -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("inputs", ODD)
@pytest.mark.parametrize("outputs", ODD)
def test_all_products_are_those_of_rounded_operands(
    kernels: str, rng: np.random.Generator, inputs: int, outputs: int
) -> None:
    check_layer(rng, 1 + (inputs * outputs) % 70, inputs, outputs, bias=(inputs + outputs) % 2 == 0)


def test_any_number_of_rows_fits(kernels: str, rng: np.random.Generator) -> None:
    for rows in [*range(1, 71), 1000]:
        check_layer(rng, rows, 35, 50)


def test_many_features_take_several_blocks(kernels: str, rng: np.random.Generator) -> None:
    check_layer(rng, 70, 1700, 33)
    check_layer(rng, 3, 33, 1700)


def test_narrow_layers_and_predictions_stay_in_float32(kernels: str, rng: np.random.Generator) -> None:
    X = rng.normal(size=(40, 50)).astype("float32")
    for layer in (nn.Linear(50, 31), nn.Linear(50, 40)):
        half, full = compiled(layer), compiled(layer, precision="float32")
        assert_same_bits(half.predict(X), full.predict(X))
        same = np.array_equal(half.forward(X, training=True), full.forward(X, training=True))
        assert same == (layer.out_features < 32)


def test_overflow_and_nan_show(kernels: str) -> None:
    model = compiled(nn.Linear(40, 40))
    x = np.ones((20, 40), np.float32)
    for value, shows in ((np.float32(3.4e38), np.isinf), (np.float32("nan"), np.isnan)):
        weight = model.state_dict()["0.weight"]
        weight[:, :] = 1
        weight[7, 5] = value
        model.load_state_dict({"0.weight": weight}, strict=False)
        y = model.forward(x, training=True)
        assert shows(y[:, 7]).all()
        assert np.isfinite(np.delete(y, 7, axis=1)).all()


# ---- The same bits --------------------------------------------------------------------------------------------------


def network(**settings: Any) -> nn.Sequential:
    layers = (nn.Linear(65, 256), nn.ReLU(), nn.Dropout(0.2), nn.Linear(256, 67), nn.Tanh(), nn.Linear(67, 10))
    return compiled(*layers, **{"loss": "cross_entropy", **settings})


def data(rng: np.random.Generator, n: int = 700) -> tuple[Array, Array]:
    return rng.normal(size=(n, 65)).astype("float32"), rng.integers(10, size=n)


def fitted(model: nn.Sequential, X: Array, y: Array, threads: int = 1, **options: Any) -> dict[str, Array]:
    with nn.runtime.threads(threads):
        model.fit(X, y, **{"batch_size": 300, "verbose": 0, **options})
    return training_state(model)


def test_no_number_of_threads_changes_a_bit(kernels: str, rng: np.random.Generator) -> None:
    X, y = data(rng)
    expected = fitted(network(), X, y, epochs=2)
    for threads in (2, 3, 8):
        assert_same_bits(fitted(network(), X, y, threads, epochs=2), expected)


def test_a_long_step_and_an_own_loop_give_the_bits_of_fit(kernels: str, rng: np.random.Generator) -> None:
    X, y = data(rng, 2500)  # a step of more than 0.2 GFLOP computes all gradients first
    expected = fitted(network(), X, y, batch_size=2500, shuffle=False)
    own = network()
    own.loss_and_grads(X, y)
    own.step()
    own = training_state(own)
    assert_same_bits(
        {k: v for k, v in own.items() if k != "counters"}, {k: expected[k] for k in own if k != "counters"}
    )


def test_weights_set_between_fits_are_the_ones_that_count(kernels: str, rng: np.random.Generator) -> None:
    X, y = data(rng)
    used, fresh = network(optimizer=nn.SGD(lr=0.1)), network(optimizer=nn.SGD(lr=0.1))
    fitted(used, X, y)
    used.load_state_dict(fresh.state_dict())
    internals.set_counters(used, internals.counters(fresh))
    assert_same_bits(fitted(used, X, y), fitted(fresh, X, y))


def test_frozen_layers_and_a_return_to_float32(kernels: str, rng: np.random.Generator) -> None:
    X, y = data(rng)
    model = network()
    model.freeze("0", "3")
    before = model.state_dict()
    fitted(model, X, y)
    for name in ("0.weight", "3.weight"):
        assert_same_bits(model.state_dict()[name], before[name])
    model, plain = network(), network(precision="float32")
    model.compile(loss="cross_entropy", optimizer=nn.Adam(lr=1e-2))
    assert_same_bits(fitted(model, X, y), fitted(plain, X, y))


# ---- Learning -------------------------------------------------------------------------------------------------------


def test_digits_are_learned_as_well_as_in_float32(kernels: str, mnist: tuple[Set, Set]) -> None:
    (X, y), (X_test, y_test) = mnist
    accuracies = []
    for precision in ("float32", "bf16"):
        layers = (nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))
        model = nn.Sequential(*layers)
        model.compile("cross_entropy", nn.Adam(lr=1e-3), metrics=["accuracy"], precision=precision)
        model.fit(X[:20000], y[:20000], epochs=3, batch_size=64, verbose=0, scale=1 / 255)
        accuracies.append(model.evaluate(X_test, y_test, scale=1 / 255)["accuracy"])
    assert accuracies[1] > 0.93
    assert abs(accuracies[0] - accuracies[1]) < 0.01  # five times the spread of the difference on 10,000 images


# ---- Files ----------------------------------------------------------------------------------------------------------


@needs_bf16
def test_a_file_keeps_the_precision(rng: np.random.Generator, tmp_path: pathlib.Path) -> None:
    X, y = data(rng)
    path = tmp_path / "m.safetensors"
    model = network()
    fitted(model, X, y)
    model.save(path)
    assert model_metadata(path)["precision"] == "bf16"
    assert_same_bits(fitted(nn.load(path), X, y), fitted(model, X, y))


@needs_bf16
def test_a_file_loads_where_bf16_is_missing(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "m.safetensors"
    network().save(path)
    code = f"""
import warnings
import internals
import nnext as nn
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    model = nn.load({str(path)!r})
print(internals.settings(model)["precision"], caught[0].category.__name__, caught[0].message)
"""
    result = run_python(code, NNEXT_ISA="avx2")
    assert result.stdout.startswith("float32 RuntimeWarning [load] compiled with precision")
    assert "avx2" in result.stdout


# ---- What is refused ------------------------------------------------------------------------------------------------


def test_other_precisions_are_refused() -> None:
    model = nn.MLP([40, 40, 2])
    with pytest.raises(ValueError, match="unknown precision 'fp16'; use one of float32, bf16"):
        model.compile("mse", precision="fp16")
    assert model.optimizer is None


def test_float64_networks_are_refused() -> None:
    model = nn.MLP([40, 40, 2], dtype="float64")
    with pytest.raises(ValueError, match=r'precision is "bf16" but the network\'s dtype is float64; make it with'):
        model.compile("mse", precision="bf16")
    assert model.optimizer is None


def test_where_the_cpu_has_no_bf16_it_is_refused() -> None:
    isas = [isa for isa in nn.runtime.available_isas() if isa != "avx512"]
    result = run_python("import nnext as nn; nn.MLP([40, 40, 2]).compile('mse', precision='bf16')", NNEXT_ISA=isas[0])
    assert '[compile] precision is "bf16" but ' in result.stderr
    assert 'use precision="float32"' in result.stderr


def test_kernels_that_are_not_there_are_refused() -> None:
    with pytest.raises(ValueError, match="bf16=sse is not available; available: "):
        internals.select_bf16("sse")
