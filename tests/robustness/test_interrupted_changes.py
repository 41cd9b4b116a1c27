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
from internals import begin_epoch
from oom.operations import FIT, LABELS, OPERATIONS, Operation, X, goes_on, trained
from oom.search import digest

MOMENTS, LAST = 10, 40  # of each call, evenly, and at its end, where Python follows what the core has changed


class Interruption(BaseException):
    """What is raised."""


def interrupted(call: Callable[[], Any], moment: int, *within: str) -> int:
    """Call, raise at a moment within files of such names, and return how many moments there were until the end."""
    moments = 0

    def trace(frame: types.FrameType, event: str, _: Any) -> Any:
        nonlocal moments
        if not any(name in frame.f_code.co_filename for name in within or ("/nnext/",)):
            return trace if event == "call" else None
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


def ends_of(operation: Operation) -> dict[str, str]:
    """Return each state in which it may end, and what the next fit makes of that."""
    ends = {}
    for lead in (lambda _: None, operation.call, *operation.between):
        model = operation.make()
        lead(model)
        now = digest(model)
        goes_on(model)
        ends[now] = digest(model)
    return ends


def require_an_end(operation: Operation, ends: dict[str, str], moment: int, *within: str) -> None:
    """Interrupt at a moment; the model is in one of these states, can be saved, and goes on."""
    model = operation.make()
    interrupted(lambda: operation.call(model), moment, *within)
    now = digest(model)
    assert now in ends, f"moment {moment}: neither before nor after"
    assert digest(nn.load(saved(model))) == now
    goes_on(model)
    assert digest(model) == ends[now], f"moment {moment}: the next fit has other bits"


@pytest.mark.parametrize("name", CHANGES)
def test_at_any_moment(name: str) -> None:
    operation = CHANGES[name]
    ends, model = ends_of(operation), operation.make()
    count = interrupted(lambda: operation.call(model), 0)
    spread = range(1, count - LAST, max(1, count // MOMENTS))
    for moment in (*spread, *range(max(1, count - LAST), count + 1)):
        require_an_end(operation, ends, moment)


def tiny() -> nn.Sequential:
    model = nn.MLP([64, 4], seed=1)
    model.compile("cross_entropy", nn.Adam(lr=0.5))
    return model


TINY = saved(tiny()).getvalue()
WITHIN_FITS = {
    "fit": Operation(lambda model: model.fit(X, LABELS, **FIT), tiny, (lambda model: begin_epoch(model, 160, True),)),
    "train_on_batch": Operation(lambda model: model.train_on_batch(X, LABELS), tiny),
    "fit that goes on from a file": Operation(
        lambda model: model.fit(X, LABELS, resume_from=io.BytesIO(TINY), **FIT),
        lambda: retrained(tiny()),
        (lambda model: begin_epoch_of(TINY, model),),
    ),
}


def begin_epoch_of(file: bytes, model: nn.Sequential) -> None:
    """Be as the model of a file is when an epoch begins."""
    model.engine.set_state(nn.load(io.BytesIO(file)).engine.state())
    assert model.optimizer is not None
    model.optimizer.lr = 0.5
    begin_epoch(model, 160, True)


def retrained(model: nn.Sequential) -> nn.Sequential:
    """Have come elsewhere, at another rate."""
    set_lr(model)
    model.fit(X, LABELS, **FIT)
    return model


@pytest.mark.parametrize("name", WITHIN_FITS)
def test_at_moments_of_what_a_fit_does_around_its_steps(name: str) -> None:
    """At all of one step, which is claimed as a fit is; at every third of fits."""
    operation = WITHIN_FITS[name]
    ends, model = ends_of(operation), operation.make()
    within = "/nnext/_fit.py", "/nnext/_passes.py"
    count = interrupted(lambda: operation.call(model), 0, *within)
    for moment in range(1, count + 1, 1 if name == "train_on_batch" else 3):
        require_an_end(operation, ends, moment, *within)


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
