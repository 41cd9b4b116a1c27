"""accumulate=k: one update for k batches, with the bits of one for a batch that is k times as large."""

from typing import Any

import numpy as np
import pytest

import internals
import nnext as nn
from cases import OPTIMIZERS
from determinism import THREADS
from internals import training_state
from layer_cases import LAYERS
from loss_cases import LOSSES
from pins import classes, hidden, labels, uniform
from support import assert_same_bits, unchanged
from tolerance import assert_within, eps

Array = np.ndarray

# Without statistics of a batch. "columns" has a first layer that a team splits by its outputs, "long" steps that can
# be interrupted, "tiny" steps that one kernel takes where they are one batch.
NETWORKS: dict[str, list[nn.Layer]] = {
    "tiny": [nn.Linear(65, 5), nn.LeakyReLU(0.1), nn.Linear(5, 10)],
    "layered": [*hidden(), nn.Linear(40, 10)],
    "no bias": [nn.Linear(65, 131, bias=False), nn.GELU(), nn.Linear(131, 10, bias=False)],
    "residual": [
        nn.Linear(65, 40),
        nn.Residual(nn.Linear(40, 90), nn.Dropout(0.4), nn.Linear(90, 60), shortcut=nn.Linear(40, 60)),
        nn.LeakyReLU(0.1), nn.Linear(60, 10),
    ],
    "columns": [nn.Linear(65, 384), nn.ReLU(), nn.Linear(384, 10)],
    "long": [nn.Linear(65, 700), nn.ReLU(), nn.Dropout(0.2), nn.Linear(700, 700), nn.ReLU(), nn.Linear(700, 10)],
}  # fmt: skip
X, Y = classes(230)


def build(layers: str | list[nn.Layer], accumulate: int = 1, loss: Any = "cross_entropy", **settings: Any) -> Any:
    dtype = settings.pop("dtype", "float32")
    model = nn.Sequential(*(NETWORKS[layers] if isinstance(layers, str) else layers), seed=7, dtype=dtype)
    settings = {"optimizer": OPTIMIZERS["adam"].make(), **settings}
    model.compile(loss=loss, accumulate=accumulate, **settings)
    return model


def fitted(model: nn.Sequential, x: Array = X, y: Array = Y, **options: Any) -> dict[str, Any]:
    history = model.fit(x, y, **{"epochs": 2, "verbose": 0, **options}).history
    return training_state(model) | {name: np.array(values) for name, values in history.items()}


def assert_as_one_batch(
    layers: str, k: int, size: int, y: Array = Y, options: dict[str, Any] | None = None, **settings: Any
) -> None:
    options = options or {}
    large = fitted(build(layers, **settings), y=y, batch_size=k * size, **options)
    assert_same_bits(fitted(build(layers, k, **settings), y=y, batch_size=size, **options), large)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(("k", "size"), [(4, 16), (3, 23), (2, 60), (50, 7)])
def test_so_many_batches_are_one(isa: str, network: str, k: int, size: int) -> None:
    """With fewer batches in the last step and fewer rows in its last one, or all in a single step."""
    assert_as_one_batch(network, k, size)


@pytest.mark.parametrize("network", ["layered", "columns", "residual", "long"])
@pytest.mark.parametrize(("size", "accumulate"), [(1100, 1), (2100, 1), (700, 2)])
def test_a_batch_that_goes_in_parts_is_one(network: str, size: int, accumulate: int) -> None:
    """One of thousands of rows would leave the cache; here it goes in as many batches as the one beside it."""
    x, y = classes(2100)
    parts = fitted(build(network, accumulate, metrics=["accuracy"]), x, y, batch_size=size, shuffle=True)
    small = build(network, accumulate * size // 100, metrics=["accuracy"])
    assert_same_bits(fitted(small, x, y, batch_size=100, shuffle=True), parts)


def test_a_batch_with_statistics_is_whole() -> None:
    x, y = classes(1300)
    layers = [nn.Linear(65, 20), nn.BatchNorm1d(20), nn.Linear(20, 10)]
    model = build(layers, optimizer=nn.SGD(lr=0.1))
    hidden_before = model[:1].predict(x)
    model.fit(x, y, batch_size=1300, verbose=0)
    mean = hidden_before.astype("float64").mean(axis=0)
    bound = len(x) * eps("float32") * np.abs(hidden_before).mean()
    assert_within(model.state_dict()["1.running_mean"], 0.1 * mean, bound)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("threads", THREADS[1:])
def test_on_any_number_of_threads(network: str, threads: int) -> None:
    with nn.runtime.threads(1):
        expected = fitted(build(network, metrics=["accuracy"]), batch_size=150)
    with nn.runtime.threads(threads):
        for k, size in ((1, 150), (2, 75), (10, 15)):
            assert_same_bits(fitted(build(network, k, metrics=["accuracy"]), batch_size=size), expected)


@pytest.mark.parametrize("name", [n for n, case in LAYERS.items() if not any("running" in t for t in case.tensors)])
def test_every_layer_goes_on_from_batch_to_batch(isa: str, dtype: str, name: str) -> None:
    """But for those whose statistics are a batch's own."""
    case = LAYERS[name]
    before, shape = case.before()
    layers = [before, case.layer, *case.head(10)]
    x = case.suitable(uniform(1, len(Y), *shape))
    results = [fitted(build(layers, k, dtype=dtype), x, batch_size=90 // k) for k in (1, 3, 9)]
    for each in results[1:]:
        assert_same_bits(each, results[0])


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_with_every_optimizer(isa: str, dtype: str, optimizer: str) -> None:
    for network in ("tiny", "layered"):
        for limit in (None, 0.05):
            rule = OPTIMIZERS[optimizer].make()
            assert_as_one_batch(network, 3, 20, optimizer=rule, dtype=dtype, clip_norm=limit)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("weights", [None, "of samples", "of outputs"])
def test_with_every_loss_and_weights(isa: str, dtype: str, rng: np.random.Generator, name: str, weights: Any) -> None:
    case = LOSSES[name]
    if weights == "of outputs" and not case.is_mean:
        pytest.skip("the loss is no mean over outputs")
    last = [nn.Sigmoid()] if case.name == "bce" else []
    layers = [nn.Linear(65, 20), nn.Dropout(0.3), nn.Linear(20, 10), *([case.last_layer] if case.last_layer else last)]
    shape = (len(X), 10) if weights == "of outputs" else len(X)
    options = {} if weights is None else {"sample_weight": rng.integers(1, 5, size=shape) / 2}
    y = case.targets(rng, len(X), 10)
    results = [
        fitted(build(layers, k, case.make(), dtype=dtype), y=y, batch_size=90 // k, **options) for k in (1, 3, 9)
    ]
    for each in results[1:]:
        assert_same_bits(each, results[0])


@pytest.mark.parametrize("options", [{"shuffle": False}, {"scale": 1 / 255}], ids=str)
def test_samples_in_their_order_and_as_bytes(options: dict[str, Any]) -> None:
    x = X if "scale" not in options else (255 * np.abs(X)).astype("uint8")
    for network in NETWORKS:
        large = fitted(build(network), x, batch_size=64, **options)
        assert_same_bits(fitted(build(network, 4), x, batch_size=16, **options), large)


@pytest.mark.parametrize("layer", ["0", "1"])
def test_frozen_layers_and_metrics(isa: str, layer: str) -> None:
    results = []
    for k in (1, 4):
        model = build("residual", k, metrics=["accuracy"])
        model.freeze(layer)
        results.append(fitted(model, batch_size=64 // k))
    assert_same_bits(results[1], results[0])


def test_steps_are_what_counts() -> None:
    model = build("layered", 4)
    model.fit(X, Y, batch_size=16, verbose=0)
    assert internals.counters(model) == (4, 1, 4)  # 64, 64, 64 and 38 rows


# ---- what is each batch's own ---------------------------------------------------------------------------------------


def test_batch_norm_takes_each_batch_by_itself_and_moves_its_statistics_once(isa: str, dtype: str) -> None:
    layers = [nn.Linear(65, 12), nn.BatchNorm1d(12), nn.Tanh(), nn.Linear(12, 10)]
    model = build(layers, 3, optimizer=nn.SGD(lr=0.5), dtype=dtype)
    plain = build(layers, optimizer=nn.SGD(lr=0.5), dtype=dtype)
    parts = [slice(0, 30), slice(30, 60), slice(60, 80)]
    start, wanted = plain.state_dict(), {}
    for part in parts:
        share = len(X[part]) / 80
        _, grads = plain.loss_and_grads(X[part], Y[part])
        for name, gradient in grads.items():
            wanted[name] = wanted.get(name, 0) + share * gradient.astype("float64")
        rows = X[part].astype(dtype) @ start["0.weight"].T + start["0.bias"]
        for name, seen in (("1.running_mean", rows.mean(axis=0)), ("1.running_var", rows.var(axis=0, ddof=1))):
            wanted[name] = wanted.get(name, 0) + share * seen
    model.fit(X[:80], Y[:80], batch_size=30, shuffle=False, verbose=0)
    after = model.state_dict()
    assert after["1.num_batches_tracked"] == 1
    for name, value in wanted.items():
        moved = start[name] - 0.5 * value if "running" not in name else 0.9 * start[name] + 0.1 * value
        # A few sums over 65 features and 80 rows, all of whose terms are about 1 or less.
        assert_within(after[name], moved, 200 * eps(dtype) * (1 + np.abs(value).max()))


@pytest.mark.parametrize("threads", THREADS[1:])
def test_batch_norm_on_any_number_of_threads(isa: str, threads: int) -> None:
    layers = [nn.BatchNorm1d(65), nn.Linear(65, 131), nn.BatchNorm1d(131, momentum=None), nn.Linear(131, 10)]
    results = []
    for count in (1, threads):
        with nn.runtime.threads(count):
            results.append(fitted(build(layers, 3), batch_size=70))
    assert_same_bits(results[1], results[0])


def test_every_batch_needs_rows_for_batch_norm() -> None:
    model = build([nn.BatchNorm1d(65), nn.Linear(65, 10)], 4)
    with unchanged(model), pytest.raises(ValueError, match="a batch has 1 but batch normalization needs 2"):
        model.fit(X[:33], Y[:33], batch_size=16, verbose=0)


# ---- losses of the user's -------------------------------------------------------------------------------------------


def mean_squared(y_pred: Array, y: Array) -> tuple[float, Array]:
    return float(((y_pred - y) ** 2).mean()), 2 * (y_pred - y) / y_pred.size


@pytest.mark.parametrize("network", ["tiny", "layered", "columns"])
def test_a_loss_of_ones_own_is_the_mean_of_what_it_says_of_the_batches(isa: str, network: str) -> None:
    targets, sgd = uniform(3, 230, 10).astype("float64"), nn.SGD(lr=0.1)
    own = fitted(build(network, 4, mean_squared, optimizer=sgd, dtype="float64"), y=targets, batch_size=16)
    core = fitted(build(network, 4, "mse", optimizer=sgd, dtype="float64"), y=targets, batch_size=16)
    for name, expected in core.items():
        assert_within(own[name], expected, 1e4 * eps("float64") * max(1, np.abs(expected).max()))


def test_a_loss_that_fails_in_the_middle_of_a_step_changes_nothing() -> None:
    calls = []

    def fails(y_pred: Array, y: Array) -> tuple[float, Array]:
        calls.append(len(y_pred))
        if len(calls) == 7:
            raise OSError("gone")
        return mean_squared(y_pred, y)

    model, twin = build("layered", 4, fails), build("layered", 4, mean_squared)
    targets = uniform(3, 230, 10)
    with pytest.raises(OSError, match="gone"):
        model.fit(X, targets, batch_size=16, shuffle=False, verbose=0)
    assert calls == [16] * 7
    twin.fit(X[:64], targets[:64], batch_size=16, shuffle=False, verbose=0)
    assert_same_bits(training_state(model), training_state(twin))


# ---- what may go wrong ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("network", ["tiny", "layered", "columns"])
@pytest.mark.parametrize("lr", [3.0, 1e18])
def test_divergence_goes_back_as_it_does_from_one_batch(isa: str, network: str, lr: float) -> None:
    ends = []
    for k in (1, 4):
        model = build(network, k, "mse", optimizer=nn.SGD(lr=lr, momentum=0.9))
        with pytest.raises(nn.DivergenceError) as caught:
            model.fit(X, 10 * uniform(3, 230, 10), epochs=200, batch_size=64 // k, verbose=0)
        ends.append((training_state(model), (caught.value.epoch, caught.value.step)))
    assert_same_bits(ends[1][0], ends[0][0])
    assert ends[1][1] == ends[0][1]


def test_not_in_bf16() -> None:
    if not nn.runtime.available_bf16() or nn.runtime.isa() != "avx512":
        pytest.skip("this CPU, or the instruction set in use, has no products in bf16")
    model = build("layered", 2)
    with unchanged(model), pytest.raises(ValueError, match=r'precision is "bf16" and accumulate is 4, but'):
        model.compile(loss="cross_entropy", precision="bf16", accumulate=4)
    model.compile(loss="cross_entropy", precision="bf16", accumulate=1)


def test_the_most_batches_there_can_be() -> None:
    model, whole = build("layered", 2**63 - 1), build("layered")
    assert_same_bits(fitted(model, batch_size=2**63 - 1), fitted(whole, batch_size=230))
    assert_same_bits(fitted(model, batch_size=7), fitted(whole, batch_size=230))


def test_labels_of_one_row_a_batch() -> None:
    assert_as_one_batch("layered", 10, 1, y=labels(4, 230, 10), options={"epochs": 1})
