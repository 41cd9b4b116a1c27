"""The same bits for any number of threads, any layout, all instruction sets with FMA, and through save and resume."""

import os
import pathlib
from typing import Any

import numpy as np
import pytest

import internals
import nnext as nn
from cases import EVERY_OPTIMIZER
from determinism import BATCH, SAMPLES, THREADS, WITNESSES, data, network, trained
from internals import training_state
from layouts import LAYOUTS
from support import assert_same_bits, require_two_fma_isas, use_isa


@pytest.mark.parametrize("optimizer", EVERY_OPTIMIZER)
def test_no_number_of_threads_changes_a_bit(isa: str, rng: np.random.Generator, optimizer: str) -> None:
    X, y = data(rng)
    expected, expected_history = trained(X, y, optimizer=optimizer)
    for threads in THREADS[1:]:
        state, history = trained(X, y, threads, optimizer=optimizer)
        assert_same_bits(state, expected)
        assert history == expected_history


@pytest.mark.parametrize("optimizer", EVERY_OPTIMIZER)
def test_no_team_that_changes_its_size_changes_a_bit(isa: str, rng: np.random.Generator, optimizer: str) -> None:
    X, y = data(rng)
    expected, expected_history = trained(X, y, optimizer=optimizer)
    with internals.changing_team():
        state, history = trained(X, y, 8, optimizer=optimizer)
    assert_same_bits(state, expected)
    assert history == expected_history


def test_predictions_and_products_neither(isa: str, rng: np.random.Generator) -> None:
    model = nn.MLP([300, 200, 10], seed=0)
    X, A, B = (rng.normal(size=shape).astype("float32") for shape in [(1000, 300), (300, 500), (1000, 40)])
    with nn.runtime.threads(1):
        expected = [model.predict(X), nn.functional.matmul(X, A), nn.functional.matmul(X.T, B)]
    with internals.changing_team(), nn.runtime.threads(8):
        for _ in range(8):
            for result, wanted in zip(
                [model.predict(X), nn.functional.matmul(X, A), nn.functional.matmul(X.T, B)], expected, strict=True
            ):
                assert_same_bits(result, wanted)


def test_history_tells_how_many_members_worked(rng: np.random.Generator) -> None:
    X, y = data(rng)
    model = network()
    for threads in (1, 2):
        with nn.runtime.threads(threads):
            assert model.fit(X, y, epochs=2, batch_size=BATCH, verbose=0).members == [threads] * 2
    with internals.changing_team(), nn.runtime.threads(2):
        (mean,) = model.fit(X, y, batch_size=BATCH, verbose=0).members
    assert 1 < mean < 2


def test_the_network_is_large_enough_for_eight_threads(rng: np.random.Generator) -> None:
    X, y = data(rng)
    trained(X, y, threads=8)
    assert len(os.listdir("/proc/self/task")) >= 8  # the team's threads stay, asleep


@pytest.mark.parametrize("loss", ["mse", "bce_with_logits", "cross_entropy"])
def test_targets_that_are_rows_do_not_change_that(rng: np.random.Generator, loss: str) -> None:
    X, labels = data(rng)
    y = np.eye(10, dtype="float32")[labels]
    weight = rng.uniform(0, 2, size=SAMPLES)
    states = []
    for threads in THREADS:
        model = network(loss=loss)
        with nn.runtime.threads(threads):
            model.fit(X, y, batch_size=BATCH, sample_weight=weight, validation_split=0.2, verbose=0)
        states.append(training_state(model))
    for state in states[1:]:
        assert_same_bits(state, states[0])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", EVERY_OPTIMIZER)
def test_instruction_sets_with_fma_train_to_the_same_bits(rng: np.random.Generator, optimizer: str, dtype: str) -> None:
    X, y = data(rng)
    results = []
    for name in require_two_fma_isas():
        with use_isa(name):
            results.append(trained(X, y, 2, optimizer=optimizer, dtype=dtype))
    assert_same_bits(results[0][0], results[1][0])
    assert results[0][1] == results[1][1]


@pytest.mark.parametrize("sizes", [[1, 1], [3, 2, 1], [7, 17, 33, 5], [31, 8, 8, 2], [100, 1, 100, 16]])
def test_networks_of_odd_sizes_train_to_the_same_bits_with_both(rng: np.random.Generator, sizes: list[int]) -> None:
    X, y = rng.normal(size=(29, sizes[0])), rng.normal(size=(29, sizes[-1]))
    results = []
    for name in require_two_fma_isas():
        with use_isa(name):
            model = nn.MLP(sizes, activation="sigmoid", dropout=0.1)
            model.compile(loss="mse", optimizer="adam")
            model.fit(X, y, epochs=3, batch_size=8, verbose=0)
            results.append(training_state(model))
    assert_same_bits(results[0], results[1])


@pytest.mark.parametrize("layout", [*LAYOUTS, "float64", "memmap"])
def test_no_layout_of_x_changes_a_bit(rng: np.random.Generator, layout: str, tmp_path: pathlib.Path) -> None:
    X, y = data(rng)
    expected, history = trained(X, y, 2)
    if layout == "memmap":
        X.tofile(tmp_path / "x")
        view: np.ndarray = np.memmap(tmp_path / "x", "float32", "r", shape=X.shape)
    else:
        view = X.astype("float64") if layout == "float64" else LAYOUTS[layout](X)
    state, other = trained(view, y, 2)
    assert_same_bits(state, expected)
    assert other == history


@pytest.mark.parametrize("options", [*({"optimizer": name} for name in EVERY_OPTIMIZER), *WITNESSES], ids=str)
def test_save_and_resume_is_a_fit_that_was_never_interrupted(
    rng: np.random.Generator, options: dict[str, Any], tmp_path: pathlib.Path
) -> None:
    X, y = data(rng, **options)
    whole, _ = trained(X, y, 2, epochs=3, **options)
    model = network(**options)
    model.fit(X, y, epochs=1, batch_size=BATCH, verbose=0)
    model.save(tmp_path / "m.safetensors")
    again = nn.load(tmp_path / "m.safetensors")
    assert_same_bits(training_state(again), training_state(model))
    again.fit(X, y, epochs=2, batch_size=BATCH, verbose=0)
    assert_same_bits(training_state(again), whole)


def test_steps_so_long_that_they_are_cut_up_have_the_bits_of_own_loops(isa: str, rng: np.random.Generator) -> None:
    """A step of more than 200 MFLOP computes all gradients before it changes anything, to be interruptible."""
    rows, wide = 700, 300
    assert 3 * 2 * wide * (wide + 10) * rows > 2e8
    X, y = rng.normal(size=(2 * rows + 5, wide)), rng.integers(10, size=2 * rows + 5)
    states = []
    for threads in (1, 3):
        model = nn.MLP([wide, wide, 10], dropout=0.2)
        model.compile(loss="cross_entropy", optimizer=nn.Adam())
        with nn.runtime.threads(threads):
            model.fit(X, y, batch_size=rows, verbose=0)
        states.append(training_state(model))
    model = nn.MLP([wide, wide, 10], dropout=0.2)
    model.compile(loss="cross_entropy", optimizer=nn.Adam())
    order = internals.begin_epoch(model, len(X), True)
    for start in range(0, len(X), rows):
        batch = order[start : start + rows]
        model.loss_and_grads(X[batch], y[batch])
        model.step()
    for state in states:
        assert_same_bits(state, training_state(model))


def test_another_seed_gives_other_weights_and_the_same_seed_the_same(rng: np.random.Generator) -> None:
    X, y = rng.normal(size=(40, 5)), rng.integers(2, size=40)
    states = []
    for seed in (1, 1, 2):
        model = nn.MLP([5, 6, 2], dropout=0.5, seed=seed)
        model.compile(loss="cross_entropy")
        model.fit(X, y, epochs=2, batch_size=16, verbose=0)
        states.append(training_state(model))
    assert_same_bits(states[0], states[1])
    assert (states[0]["0.weight"] != states[2]["0.weight"]).all()


def test_predictions_depend_on_their_row_only(isa: str, rng: np.random.Generator) -> None:
    """Not on the number of threads, nor on how many rows come with them."""
    X, _ = data(rng)
    model = network()
    with nn.runtime.threads(1):
        expected = model.predict(X)
    for threads in THREADS[1:]:
        with nn.runtime.threads(threads):
            assert_same_bits(model.predict(X), expected)
    for first, last in ((0, 1), (3, 4), (5, 100), (127, 130), (1, SAMPLES)):
        assert_same_bits(model.predict(X[first:last]), expected[first:last])
    for batch_size in (1, 7, 5000):
        assert_same_bits(model.predict(X, batch_size=batch_size), expected)


def test_subnormal_numbers_are_zero_in_training_but_on_baseline(isa: str, dtype: str) -> None:
    """Not all CPUs can take them so: baseline has the bits of any portable build."""
    model = nn.Sequential(nn.Linear(1, 1, bias=False), dtype=dtype)
    model.load_state_dict({"0.weight": [[0.5]]})
    model.compile(loss="mse", optimizer=nn.SGD(lr=0.5))
    X = np.full((1, 1), np.finfo(dtype).tiny)  # the smallest number that is normal
    kept = X / 2 if isa == "baseline" else np.zeros((1, 1))
    assert_same_bits(model.forward(X), kept.astype(dtype))
    model.load_state_dict({"0.weight": X})
    model.fit([[0.5]], [[0.0]], verbose=0)  # y = kept, a gradient of 2 * kept * 0.5
    assert_same_bits(model.state_dict()["0.weight"], (X - kept / 2).astype(dtype))


def test_own_loops_do_not_depend_on_threads(isa: str, rng: np.random.Generator) -> None:
    X, y = data(rng)
    results = []
    for threads in THREADS:
        model = network()
        with nn.runtime.threads(threads):
            loss, grads = model.loss_and_grads(X, y)
            model.step()
            dX = model.backward(np.ones_like(model.forward(X)))
        results.append(
            {"loss": np.array(loss), "dX": dX, **grads, **{f"new {k}": v for k, v in model.state_dict().items()}}
        )
    for result in results[1:]:
        assert_same_bits(result, results[0])
