"""Networks that take sequences of different lengths, and such sequences."""

from dataclasses import dataclass
from typing import Any

import numpy as np

import nnext as nn

F, CATEGORIES = 4, 7


@dataclass(frozen=True)
class SequenceCase:
    """Layers; the shortest sequence that they take; how many steps they make of so many, where they give steps."""

    layers: tuple[nn.Layer, ...]
    least: int = 1
    gives: Any = None  # of a number of steps; None: the output has none
    below: int | None = None  # sequences are whole numbers below this, without features
    signal: bool = False  # samples are (C, L)

    def model(self, seed: int = 3, dtype: str = "float64", **settings: Any) -> nn.Sequential:
        return nn.Sequential(*self.layers, seed=seed, dtype=dtype, **settings)

    def values(self, rng: np.random.Generator, n: int, steps: int, dtype: str = "float64") -> np.ndarray:
        """Draw samples in one array."""
        if self.below is not None:
            return rng.integers(self.below, size=(n, steps)).astype(dtype)
        return rng.normal(size=(n, F, steps) if self.signal else (n, steps, F)).astype(dtype)

    def by_steps(self, values: np.ndarray) -> np.ndarray:
        """Return a view whose second axis is that of steps."""
        return np.moveaxis(values, 2, 1) if self.signal and values.ndim == 3 else values

    def alone(self, sample: np.ndarray, length: int) -> np.ndarray:
        """Return the first steps of a sample, as a batch of its own."""
        return np.ascontiguousarray(sample[None, :, :length] if self.signal else sample[None, :length])


def _same(steps: int) -> int:
    return steps


def _case(*layers: nn.Layer, gives: Any = None, **settings: Any) -> SequenceCase:
    return SequenceCase(layers, gives=gives, **settings)


CASES: dict[str, SequenceCase] = {}
for _kind in (nn.RNN, nn.GRU, nn.LSTM):
    for _levels in (1, 2):
        for _both in (False, True):
            _name = f"{_kind.__name__} {_levels}{' both ways' if _both else ''}"
            CASES[_name] = _case(_kind(F, 3, _levels, bidirectional=_both))
            CASES[f"{_name}, steps"] = _case(
                _kind(F, 3, _levels, bidirectional=_both, return_sequences=True), gives=_same
            )
CASES |= {
    "linear": _case(nn.Linear(F, 5), nn.GELU(), nn.LayerNorm(5), nn.Sigmoid(), nn.Linear(5, 3), gives=_same),
    "prelu": _case(nn.Linear(F, 5), nn.PReLU(5), nn.RMSNorm(5), nn.Dropout(0.5), nn.Softmax(), gives=_same),
    "embedding": _case(nn.Embedding(CATEGORIES, 3), gives=_same, below=CATEGORIES),
    "embedding, LSTM": _case(
        nn.Embedding(CATEGORIES, 3, padding_idx=0), nn.LSTM(3, 5, bidirectional=True), nn.Linear(10, 2),
        below=CATEGORIES,
    ),
    "residual": _case(nn.Residual(nn.Linear(F, F), nn.Tanh()), nn.GRU(F, 3), gives=None),
    "residual, steps": _case(nn.Residual(nn.GRU(F, F, return_sequences=True)), nn.Linear(F, 2), gives=_same),
    "branches": _case(
        nn.Branches([nn.Linear(F, 3), nn.GlobalMaxPool1d()], [nn.PReLU(F), nn.GlobalAvgPool1d()], [nn.LSTM(F, 2)])
    ),
    "branches, steps": _case(
        nn.Branches([nn.Linear(F, 3)], [nn.RNN(F, 2, return_sequences=True)]), nn.AttentionPooling(5, 3)
    ),
    "conv": _case(nn.Linear(F, 5), nn.Conv1d(5, 3, 3, padding=1), nn.ReLU(), nn.Linear(3, 2), gives=_same),
    "conv, stride": _case(
        nn.Linear(F, 5), nn.Conv1d(5, 4, 3, stride=2, padding=1), nn.LSTM(4, 3, return_sequences=True),
        gives=lambda steps: (steps - 1) // 2 + 1,
    ),
    "conv, dilation": _case(
        nn.Linear(F, 4), nn.Conv1d(4, 6, 2, dilation=2, groups=2), nn.GlobalMaxPool1d(), least=3
    ),
    "max pool": _case(nn.Linear(F, 3), nn.MaxPool1d(2), gives=lambda steps: steps // 2, least=2),
    "max pool, padding": _case(
        nn.Linear(F, 3), nn.MaxPool1d(3, 2, 1), nn.Linear(3, 2), gives=lambda steps: (steps - 1) // 2 + 1
    ),
    "avg pool": _case(nn.Linear(F, 3), nn.AvgPool1d(3, 1, 1), nn.GRU(3, 2), gives=None),
    "avg pool, inside": _case(
        nn.Linear(F, 3), nn.AvgPool1d(3, 2, 1, count_include_pad=False), gives=lambda steps: (steps - 1) // 2 + 1
    ),
    "global max pool": _case(nn.Linear(F, 5), nn.GlobalMaxPool1d(), nn.Linear(5, 2)),
    "global avg pool": _case(nn.Linear(F, 5), nn.GlobalAvgPool1d(), nn.Linear(5, 2)),
    "attention": _case(nn.AttentionPooling(F, 3), nn.Linear(F, 2)),
    "signals": _case(
        nn.Conv1d(F, 5, 3, padding="same"), nn.ReLU(), nn.MaxPool1d(2), nn.Conv1d(5, 3, 2, padding=1),
        gives=lambda steps: steps // 2 + 1, least=2, signal=True,
    ),
    "signals, pooled": _case(
        nn.Conv1d(F, 5, 2), nn.Tanh(), nn.GlobalAvgPool1d(), nn.Linear(5, 2), least=2, signal=True
    ),
}  # fmt: skip


def draw_lengths(rng: np.random.Generator, n: int, steps: int, least: int = 1) -> np.ndarray:
    """Draw lengths, of which the longest is not always as long as the array."""
    return rng.integers(least, steps + 1, size=n)


def fill_after_ends(case: SequenceCase, values: np.ndarray, lengths: np.ndarray, fill: float) -> np.ndarray:
    """Return samples with a number in whatever comes after an end."""
    filled = values.copy()
    for sample, length in zip(case.by_steps(filled), lengths, strict=True):
        sample[length:] = fill
    return filled


def as_list(values: np.ndarray, lengths: np.ndarray) -> list[np.ndarray]:
    """Return sequences as a list of arrays."""
    return [sample[:length] for sample, length in zip(values, lengths, strict=True)]
