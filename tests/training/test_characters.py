"""A network that reads characters beside PyTorch's, from the same start and with the same batches."""

import keyword
import pydoc_data.topics

import numpy as np
import pytest

import nnext as nn

WINDOW, BATCH, STEPS = 30, 16, 60


def text() -> np.ndarray:
    """Return characters that come with Python, as numbers."""
    said = " ".join(pydoc_data.topics.topics[name] for name in sorted(pydoc_data.topics.topics))[:40_000]
    return np.unique(list(said + " ".join(keyword.kwlist)), return_inverse=True)[1]


def test_the_validation_loss_is_pytorchs_after_the_same_steps() -> None:
    torch_twins = pytest.importorskip("torch_twins")
    torch = torch_twins.torch
    codes = text()
    kinds, count = int(codes.max()) + 1, (len(codes) - 1) // WINDOW
    X, y = codes[: count * WINDOW].reshape(-1, WINDOW), codes[1 : count * WINDOW + 1].reshape(-1, WINDOW)
    train, rest = slice(0, BATCH * STEPS), slice(BATCH * STEPS, None)
    model = nn.Sequential(nn.Embedding(kinds, 16), nn.LSTM(16, 32, return_sequences=True), nn.Linear(32, kinds))
    model.compile("cross_entropy", nn.Adam(lr=5e-3), clip_norm=1.0)
    twin = torch_twins.twin(model).float()
    optimizer = torch.optim.Adam(twin.parameters(), lr=5e-3)

    def loss_of(rows: slice) -> torch.Tensor:
        said = twin(torch.from_numpy(X[rows]))
        return torch.nn.functional.cross_entropy(said.flatten(0, 1), torch.from_numpy(y[rows]).flatten())

    before = model.evaluate(X[rest], y[rest])["loss"]
    model.fit(X[train], y[train], batch_size=BATCH, shuffle=False, verbose=0)
    for first in range(0, BATCH * STEPS, BATCH):
        optimizer.zero_grad()
        loss_of(slice(first, first + BATCH)).backward()
        torch.nn.utils.clip_grad_norm_(twin.parameters(), 1.0)
        optimizer.step()
    ours, theirs = model.evaluate(X[rest], y[rest])["loss"], loss_of(rest).item()
    assert ours < 0.85 * before  # it has learned something
    assert abs(ours - theirs) <= 0.01 * theirs
