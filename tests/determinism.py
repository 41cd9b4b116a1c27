"""Networks large enough for a team, and what becomes of them."""

from typing import Any

import numpy as np

import nnext as nn
from cases import EVERY_OPTIMIZER
from internals import training_state

SAMPLES, FEATURES, BATCH = 1100, 65, 480  # two whole batches and one of 140
THREADS = (1, 2, 3, 8)


BLOCK = nn.Residual(
    nn.Linear(40, 90), nn.GELU(), nn.Dropout(0.2), nn.Residual(nn.Linear(90, 90), nn.BatchNorm1d(90)),
    nn.Linear(90, 60), shortcut=nn.Linear(40, 60, bias=False),
)  # fmt: skip
# Of each a step is 14 MFLOP or more: a member of the team takes part for each of them.
CHANNELS = 40  # of branches side by side: 12 + 16 + 12
INCEPTION = nn.Branches(
    [nn.Conv2d(12, 12, 1)], [nn.Conv2d(12, 16, 3, padding="same", bias=False), nn.BatchNorm2d(16)],
    [nn.MaxPool2d(3, 1, 1)],
)  # fmt: skip
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
    "images": [
        nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), INCEPTION, nn.Dropout(0.2),
        nn.Residual(nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1, groups=CHANNELS), nn.LayerNorm((CHANNELS, 5, 13))),
        nn.AvgPool2d(3, 2, 1), nn.Conv2d(CHANNELS, 33, 3, padding=1, stride=2), nn.GELU(), nn.Flatten(),
        nn.Linear(33 * 2 * 4, 10),
    ],
    "steps": [
        nn.LayerNorm(5), nn.Linear(5, 70), nn.ReLU(), nn.Residual(nn.Linear(70, 70), nn.Dropout(0.3), nn.LayerNorm(70)),
        nn.Flatten(), nn.Linear(13 * 70, 10),
    ],
    "noise": [
        nn.GaussianNoise(0.1), nn.Linear(FEATURES, 132), nn.PReLU(132), nn.AlphaDropout(0.2), nn.RMSNorm(132),
        nn.Reshape(3, 4, 11), nn.Conv2d(3, 24, 3), nn.PReLU(), nn.Reshape(-1, 27), nn.Linear(27, 40), nn.PReLU(40),
        nn.Flatten(), nn.Linear(640, 10), nn.LogSoftmax(),
    ],
}  # fmt: skip
SHAPES = {"images": (1, 5, 13), "steps": (13, 5)}  # of a sample; features for others


def network(
    optimizer: str = "adam", dtype: str = "float32", loss: str = "cross_entropy", layers: str = "plain", **settings: Any
) -> nn.Sequential:
    model = nn.Sequential(*NETWORKS[layers], seed=3, dtype=dtype)
    model.compile(
        loss=loss,
        optimizer=EVERY_OPTIMIZER[optimizer].make(),
        metrics=["mae" if loss == "mse" else "accuracy"],
        **settings,
    )
    return model


def data(rng: np.random.Generator, layers: str = "plain", **others: Any) -> tuple[np.ndarray, np.ndarray]:
    """Draw samples for a network, labels, and nothing for other options of `trained`."""
    shape = SHAPES.get(layers, (FEATURES,))
    return rng.normal(size=(SAMPLES, *shape)).astype("float32"), rng.integers(10, size=SAMPLES)


def trained(X: Any, y: Any, threads: int = 1, epochs: int = 2, **options: Any) -> tuple[dict[str, Any], Any]:
    """Return the state after a fit, and its record."""
    model = network(**options)
    with nn.runtime.threads(threads):
        history = model.fit(X, y, epochs=epochs, batch_size=BATCH, verbose=0).history
        history["evaluated"] = [model.evaluate(X, y)["loss"]]
    return training_state(model), history


WITNESSES = [{"layers": "batch_norm"}, {"layers": "residual"}, {"clip_norm": 0.05}, {"ema": 0.9}]
WITNESSES += [{"layers": "images"}, {"layers": "steps"}, {"layers": "noise"}]
WITNESSES += [{"layers": "batch_norm", "clip_norm": 0.1, "optimizer": "nadam"}]
