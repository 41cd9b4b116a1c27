"""Stateful recurrent layers: each batch of a fit goes on from the one before."""

from typing import Any

import numpy as np
import pytest

import internals
import nnext as nn
from support import assert_same_bits

KINDS = {"RNN": nn.RNN, "GRU": nn.GRU, "LSTM": nn.LSTM}
STREAMS, CHUNKS, STEPS, F, H = 4, 6, 5, 3, 7  # so many sequences go on, each cut into chunks


def network(kind: str, layers: int = 1, sequences: bool = True, **settings: Any) -> nn.Sequential:
    recurrent = KINDS[kind](F, H, num_layers=layers, return_sequences=sequences, stateful=True)
    model = nn.Sequential(recurrent, nn.Linear(H, 2), seed=4, dtype="float64")
    model.compile(loss="mse", optimizer=nn.SGD(lr=0.2), **settings)
    return model


def chunks(rng: np.random.Generator, sequences: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Return samples and targets: chunk after chunk, in each of them all sequences."""
    X = rng.normal(size=(CHUNKS * STREAMS, STEPS, F))
    return X, rng.normal(size=(*X.shape[: 2 if sequences else 1], 2))


@pytest.mark.parametrize("sequences", [True, False])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_truncated_backpropagation_is_pytorchs(
    kind: str, layers: int, sequences: bool, rng: np.random.Generator
) -> None:
    torch_twins = pytest.importorskip("torch_twins")
    torch = torch_twins.torch
    model = network(kind, layers, sequences)
    X, y = chunks(rng, sequences)
    twin = torch_twins.twin(model)
    recurrent, linear = twin[0], twin[1]
    optimizer = torch.optim.SGD(twin.parameters(), lr=0.2)
    history = model.fit(X, y, epochs=2, batch_size=STREAMS, shuffle=False, verbose=0)
    losses = []
    for _ in range(2):
        state = None
        for first in range(0, len(X), STREAMS):
            given = torch.from_numpy(X[first : first + STREAMS])
            out, state = recurrent.steps(given, state)
            state = tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()
            said = linear(out if sequences else out[:, -1])
            loss = ((said - torch.from_numpy(y[first : first + STREAMS])) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    np.testing.assert_allclose(history["loss"], np.reshape(losses, (2, -1)).mean(axis=1), rtol=1e-10)
    for name, values in twin.state_dict().items():
        np.testing.assert_allclose(model.state_dict()[name], values.numpy(), rtol=0, atol=1e-10, err_msg=name)


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_rate_the_outputs_are_those_of_one_long_sequence(kind: str, rng: np.random.Generator) -> None:
    model = network(kind)
    model.compile(loss=lambda y_pred, y: (seen.append(y_pred.copy()), (0.0, np.zeros_like(y_pred)))[1], optimizer="sgd")
    seen: list[np.ndarray] = []
    X, y = chunks(rng)
    model.fit(X, y, batch_size=STREAMS, shuffle=False, verbose=0)
    long = X.reshape(CHUNKS, STREAMS, STEPS, F).swapaxes(0, 1).reshape(STREAMS, CHUNKS * STEPS, F)
    np.testing.assert_array_equal(np.concatenate(seen, axis=1), model.predict(long))


@pytest.mark.parametrize("kind", KINDS)
def test_the_bits_do_not_depend_on_the_team_nor_on_who_hands_batches_over(kind: str, rng: np.random.Generator) -> None:
    X, y = chunks(rng)
    states = []
    for threads in (1, 2, 3):
        nn.runtime.set_num_threads(threads)
        model = network(kind)
        model.fit(X, y, epochs=2, batch_size=STREAMS, shuffle=False, verbose=0)
        states.append(model.state_dict())
    batches = [(X[i : i + STREAMS], y[i : i + STREAMS]) for i in range(0, len(X), STREAMS)]
    model = network(kind)
    model.fit(batches, epochs=2, verbose=0)
    states.append(model.state_dict())
    for state in states[1:]:
        assert_same_bits(state, states[0])


def test_going_back_after_divergence_goes_back_to_the_state_as_well(rng: np.random.Generator) -> None:
    X, y = chunks(rng)
    y[-STREAMS:] = 1e308  # the last step's loss is infinite
    model, twin = network("LSTM"), network("LSTM")
    with pytest.raises(nn.DivergenceError):
        model.fit(X, y, batch_size=STREAMS, shuffle=False, verbose=0)
    twin.fit(X[: -2 * STREAMS], y[: -2 * STREAMS], batch_size=STREAMS, shuffle=False, verbose=0)
    assert internals.counters(model)[0] == CHUNKS - 2  # the last update that led there is taken back
    assert_same_bits(model.state_dict(), twin.state_dict())


@pytest.mark.parametrize(
    ("settings", "fit", "message"),
    [
        ({}, {}, r"stateful.*shuffle is true; give shuffle=False"),
        ({}, {"shuffle": False, "batch_size": 5}, r"same number of samples, but one has 4 and another 5"),
        ({"accumulate": 2}, {"shuffle": False, "batch_size": STREAMS}, r"accumulate=1"),
    ],
)
def test_what_cannot_go_on_is_refused(
    settings: dict[str, Any], fit: dict[str, Any], message: str, rng: np.random.Generator
) -> None:
    X, y = chunks(rng)
    model = network("GRU", **settings)
    before = model.state_dict()
    with pytest.raises(ValueError, match=message):
        model.fit(X, y, verbose=0, **fit)
    assert_same_bits(model.state_dict(), before)


def test_both_directions_cannot_be_carried() -> None:
    with pytest.raises(ValueError, match=r"\[LSTM\] stateful is True but so is bidirectional"):
        nn.LSTM(3, 4, stateful=True, bidirectional=True)


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_that_an_error_ends_leaves_the_state_as_it_was(kind: str, rng: np.random.Generator) -> None:
    def mse(y_pred: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
        if np.isnan(y).any():
            raise RuntimeError("no such batch")
        return float(((y_pred - y) ** 2).mean()), 2 * (y_pred - y) / y.size

    X, y = chunks(rng)
    batches = [(X[first : first + STREAMS], y[first : first + STREAMS]) for first in range(0, len(X), STREAMS)]
    model, twin = network(kind), network(kind)
    for one in (model, twin):
        one.compile(loss=mse, optimizer="sgd")
    for x_batch, y_batch in batches:
        for some_y in (np.full_like(y_batch, np.nan), y_batch):
            try:
                model.train_on_batch(x_batch, some_y)
            except RuntimeError:
                continue
        twin.train_on_batch(x_batch, y_batch)
    assert_same_bits(model.state_dict(), twin.state_dict())


def test_a_step_of_an_own_loop_leaves_what_batches_carry(rng: np.random.Generator) -> None:
    X, y = chunks(rng)
    model, twin = network("GRU"), network("GRU")
    for first in range(0, len(X), STREAMS):
        x_batch, y_batch = X[first : first + STREAMS], y[first : first + STREAMS]
        for one in (model, twin):
            one.train_on_batch(x_batch, y_batch)
        model.compile(loss="mse", optimizer=nn.SGD(lr=0.0))
        model.loss_and_grads(x_batch, y_batch)
        model.step()  # changes nothing at this rate
        model.compile(loss="mse", optimizer=nn.SGD(lr=0.2))
    assert_same_bits(model.state_dict(), twin.state_dict())
