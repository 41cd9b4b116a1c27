"""An exception out of nowhere, as a signal handler's, at any moment of a call that changes a model: all or nothing.

A trace function raises it before one of the interpreter's instructions: there are more such moments than signals have.
"""

import io
import sys
import threading
import types
from collections.abc import Callable
from typing import Any

import pytest

import nnext as nn
from oom.operations import FIT, LABELS, OPERATIONS, Operation, X, goes_on, trained
from oom.search import digest

MOMENTS = 12  # of each call, evenly: an odd number of instructions apart


class Interruption(BaseException):
    """What is raised."""


def interrupted(call: Callable[[], Any], moment: int) -> int:
    """Call, raise at a moment within nnext, and return how many moments there were until the end."""
    moments = 0

    def trace(frame: types.FrameType, event: str, _: Any) -> Any:
        nonlocal moments
        if "/nnext/" not in frame.f_code.co_filename:
            return None
        frame.f_trace_opcodes = True
        moments += event == "opcode"
        if event == "opcode" and moments == moment:
            raise Interruption
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    except Interruption:
        pass
    finally:
        sys.settrace(before)
    return moments


def saved(model: nn.Sequential) -> io.BytesIO:
    file = io.BytesIO()
    model.save(file)
    file.seek(0)
    return file


CHECKPOINT = saved(trained(optimizer=nn.Adam(lr=0.5))).getvalue()


def resumed(model: nn.Sequential, _: int = 0, **options: Any) -> None:
    model.fit(X, LABELS, epochs=2, resume_from=io.BytesIO(CHECKPOINT), shuffle=False, **FIT)


def set_lr(model: nn.Sequential) -> None:
    assert model.optimizer is not None
    model.optimizer.lr = 0.25


CHANGES = {
    name: OPERATIONS[name]
    for name in (
        *("fit", "fit of batches", "fit of images", "train_on_batch", "step", "compile sgd", "compile LBFGS"),
        *("compile ema", "load_state_dict", "load_state_dict with averages", "freeze", "unfreeze", "copy", "load"),
        *("freeze beside a slice", "backward", "evaluate"),
    )
} | {
    "set lr": Operation(set_lr),
    "fit that goes on from a file": Operation(resumed, between=(lambda model: None,)),
    "set attributes": Operation(lambda model: setattr(model, "stop_training", True)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_at_any_moment(name: str) -> None:
    operation = CHANGES[name]
    ends: dict[str, str] = {}  # each state in which it may end, and what the next fit makes of it
    for lead in (lambda _: None, operation.call, *operation.between):
        model = operation.make()
        lead(model)
        now = digest(model)
        goes_on(model)
        ends[now] = digest(model)
    model = operation.make()
    count = interrupted(lambda: operation.call(model), 0)
    for moment in range(1, count + 1, max(1, count // MOMENTS) | 1):
        model = operation.make()
        interrupted(lambda model=model: operation.call(model), moment)
        now = digest(model)
        assert now in ends, f"moment {moment} of {count}: neither before nor after"
        if model.compiled is None or isinstance(model.compiled.loss, nn.Loss):
            assert digest(nn.load(saved(model))) == now
        goes_on(model)
        assert digest(model) == ends[now], f"moment {moment} of {count}"


def test_a_save_beside_another_threads_compile() -> None:
    """What is saved is of one moment: a file that load takes, with the optimizer that its sums are of."""
    model, stop, errors = trained(), threading.Event(), []

    def compile_again() -> None:
        while not stop.is_set():
            try:
                model.compile("mse", nn.SGD(lr=0.1, momentum=0.9))
                model.compile("cross_entropy", nn.AdamW(lr=0.2), ema=0.5)
                model.freeze("0")
                model.fit(X, LABELS, **FIT)
                model.unfreeze("0")
            except BaseException as error:
                errors.append(error)
                return

    other = threading.Thread(target=compile_again)
    other.start()
    optimizers = set()
    try:
        for _ in range(40):
            optimizers.add(type(nn.load(saved(model)).optimizer))
    finally:
        stop.set()
        other.join()
    assert not errors
    assert optimizers <= {nn.Adam, nn.SGD, nn.AdamW}


def test_two_threads_compile_and_the_record_is_the_cores() -> None:
    model = nn.MLP([64, 8, 4])
    optimizers = [nn.SGD(lr=0.1), nn.SGD(lr=0.1, momentum=0.9), nn.Adam(), nn.AdamW(amsgrad=True)]

    def compile_often(optimizer: nn.Optimizer) -> None:
        for _ in range(200):
            try:
                model.compile("mse", optimizer)
            except RuntimeError as error:
                assert "trained already" in str(error)  # noqa: PT017

    threads = [threading.Thread(target=compile_often, args=(optimizer,)) for optimizer in optimizers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    state = model.engine.state()
    twin = nn.MLP([64, 8, 4])
    twin.compile("mse", state.compiled.optimizer)
    assert [len(sums) for sums in state.optimizer.values()] == [len(s) for s in twin.engine.state().optimizer.values()]
    assert model.optimizer is state.compiled.optimizer


def test_a_handler_that_compiles_within_compile() -> None:
    """The call that began last has the last word, with what the core has and with what Python shows."""
    model, once = nn.MLP([64, 8, 4]), []

    def nested(frame: types.FrameType, *_: Any) -> Any:
        if frame.f_code.co_filename.endswith("_passes.py") and "number" in frame.f_locals and not once:
            once.append(None)
            model.compile("mse", "sgd")
        return nested

    before = sys.gettrace()
    sys.settrace(nested)
    try:
        model.compile("mse", "adam")
    finally:
        sys.settrace(before)
    assert once
    assert isinstance(model.optimizer, nn.SGD)
    assert not any(model.engine.state().optimizer.values())
