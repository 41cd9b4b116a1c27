"""Several models of one network: each trains by itself, one at a time, and notices what the others change."""

import copy
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import internals
import nnext as nn
from internals import training_state
from pins import labels, uniform
from support import assert_same_bits

X, Y = uniform(1, 50, 6), labels(2, 50, 3)
LAYERS = [
    nn.Linear(6, 9), nn.BatchNorm1d(9), nn.Tanh(), nn.Dropout(0.3), nn.Linear(9, 40), nn.ReLU(), nn.Linear(40, 40),
    nn.Residual(nn.Linear(40, 40), nn.ReLU()), nn.Linear(40, 3),
]  # fmt: skip
FIT: dict[str, Any] = {"epochs": 2, "batch_size": 8, "verbose": 0, "shuffle": True}


def network(**settings: Any) -> nn.Sequential:
    return nn.Sequential(*LAYERS, seed=4, **settings)


def compiled(model: nn.Sequential, **settings: Any) -> nn.Sequential:
    model.compile("cross_entropy", nn.Adam(lr=0.01), metrics=["accuracy"], **settings)
    return model


def hidden(model: nn.Sequential) -> np.ndarray:
    return model[:4].predict(X)


# ---- Training through a slice ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("settings", [{}, {"ema": 0.9}, {"clip_norm": 0.1}, {"accumulate": 3}], ids=str)
def test_a_head_trains_as_a_network_of_its_own(settings: dict[str, Any], threads: int) -> None:
    with nn.runtime.threads(threads):
        model = network()
        before, H = model.state_dict(), hidden(model)
        head = compiled(model[4:], **settings)
        twin = copy.deepcopy(head)
        assert head.fit(H, Y, **FIT).history == twin.fit(H, Y, **FIT).history
        assert_same_bits(training_state(head), training_state(twin))
        assert_same_bits(head.predict(H), twin.predict(H))
        trained = internals.training_state(twin)
        for name, array in model.state_dict().items():
            assert_same_bits(array, trained.get(name, before[name]))


def test_a_frozen_body_and_a_head_give_the_same_bits() -> None:
    """A head trained on frozen layers' activations, and the whole with the same layers frozen."""
    layers = [nn.Linear(6, 40), nn.Tanh(), nn.Linear(40, 40), nn.ReLU(), nn.Linear(40, 3)]
    model, twin = (nn.Sequential(*layers, seed=2) for _ in range(2))
    head = compiled(model[2:])
    head.fit(model[:2].predict(X), Y, **FIT)
    compiled(twin).freeze(0)
    twin.fit(X, Y, **FIT)
    assert_same_bits(model.state_dict(), twin.state_dict())


def moved(values: nn.Sequential, to: nn.Sequential) -> None:
    """Give parameters of one network to another: what slices need not do."""
    to.load_state_dict(values.state_dict(), strict=False)


def own_step(model: nn.Sequential, X: np.ndarray) -> None:
    model.loss_and_grads(X, Y)
    model.step()


@pytest.mark.parametrize("how", ["fit", "step"])
@pytest.mark.parametrize("precisions", [("float32", "float32"), ("bf16", "float32"), ("float32", "bf16")], ids="-".join)
def test_two_trainings_in_turn_are_those_of_two_networks(how: str, precisions: tuple[str, str]) -> None:
    if "bf16" in precisions and not (nn.runtime.available_bf16() and nn.runtime.isa() == "avx512"):
        pytest.skip("this CPU, or the instruction set in use, has no products in bf16")
    model = network()
    H = hidden(model)
    compiled(model, precision=precisions[0])
    part = compiled(model[4:], precision=precisions[1])
    whole, head = copy.deepcopy(model), copy.deepcopy(part)
    for _ in range(3):
        for shared, alone, data in ((model, whole, X), (part, head, H)):
            for each in (shared, alone):
                each.fit(data, Y, **FIT) if how == "fit" else own_step(each, data)
            moved(alone, to=head if alone is whole else whole)
    assert_same_bits(training_state(model), training_state(whole))
    assert_same_bits(training_state(part), training_state(head))


def test_one_after_the_other_a_body_and_a_head_step_as_the_whole() -> None:
    """The passes of slices that have no layer in common, joined by hand."""
    layers = [nn.Linear(6, 9), nn.Tanh(), nn.Linear(9, 3)]
    model, twin = (nn.Sequential(*layers, seed=2, dtype="float64") for _ in range(2))
    body, head = model[:2], model[2:]
    for each in (body, head, twin):
        each.compile("mse", nn.Adam(lr=0.01))
    for _ in range(3):
        dY = head.forward(body.forward(X)) - 1
        body.backward(head.backward(dY))
        head.step()
        body.step()
        twin.backward(twin.forward(X) - 1)
        twin.step()
    assert_same_bits(model.state_dict(), twin.state_dict())


# ---- What others change ---------------------------------------------------------------------------------------------

CHANGES: dict[str, Callable[[nn.Sequential], Any]] = {
    "fit": lambda part: part.fit(np.ones((8, 9)), Y[:8], verbose=0),
    "step": lambda part: (part.loss_and_grads(np.ones((8, 9)), Y[:8]), part.step()),
    "load_state_dict": lambda part: part.load_state_dict(part.state_dict()),
    "freeze": lambda part: part.freeze(8),
    "unfreeze": lambda part: part.unfreeze(8),
}
HARMLESS: dict[str, Callable[[nn.Sequential], Any]] = {
    "compile": lambda part: compiled(part, precision="float32"),
    "loss_and_grads": lambda part: part.loss_and_grads(np.ones((8, 9)), Y[:8]),
    "forward": lambda part: part.forward(np.ones((8, 9))),
    "predict": lambda part: part.predict(np.ones((8, 9))),
    "evaluate": lambda part: part.evaluate(np.ones((8, 9)), Y[:8]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_gradients_from_before_are_not_applied(change: str) -> None:
    model = compiled(network())
    part, body = compiled(model[4:]), compiled(model[:4])
    model.loss_and_grads(X, Y)
    body.backward(body.forward(X))
    CHANGES[change](part)
    with pytest.raises(RuntimeError, match=r"\[step\] there are no gradients, as another model of this network has"):
        model.step()
    with pytest.raises(RuntimeError, match=r"\[grads\] there are no gradients, as another model"):
        model.grads()
    model.forward(X)
    CHANGES[change](part)
    with pytest.raises(
        RuntimeError, match=r"\[backward\] there is no forward pass to go back through, as another model"
    ):
        model.backward(np.ones((50, 3)))
    assert internals.counters(model) == (0, 0, 0)
    body.step()  # it has no layer in common with the part


@pytest.mark.parametrize("what", HARMLESS)
def test_gradients_stay_where_others_change_nothing(what: str) -> None:
    model, twin = (compiled(network()) for _ in range(2))
    part = compiled(model[4:])
    for each in (model, twin):
        each.loss_and_grads(X, Y)
    HARMLESS[what](part)
    for each in (model, twin):
        each.step()
    assert_same_bits(training_state(model), training_state(twin))


def test_freezing_through_another_model_holds_in_training() -> None:
    model, twin = (compiled(network()) for _ in range(2))
    part = model[4:]
    for each in (model, twin):
        each.fit(X, Y, **FIT)
    part.freeze(4, "7.body")
    twin.freeze(4, "7.body")
    for each in (model, twin):
        each.fit(X, Y, **FIT)
    part.unfreeze(4)
    twin.unfreeze(4)
    for each in (model, twin):
        each.fit(X, Y, **FIT)
    assert_same_bits(training_state(model), training_state(twin))


def test_a_step_of_another_model_within_a_fit_is_one_of_the_callbacks() -> None:
    """As a step of the model itself: the fit goes on from there, also where it diverges later."""
    model, twin = (compiled(network()) for _ in range(2))
    part, head = compiled(model[4:]), compiled(copy.deepcopy(twin[4:]))
    H = hidden(model)

    def step_of_the_part(epoch: int, logs: Any) -> None:
        own_step(part, H)

    def step_by_hand(epoch: int, logs: Any) -> None:
        moved(twin, to=head)
        own_step(head, H)
        moved(head, to=twin)

    for each, step in ((model, step_of_the_part), (twin, step_by_hand)):
        each.fit(X, Y, callbacks=nn.LambdaCallback(on_epoch_end=step), **FIT)
    assert_same_bits(training_state(model), training_state(twin))


# ---- Averages and schedules -----------------------------------------------------------------------------------------


def test_averages_are_of_one_model() -> None:
    model = network()
    H = hidden(model)
    part = compiled(model[4:], ema=0.9)
    part.fit(H, Y, **FIT)
    averaged, trained = part.state_dict(), model.state_dict()
    assert any((averaged[name] != trained[name]).any() for name in averaged)
    predicted = part.predict(H)
    assert (model[4:].predict(H) != predicted).any()
    model[:4].load_state_dict({name: array + 1 for name, array in model[:4].state_dict().items()})
    assert_same_bits(part.predict(H), predicted)


@pytest.mark.parametrize("change", ["fit", "step", "load_state_dict"])
def test_averages_of_what_others_change_begin_again_there(change: str) -> None:
    model = compiled(network(), ema=0.9)
    model.fit(X, Y, **FIT)
    averaged = model.state_dict()
    part = compiled(model[6:])
    {
        "fit": lambda: part.fit(np.ones((8, 40)), Y[:8], verbose=0),
        "step": lambda: (part.loss_and_grads(np.ones((8, 40)), Y[:8]), part.step()),
        "load_state_dict": lambda: part.load_state_dict({n: a + 1 for n, a in part.state_dict().items()}),
    }[change]()
    assert_same_bits(model.state_dict(), averaged | part.state_dict())
    plain = nn.Sequential(*LAYERS, seed=4)
    plain.load_state_dict(model.state_dict())
    for rows in (1, 50):
        assert_same_bits(model.predict(X[:rows]), plain.predict(X[:rows]))
    model.fit(X, Y, **FIT)
    assert (model.state_dict()["8.weight"] != model[8:].state_dict()["8.weight"]).any()


def test_each_model_follows_a_schedule_of_its_own() -> None:
    model = network()
    H, part = hidden(model), model[4:]
    schedule = nn.Cosine(0.1, epochs=4)
    for each in (model, part):
        each.compile("cross_entropy", nn.SGD(lr=schedule))
    model.fit(X, Y, **FIT)
    assert internals.position(model) == (2.0, 0, 0)
    assert internals.position(part) == (0.0, 0, 0)
    part.fit(H, Y, **FIT | {"epochs": 1})
    assert internals.position(part) == (1.0, 0, 0)
    assert internals.counters(part) == (7, 1, 7)
    assert internals.counters(model) == (14, 2, 14)


def test_what_is_known_of_data_is_each_models() -> None:
    model = network()
    part = compiled(model[4:])
    part.fit(hidden(model), np.array(["a", "b", "c"])[Y], verbose=0, scale=0.5)
    assert part.seen.classes == ("a", "b", "c")
    assert (model.seen.classes, model.compiled, model.history) == (None, None, None)
    assert part.decision.names == ("a", "b", "c")


# ---- Threads --------------------------------------------------------------------------------------------------------


def test_one_fit_at_a_time_and_predictions_meanwhile() -> None:
    model = compiled(network())
    H, part, body = hidden(model), compiled(model[4:]), model[:4]
    begun, go_on, seen = threading.Event(), threading.Event(), []

    def wait(epoch: int, logs: Any) -> None:
        begun.set()
        assert go_on.wait(60)

    def fit() -> None:
        model.fit(X, Y, callbacks=nn.LambdaCallback(on_epoch_begin=wait), **FIT)
        seen.append("done")

    thread = threading.Thread(target=fit)
    thread.start()
    try:
        assert begun.wait(60)
        with pytest.raises(RuntimeError, match=r"\[fit\] "):
            part.fit(H, Y, verbose=0)
        assert_same_bits(part.predict(body.predict(X)), model.predict(X))
        assert part.history is None
    finally:
        go_on.set()
        thread.join(60)
    assert seen == ["done"]
    part.fit(H, Y, verbose=0)


def test_slices_come_and_go_while_another_model_trains() -> None:
    model = compiled(network())
    alone = copy.deepcopy(model)
    stop, failed = threading.Event(), []

    def use_slices() -> None:
        try:
            while not stop.is_set():
                body, head = model[:4], model[4:]
                compiled(copy.deepcopy(head)).evaluate(body.predict(X), Y)
                head.predict(body.predict(X))
        except BaseException as error:
            failed.append(error)
            raise

    threads = [threading.Thread(target=use_slices) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        model.fit(X, Y, **FIT | {"epochs": 60})
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    alone.fit(X, Y, **FIT | {"epochs": 60})
    assert failed == []
    assert_same_bits(training_state(model), training_state(alone))
