"""Recurrent networks over 28 steps of 28 numbers, and convolutions over signals: training, prediction, single steps.

A unit of a training is a step on a batch of 64, or on one sequence; of a prediction, the batch or one sequence; of *a
step*, what a program asks for that gets its numbers one by one: the next output, from the next x and the state.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from benchmarks.cases import Case, Effort, prediction_case, run_cases, stepping_case, training_case
from benchmarks.harness import Pool
from benchmarks.report import Show
from benchmarks.sequence_works import GRU, LSTM, RNN, SIGNALS, STEPPED

TITLE = "recurrent networks and Conv1d"
TRAINED = ("nnext", "PyTorch", "JAX")
PREDICTED = ("nnext", "nnext compiled", "PyTorch", "JAX", "onnxruntime")
STEPS = ("nnext", "PyTorch", "JAX", "onnxruntime")


def cases(effort: Effort) -> Iterator[Case]:
    """Yield training and prediction of each network, with a batch and with one sample; a step, which is not shared."""
    for threads in effort.threads or ((1,) if effort.quick else (1, 2)):
        for net in (LSTM, SIGNALS) if effort.quick else (LSTM, GRU, RNN, SIGNALS):
            for rows in (net.batch,) if effort.quick else (net.batch, 1):
                trained = replace(net.short(5) if effort.quick else net, batch=rows)
                yield training_case(trained, TRAINED, threads, name=f"{trained.name}, shuffled")
            for rows in (net.batch, 1):
                yield prediction_case(replace(net, batch=rows, batches=1), PREDICTED, threads)
    yield stepping_case(STEPPED, STEPS)


def run(pool: Pool, effort: Effort, show: Show) -> list[dict[str, Any]]:
    """Measure all cases."""
    return run_cases(pool, cases(effort), effort, show)
