"""Networks large enough for a team, and what becomes of them."""

from typing import Any

import numpy as np

import nnext as nn
from cases import OPTIMIZERS
from internals import training_state

SAMPLES, FEATURES, BATCH = 1100, 65, 480  # two whole batches and one of 140
THREADS = (1, 2, 3, 8)


BLOCK = nn.Residual(
    nn.Linear(40, 90), nn.GELU(), nn.Dropout(0.2), nn.Residual(nn.Linear(90, 90), nn.BatchNorm1d(90)),
    nn.Linear(90, 60), shortcut=nn.Linear(40, 60, bias=False),
)  # fmt: skip
# Of each a step is 14 MFLOP or more: a member of the team takes part for each of them.
NETWORKS: dict[str, list[nn.Layer]] = {
    "plain": [
        nn.Linear(FEATURES, 131), nn.ReLU(), nn.Dropout(0.3), nn.Linear(131, 40), nn.Tanh(), nn.Linear(40, 10)
    ],
    "batch_norm": [
        nn.BatchNorm1d(FEATURES, momentum=None), nn.Linear(FEATURES, 131), nn.BatchNorm1d(131), nn.GELU("tanh"),
        nn.Linear(131, 40), nn.BatchNorm1d(40, affine=False), nn.Linear(40, 10),
    ],
    "residual": [
        nn.Residual(nn.Linear(FEATURES, 131), nn.Sigmoid(), nn.Linear(131, FEATURES)), nn.Linear(FEATURES, 40), BLOCK,
        nn.ReLU(), nn.Linear(60, 10),
    ],
}  # fmt: skip


def network(
    optimizer: str = "adam", dtype: str = "float32", loss: str = "cross_entropy", layers: str = "plain", **settings: Any
) -> nn.Sequential:
    model = nn.Sequential(*NETWORKS[layers], seed=3, dtype=dtype)
    model.compile(
        loss=loss, optimizer=OPTIMIZERS[optimizer].make(), metrics=["mae" if loss == "mse" else "accuracy"], **settings
    )
    return model


def data(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    return rng.normal(size=(SAMPLES, FEATURES)).astype("float32"), rng.integers(10, size=SAMPLES)


def trained(X: Any, y: Any, threads: int = 1, epochs: int = 2, **options: Any) -> tuple[dict[str, Any], Any]:
    """Return the state after a fit, and its record."""
    model = network(**options)
    with nn.runtime.threads(threads):
        history = model.fit(X, y, epochs=epochs, batch_size=BATCH, verbose=0).history
        history["evaluated"] = [model.evaluate(X, y)["loss"]]
    return training_state(model), history


WITNESSES = [{"layers": "batch_norm"}, {"layers": "residual"}, {"clip_norm": 0.05}, {"ema": 0.9}]
WITNESSES += [{"layers": "batch_norm", "clip_norm": 0.1, "optimizer": "nadam"}]
