"""Training beside PyTorch in float64, with its weights and batches: the same to 1e-10."""

from collections.abc import Callable
from typing import Any

import numpy as np

import internals
import nnext as nn
from loss_cases import LossCase
from support import assert_same_bits
from torch_twins import load, torch
from torch_twins import loss as torch_loss

STEPS, BATCH = 100, 16
TOLERANCE = 1e-10  # the promise, relative to the largest magnitude in an array


def assert_parity(ours: np.ndarray, theirs: Any, name: str) -> None:
    theirs = theirs.detach().numpy()
    error = np.abs(ours - theirs).max() / np.abs(theirs).max()
    assert error <= TOLERANCE, f"{name} is off by {error:.3g}"


def assert_same_training(
    model: nn.Sequential,
    twin: Any,
    optimizer: Any,
    case: LossCase,
    rng: np.random.Generator,
    clip_norm: float | None = None,
    shape: tuple[int, ...] = (6,),
    steps: int = STEPS,
    averages: Any = None,
    suitable: Callable[[np.ndarray], np.ndarray] = lambda X: X,
) -> list[float]:
    """Train both and compare; return the norms of the gradients, where they were clipped.

    With averages of the twin's parameters it is these that are compared. `suitable` makes of numbers those that the
    network takes.
    """
    with torch.no_grad():
        k = twin(torch.zeros(2, *shape, dtype=torch.float64)).shape[1]
    twin.load_state_dict({name: torch.from_numpy(values) for name, values in model.state_dict().items()})
    X, y = suitable(rng.normal(size=(steps * BATCH, *shape))), case.targets(rng, steps * BATCH, k)
    history = model.fit(X, y, batch_size=BATCH, shuffle=False, verbose=0).history  # fused
    losses, norms = [], []
    for start in range(0, len(X), BATCH):
        optimizer.zero_grad()
        loss = torch_loss(case, twin(torch.from_numpy(X[start : start + BATCH])), y[start : start + BATCH])
        loss.backward()
        if clip_norm is not None:
            norms.append(torch.nn.utils.clip_grad_norm_(twin.parameters(), clip_norm).item())
        optimizer.step()
        if averages is not None:
            averages.update_parameters(twin)
        losses.append(loss.item())
    if averages is not None:
        twin.load_state_dict(twin.state_dict() | dict(averages.module.named_parameters()))
    assert internals.counters(model)[0] == steps
    assert abs(history["loss"][0] - np.mean(losses)) <= TOLERANCE * np.mean(losses)
    for name, values in twin.state_dict().items():
        assert_parity(model.state_dict()[name], values, name)
    twin.eval()
    assert_parity(model.predict(X), twin(torch.from_numpy(X)), "predict")
    return norms


def assert_round_trip(model: nn.Sequential, other: Any, X: np.ndarray) -> None:
    """Take a state to PyTorch's modules and back into a new model: the same bits, and the same predictions."""
    load(other, model.state_dict())
    again = nn.Sequential(*model.layers, seed=model.seed + 1, dtype="float64")
    again.load_state_dict(other.state_dict())
    assert_same_bits(again.state_dict(), model.state_dict())
    with torch.no_grad():
        assert_parity(again.predict(X), other.eval()(torch.from_numpy(X)), "predict")
