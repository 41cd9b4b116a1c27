"""Sequences of different lengths beside PyTorch's packed ones and masks, in float64."""

from typing import Any

import numpy as np
import pytest

import nnext as nn
from sequence_cases import F, as_list, draw_lengths
from torch_twins import load, sequential, torch

N, T, H, K, STEPS = 12, 8, 5, 3, 20
TOLERANCE = 1e-9

RECURRENT: dict[str, Any] = {
    f"{kind.__name__} {levels}{' both ways' if both else ''}{', steps' if steps else ''}": kind(
        F, H, levels, bidirectional=both, return_sequences=steps
    )
    for kind in (nn.RNN, nn.GRU, nn.LSTM)
    for levels in (1, 2)
    for both in (False, True)
    for steps in (False, True)
}


def packed(module: Any, x: Any, lengths: np.ndarray) -> Any:
    """Return what a recurrent module of PyTorch gives for sequences that it takes packed."""
    base = type(module).__mro__[2]  # torch.nn's own, which takes such
    rnn = torch.nn.utils.rnn
    y, _ = base.forward(module, rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False))
    y, _ = rnn.pad_packed_sequence(y, batch_first=True, total_length=x.shape[1])
    if module.return_sequences:
        return y
    size = module.hidden_size
    return torch.cat([y[torch.arange(len(x)), torch.as_tensor(lengths) - 1, :size], y[:, 0, size:]], dim=1)


def loss_of(outputs: Any, y: np.ndarray, lengths: np.ndarray, weight: np.ndarray | None) -> Any:
    """Return the mean cross-entropy of sequences, or of the steps that count."""
    target = torch.from_numpy(y)
    terms = torch.nn.functional.cross_entropy(outputs.reshape(-1, K), target.reshape(-1), reduction="none")
    w = torch.ones(len(y), dtype=torch.float64) if weight is None else torch.from_numpy(weight)
    if y.ndim == 2:
        count = torch.arange(y.shape[1]) < torch.as_tensor(lengths)[:, None]
        w = ((w if w.ndim == 2 else w[:, None]) * count).reshape(-1)
    return (terms * w).sum() / w.sum()


def fit_both(layers: list[nn.Layer], forward: Any, X: np.ndarray, y: np.ndarray, lengths: np.ndarray, w: Any) -> None:
    """Fit with all samples in each of some steps, and compare losses, parameters and the gradient in X."""
    model = nn.Sequential(*layers, seed=2, dtype="float64")
    model.compile("cross_entropy", nn.SGD(lr=0.3, momentum=0.5))
    made = sequential(layers, steps=True).double()
    load(made, model.state_dict())
    optimizer = torch.optim.SGD(made.parameters(), lr=0.3, momentum=0.5)
    x = torch.tensor(X, requires_grad=True)
    loss_of(forward(made, x, lengths), y, lengths, w).backward()
    loss, grads = model.loss_and_grads(X, y, sample_weight=w, lengths=lengths)
    for name, parameter in made.named_parameters():
        np.testing.assert_allclose(grads[name], parameter.grad.numpy(), rtol=0, atol=TOLERANCE, err_msg=name)
    told = model.fit(X, y, lengths=lengths, sample_weight=w, epochs=STEPS, batch_size=len(X), shuffle=False, verbose=0)
    assert told.history["loss"][0] == pytest.approx(loss, rel=1e-12)
    for step in range(STEPS):
        optimizer.zero_grad()
        theirs = loss_of(forward(made, x, lengths), y, lengths, w)
        theirs.backward()
        optimizer.step()
        assert told.history["loss"][step] == pytest.approx(theirs.item(), rel=TOLERANCE)
    for name, values in made.state_dict().items():
        np.testing.assert_allclose(model.state_dict()[name], values.numpy(), rtol=0, atol=TOLERANCE, err_msg=name)
    outputs = forward(made, x, lengths).detach().numpy()
    for i, found in enumerate(model.predict(as_list(X, lengths))):
        np.testing.assert_allclose(found, outputs[i][: len(found)] if y.ndim == 2 else outputs[i], atol=TOLERANCE)


@pytest.mark.parametrize("weights", ["none", "sequences", "steps"])
@pytest.mark.parametrize("name", RECURRENT)
def test_recurrent_layers_are_pytorchs_of_packed_sequences(name: str, weights: str, rng: np.random.Generator) -> None:
    layer = RECURRENT[name]
    steps = layer.return_sequences
    X, lengths = rng.normal(size=(N, T, F)), draw_lengths(rng, N, T)
    y = rng.integers(K, size=(N, T) if steps else N)
    w = {"none": None, "sequences": rng.uniform(size=N), "steps": rng.uniform(size=y.shape)}[weights]

    def forward(made: Any, x: Any, lengths: np.ndarray) -> Any:
        return made[1](packed(made[0], x, lengths))

    fit_both([layer, nn.Linear(H * (2 if layer.bidirectional else 1), K)], forward, X, y, lengths, w)


def masked(x: Any, lengths: np.ndarray, fill: float = 0.0) -> Any:
    """Return (n, T, F) with a number after the ends."""
    count = torch.arange(x.shape[1]) < torch.as_tensor(lengths)[:, None]
    return torch.where(count[..., None], x, torch.tensor(fill, dtype=x.dtype))


POOLS: dict[str, tuple[nn.Layer, Any]] = {
    "GlobalAvgPool1d": (
        nn.GlobalAvgPool1d(),
        lambda m, x, lengths: masked(x, lengths).sum(dim=1) / torch.as_tensor(lengths)[:, None],
    ),
    "GlobalMaxPool1d": (nn.GlobalMaxPool1d(), lambda m, x, lengths: masked(x, lengths, -np.inf).max(dim=1).values),
    "AttentionPooling": (
        nn.AttentionPooling(H, 4),
        lambda m, x, lengths: torch.einsum(
            "nt,ntf->nf",
            torch.softmax(
                masked(
                    (torch.tanh(torch.nn.functional.linear(x, m.weight, m.bias)) @ m.context)[..., None],
                    lengths,
                    -np.inf,
                )[..., 0],
                dim=1,
            ),
            x,
        ),
    ),
}


@pytest.mark.parametrize("name", POOLS)
def test_what_joins_steps_is_pytorchs_with_a_mask(name: str, rng: np.random.Generator) -> None:
    layer, pool = POOLS[name]
    X, lengths, y = rng.normal(size=(N, T, F)), draw_lengths(rng, N, T), rng.integers(K, size=N)

    def forward(made: Any, x: Any, lengths: np.ndarray) -> Any:
        return made[3](pool(made[2], made[1](made[0](x)), lengths))

    fit_both([nn.Linear(F, H), nn.Tanh(), layer, nn.Linear(H, K)], forward, X, y, lengths, None)


def test_windows_see_zeros_after_an_end_as_pytorchs_do(rng: np.random.Generator) -> None:
    """As they see padding."""
    X, lengths, y = rng.normal(size=(N, T, F)), draw_lengths(rng, N, T), rng.integers(K, size=(N, T))

    def forward(made: Any, x: Any, lengths: np.ndarray) -> Any:
        return made[3](made[2](made[1](masked(made[0](x), lengths))))

    layers = [nn.Linear(F, H), nn.Conv1d(H, 4, 3, padding=1), nn.Tanh(), nn.Linear(4, K)]
    fit_both(layers, forward, X, y, lengths, rng.uniform(size=N))


def test_words_are_pytorchs(rng: np.random.Generator) -> None:
    lengths, y = draw_lengths(rng, N, T), rng.integers(K, size=N)
    X = rng.integers(7, size=(N, T)).astype("float64")
    layers = [nn.Embedding(7, F, padding_idx=0), nn.LSTM(F, H, bidirectional=True), nn.Linear(2 * H, K)]
    model = nn.Sequential(*layers, seed=2, dtype="float64")
    model.compile("cross_entropy", nn.SGD(lr=0.3))
    made = sequential(layers, steps=True).double()
    load(made, model.state_dict())
    optimizer = torch.optim.SGD(made.parameters(), lr=0.3)
    told = model.fit(X, y, lengths=lengths, epochs=STEPS, batch_size=N, shuffle=False, verbose=0).history["loss"]
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = loss_of(made[2](packed(made[1], made[0](torch.from_numpy(X)), lengths)), y, lengths, None)
        loss.backward()
        optimizer.step()
        assert told[step] == pytest.approx(loss.item(), rel=TOLERANCE)
    for name, values in made.state_dict().items():
        np.testing.assert_allclose(model.state_dict()[name], values.numpy(), rtol=0, atol=TOLERANCE, err_msg=name)
