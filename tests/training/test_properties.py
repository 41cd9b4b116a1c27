"""Properties of whole networks, drawn by Hypothesis: what nnext.reference computes, within the bounds of rounding."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import internals
import nnext as nn
from cases import OPTIMIZERS, OptimizerCase
from chain_strategies import stacks
from error_bounds import bounded
from internals import training_state
from nnext import reference
from strategies import NETWORK_SEEDS, OPTIMIZER, SEEDS, Task, normal, tasks
from support import FMA_ISAS, assert_same_bits, use_isa
from tolerance import assert_relative, assert_within, eps


def shares(task: Task) -> np.ndarray:
    weight = np.ones(len(task.X)) if task.weight is None else task.weight
    return weight / weight.sum()


@given(tasks())
def test_outputs_are_the_references(task: Task) -> None:
    twin = bounded(task.model)
    for training in (False, True):
        expected = twin.forward(task.X, training)
        outputs = task.model.forward(task.X, training=training)
        assert_within(outputs, expected, 2 * twin.error + np.finfo(task.model.dtype).tiny)
        if not training:
            assert_same_bits(task.model.predict(task.X), outputs)


@given(tasks())
def test_loss_and_gradients_are_the_references(task: Task) -> None:
    twin, share = bounded(task.model, task.head), shares(task)
    output = twin.forward(task.X, True)
    gradient, error = twin.loss(task.fused, task.y, share, task.arguments)
    twin.backward(gradient, error)
    loss, grads = task.model.loss_and_grads(task.X, task.y, sample_weight=task.weight)
    expected = getattr(reference, task.fused)(output, task.y, share, **task.arguments)
    # Each output's error times the loss's slope there, and the roundings of sums of numbers of the loss's size.
    terms = (output.shape[1] + len(task.X) + 20) * eps(task.model.dtype)
    slope = (np.abs(gradient) * twin.error).sum()
    assert_within(loss, expected, 2 * slope + 2 * terms * (expected + (np.abs(gradient) * np.abs(output)).sum() + 1))
    twin.network.backward(gradient)
    for name, values in twin.network.grads().items():
        assert_within(grads[name], values, 2 * twin.gradients[name] + np.finfo(task.model.dtype).tiny)


@given(tasks(), SEEDS)
def test_the_gradient_of_the_input_is_the_references(task: Task, seed: int) -> None:
    twin = bounded(task.model)
    output = twin.forward(task.X, True)
    dY = normal(seed, *output.shape).astype(task.model.dtype)
    twin.backward(dY.astype(np.float64), np.zeros_like(output))
    task.model.forward(task.X)
    assert_within(
        task.model.backward(dY), twin.network.backward(dY), 2 * twin.input_gradient + np.finfo(task.model.dtype).tiny
    )


@given(tasks(dtype="float64", smooth=True, max_size=5))
def test_gradients_are_those_of_central_differences(task: Task) -> None:
    loss, grads = task.model.loss_and_grads(task.X, task.y, sample_weight=task.weight)
    sizes = [np.abs(values).max() for values in grads.values()]
    assume(max(sizes) > 0.1 * loss)
    assume(all(size > 1e-4 or size < 1e-12 for size in sizes))  # below, the differences have few digits
    assert nn.gradcheck(task.model, task.X, task.y, sample_weight=task.weight).max_relative_error <= 1e-6


@pytest.mark.parametrize("number", ["float32", "float64"])
@pytest.mark.parametrize("name", OPTIMIZERS)
@given(outputs=st.integers(1, 70), steps=st.integers(1, 4), seed=SEEDS)
def test_an_update_is_the_references_for_any_gradient(
    name: str, number: str, outputs: int, steps: int, seed: int
) -> None:
    """With x = 1 and a batch of one row the gradient of a weight is dY itself: the update sees exact numbers."""
    case = OPTIMIZERS[name]
    model = nn.Sequential(nn.Linear(1, outputs, bias=False), dtype=number)
    model.compile(loss="mse", optimizer=case.make())
    weights, optimizer = {"w": model.state_dict()["0.weight"].astype(np.float64)}, case.make_reference()
    for step in range(steps):
        dY = normal(seed + step, 1, outputs).astype(number)
        model.forward(np.ones((1, 1)))
        model.backward(dY)
        model.step()
        optimizer.step(weights, {"w": dY.astype(np.float64).T})
    moved = np.abs(weights["w"]) + case.settings["lr"] * (steps + np.abs(weights["w"]))
    # A few roundings a step, of the sums, of the rule's own numbers and of the result.
    assert_within(model.state_dict()["0.weight"], weights["w"], 20 * steps * eps(number) * moved)


@given(tasks(dtype="float64", smooth=True, max_size=12), st.integers(1, 3), st.integers(1, 40), st.booleans())
def test_a_fit_is_the_references(task: Task, epochs: int, batch_size: int, shuffle: bool) -> None:
    assume(task.fits(batch_size))
    model, settings = task.twin(optimizer=nn.SGD(lr=0.01, momentum=0.5)), internals.settings(task.model)
    network = reference.Network.from_model(
        model, settings["loss"], reference.SGD(lr=0.01, momentum=0.5), settings["clip_norm"]
    )
    arguments = {"epochs": epochs, "batch_size": batch_size, "shuffle": shuffle, "sample_weight": task.weight}
    history = model.fit(task.X, task.y, **arguments, verbose=0).history
    assert_relative(history["loss"], network.fit(task.X, task.y, **arguments)["loss"], 1e4 * eps("float64"))
    for name, values in network.state_dict().items():
        assert_within(model.state_dict()[name], values, 1e4 * eps("float64") * max(1.0, np.abs(values).max()))


@given(tasks(), OPTIMIZER, st.integers(1, 40))
def test_fit_and_own_loops_agree_in_every_bit_for_one_batch(task: Task, case: OptimizerCase, extra: int) -> None:
    fused, stepwise = (task.twin(optimizer=case.make()) for _ in range(2))
    fused.fit(task.X, task.y, batch_size=len(task.X) + extra, shuffle=False, sample_weight=task.weight, verbose=0)
    internals.begin_epoch(stepwise, len(task.X), False)
    stepwise.loss_and_grads(task.X, task.y, sample_weight=task.weight)
    stepwise.step()
    assert_same_bits(training_state(fused), training_state(stepwise))


@given(tasks(), st.integers(1, 9), OPTIMIZER)
def test_no_number_of_threads_changes_a_bit(task: Task, threads: int, case: OptimizerCase) -> None:
    states = []
    for count in (1, threads):
        model = task.twin(optimizer=case.make())
        X, y = np.repeat(task.X, 40, axis=0), np.repeat(task.y, 40, axis=0)
        with nn.runtime.threads(count):
            model.fit(X, y, batch_size=500, verbose=0)
            states.append({**training_state(model), "predicted": model.predict(X)})
    assert_same_bits(states[1], states[0])


@given(st.data())
def test_instruction_sets_with_fma_agree_in_every_bit(data: st.DataObject) -> None:
    assume(len(FMA_ISAS) > 1)
    task = data.draw(tasks())
    assume(task.fits(7))
    states = []
    for isa in FMA_ISAS:
        with use_isa(isa):
            model = task.twin(optimizer="adam")
            model.fit(task.X, task.y, epochs=2, batch_size=7, sample_weight=task.weight, verbose=0)
            states.append(training_state(model))
    for state in states[1:]:
        assert_same_bits(state, states[0])


@given(tasks(), st.data())
def test_a_row_is_predicted_alone_as_among_others(task: Task, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(task.X)))
    last = data.draw(st.integers(first, len(task.X)))
    assert_same_bits(task.model.predict(task.X[first:last]), task.model.predict(task.X)[first:last])


@given(tasks(dtype="float64"), st.data())
def test_the_loss_of_a_whole_is_the_weighted_mean_of_its_parts(task: Task, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(task.X)))
    weight = np.ones(len(task.X)) if task.weight is None else task.weight
    total = 0.0
    for part in (slice(0, cut), slice(cut, None)):
        if len(task.X[part]):
            value = task.model.evaluate(task.X[part], task.y[part], sample_weight=weight[part])["loss"]
            total += value * weight[part].sum()
    whole = task.model.evaluate(task.X, task.y, sample_weight=task.weight)["loss"]
    assert_within(whole, total / weight.sum(), 100 * eps("float64") * whole)


@given(tasks(dtype="float64", dropout=False, batch_norm=False, smooth=True, max_size=12), st.data())
def test_a_weight_of_n_is_n_samples(task: Task, data: st.DataObject) -> None:
    times = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(task.X), max_size=len(task.X))))
    assume(times.any())
    repeated = np.repeat(np.arange(len(task.X)), times)
    loss, grads = task.model.loss_and_grads(task.X, task.y, sample_weight=times)
    other, other_grads = task.model.loss_and_grads(task.X[repeated], task.y[repeated])
    assert_within(loss, other, 200 * eps("float64") * max(other, 1))
    for name, values in grads.items():
        assert_within(values, other_grads[name], 200 * eps("float64") * max(np.abs(values).max(), 1))


# ---- Random numbers -------------------------------------------------------------------------------------------------


@given(st.integers(1, 300), NETWORK_SEEDS, st.integers(0, 2**40 - 1))
def test_the_order_of_samples_is_the_references(n: int, seed: int, epoch: int) -> None:
    model = nn.Sequential(nn.Identity(), seed=seed)
    internals.set_counters(model, (0, epoch, 0))
    name = reference.random.stream(reference.random.SHUFFLE, 0, epoch)
    assert internals.begin_epoch(model, n, True).tolist() == reference.random.permutation(n, seed, name).tolist()


@given(
    st.floats(0, 0.99),
    st.integers(1, 9),
    st.integers(1, 40),
    NETWORK_SEEDS,
    st.integers(0, 2**40 - 1),
    st.integers(0, 3),
)
def test_dropout_masks_are_the_references(p: float, rows: int, features: int, seed: int, step: int, layer: int) -> None:
    model = nn.Sequential(*[nn.Identity()] * layer, nn.Dropout(p), seed=seed, dtype="float64")
    internals.set_counters(model, (step, 0, 0))
    mask = reference.random.dropout_mask((rows, features), p, seed, layer, step)
    assert_same_bits(model.forward(np.ones((rows, features))), mask)
    assert_same_bits(model.backward(np.ones((rows, features))), mask)


@given(stacks(), NETWORK_SEEDS)
def test_first_weights_are_the_references(layers: list[nn.Layer], seed: int) -> None:
    state = nn.Sequential(*layers, seed=seed, dtype="float64").state_dict()
    network = reference.Network.from_config([layer.config() for layer in layers], seed=seed)
    assert_same_bits(state, network.state_dict())
