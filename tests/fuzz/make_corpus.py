"""Writes the files from which `load` is fuzzed: together they have every layer, loss, optimizer, schedule, initializer.

``python tests/fuzz/make_corpus.py`` adds what is missing; tests/robustness/test_fuzz.py notices what is.
"""

import pathlib
from typing import Any

import numpy as np

import nnext as nn
from loss_cases import LOSSES, LossCase
from schedule_cases import SCHEDULES

CORPUS = pathlib.Path(__file__).parent / "corpus"
ROWS, OUTPUTS = 4, 2

STACKS: list[tuple[tuple[int, ...], list[nn.Layer]]] = [
    (
        (3,),
        [
            nn.Linear(3, 4), nn.Identity(), nn.ReLU(), nn.LeakyReLU(), nn.Hardtanh(), nn.Hardswish(), nn.ELU(),
            nn.SELU(), nn.Softplus(), nn.SiLU(), nn.Mish(), nn.GELU(), nn.Tanh(), nn.Sigmoid(), nn.Softsign(),
        ],
    ),
    (
        (4,),
        [
            nn.PReLU(4), nn.RMSNorm(4), nn.LayerNorm(4), nn.BatchNorm1d(4), nn.Dropout(0.2), nn.AlphaDropout(0.2),
            nn.GaussianNoise(0.1), nn.LogSoftmax(), nn.Softmax(),
        ],
    ),
    (
        (3,),
        [
            nn.Residual(nn.Linear(3, 2), nn.BatchNorm1d(2, momentum=None), shortcut=nn.Linear(3, 2, bias=False)),
            nn.Branches([nn.Linear(2, 2)], [], [nn.Residual(nn.Tanh())]),
        ],
    ),
    (
        (1, 5, 5),
        [
            nn.Conv2d(1, 4, 3, padding="same"), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 2, groups=2), nn.MaxPool2d(2),
            nn.AvgPool2d(2, 1, 1), nn.GlobalAvgPool2d(),
        ],
    ),
    (
        (2, 6),
        [
            nn.Conv1d(2, 3, 3), nn.MaxPool1d(2), nn.AvgPool1d(1), nn.LayerNorm(2),
            nn.Branches([nn.GlobalAvgPool1d()], [nn.GlobalMaxPool1d()], [nn.Identity(), nn.AttentionPooling(3, 2)]),
        ],
    ),
    ((3, 2), [nn.Linear(2, 4), nn.Reshape(4, 3), nn.PReLU(), nn.Flatten()]),
    (
        (2,),
        [
            nn.Linear(2, 2, weight_init=name)
            for name, kind in nn.initializers.Initializer.names().items() if kind is not nn.initializers.constant
        ] + [nn.Linear(2, 2, bias_init=nn.initializers.constant(0.5))],
    ),
    (
        (3, 2),
        [
            nn.RNN(2, 3, return_sequences=True), nn.GRU(3, 2, bidirectional=True, return_sequences=True),
            nn.LSTM(4, 3, 2, dropout=0.2),
        ],
    ),
    ((4,), [nn.Embedding(3, 2, padding_idx=0), nn.Flatten()]),
]  # fmt: skip
WIDTHS = [4, 4, 6, 4, 9, 12, 2, 3, 8]  # of what these give
SETTINGS: list[dict[str, Any]] = [{}, {"clip_norm": 1.0}, {"clip_value": 0.5}, {"accumulate": 2}, {"ema": 0.9}]


def compile(model: nn.Sequential, case: LossCase, number: int) -> None:
    """Compile with the optimizer, schedule and settings of that number, in rows that begin anew when they end."""
    kinds = sorted(nn.optimizers.Optimizer.types().items())
    kind, optimizer = kinds[number % len(kinds)]
    schedule = list(SCHEDULES.values())[number % len(SCHEDULES)].schedule
    settings = {} if kind == "LBFGS" else SETTINGS[number % len(SETTINGS)]
    options = {} if kind in ("LBFGS", "Rprop") else {"lr": schedule}
    model.compile(case.make(), optimizer(**options), metrics=["mse" if case.is_mean else "accuracy"], **settings)


def trained(case: LossCase, number: int) -> nn.Sequential:
    """Return a model with this loss, after a step."""
    shape, layers = STACKS[number % len(STACKS)]
    last = [nn.Sigmoid()] if case.name == "bce" else [] if case.last_layer is None else [case.last_layer]
    head = [nn.Linear(WIDTHS[number % len(STACKS)], OUTPUTS), *last]
    model = nn.Sequential(*layers, *head, input_shape=shape, dtype=["float32", "float64"][number % 2], seed=1)
    compile(model, case, number)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(ROWS, *shape))
    X = np.minimum(np.floor(np.abs(X)), 2) if isinstance(layers[0], nn.Embedding) else X
    model.fit(X, case.targets(rng, ROWS, OUTPUTS), verbose=0)
    return model


if __name__ == "__main__":
    first = {case.name: case for case in reversed(LOSSES.values())}  # the first row of each loss
    for number, (name, case) in enumerate(sorted(first.items())):
        if not (path := CORPUS / f"{name}.safetensors").exists():
            trained(case, number).save(path)
