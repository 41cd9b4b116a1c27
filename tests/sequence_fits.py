"""Fits of a small recurrent network, for tests of sequences of different lengths."""

from typing import Any

import numpy as np

import internals
import nnext as nn
from sequence_cases import F, as_list, draw_lengths

N, T, K = 40, 7, 3


def compiled(steps: bool = False, dtype: str = "float64", dropout: float = 0.1, **settings: Any) -> nn.Sequential:
    recurrent = nn.LSTM(5, 4, return_sequences=steps)
    model = nn.Sequential(
        nn.Linear(F, 5), nn.Tanh(), recurrent, nn.Dropout(dropout), nn.Linear(4, K), seed=5, dtype=dtype
    )
    model.compile(**{"loss": "cross_entropy", "optimizer": "adam", "metrics": ["accuracy"], **settings})
    return model


def data(rng: np.random.Generator, steps: bool = False, n: int = N) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    lengths = draw_lengths(rng, n, T)
    lengths[:2], lengths[-4:] = (1, T), T
    return rng.normal(size=(n, T, F)), rng.integers(K, size=(n, T) if steps else n), lengths


def targets(y: np.ndarray, lengths: np.ndarray) -> Any:
    return y if y.ndim == 1 else as_list(y, lengths)


def states(*models: nn.Sequential) -> list[dict[str, np.ndarray]]:
    return [internals.training_state(model) for model in models]
