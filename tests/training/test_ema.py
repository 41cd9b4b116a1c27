"""ema=decay: what predicts are moving averages of the parameters, and training goes on with the parameters."""

from typing import Any

import numpy as np
import pytest

import internals
import nnext as nn
from averaging import DECAY, NETWORKS, Array, X, Y, build, fit, plain, trained
from cases import EVERY_OPTIMIZER
from internals import training_state
from layer_cases import LAYERS
from pins import ten, uniform
from support import assert_same_bits, unchanged, use_isa
from tolerance import assert_within, eps

# ---- what averages are ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", EVERY_OPTIMIZER)
@pytest.mark.parametrize("network", ["tiny", "statistics"])
def test_a_copy_after_the_first_step_then_its_share_of_each(isa: str, dtype: str, network: str, optimizer: str) -> None:
    model = build(network, optimizer=EVERY_OPTIMIZER[optimizer].make(), dtype=dtype)
    averages: dict[str, Array] = {}
    for step in range(6):
        fit(model, batch_size=230)
        state, shown = trained(model), model.state_dict()
        for name, values in state.items():
            if step == 0 or "running" in name or "num_batches" in name:
                assert_same_bits(shown[name], values)
            else:
                exact = DECAY * averages[name].astype("longdouble") + (1 - DECAY) * values.astype("longdouble")
                assert_within(shown[name], exact, eps(dtype) * (np.abs(averages[name]) + np.abs(values)))
        averages = shown
    assert all((averages[name] != values).any() for name, values in state.items() if name.endswith("weight"))


@pytest.mark.parametrize("network", NETWORKS)
def test_training_is_what_it_is_without(isa: str, network: str) -> None:
    model, without = build(network), build(network, None)
    assert fit(model, epochs=3) == fit(without, epochs=3)
    state = {name: values for name, values in training_state(model).items() if not name.startswith("average.")}
    assert_same_bits(state, training_state(without))


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("settings", [{}, {"clip_norm": 0.1}, {"accumulate": 3}], ids=str)
def test_the_same_bits_in_every_way_of_training(isa: str, network: str, settings: dict[str, Any]) -> None:
    if network == "statistics" and "accumulate" in settings:
        pytest.skip("a batch's statistics are its own")
    model, own = build(network, **settings), build(network, **{**settings, "accumulate": 1})
    fit(model, epochs=2, batch_size=60 // settings.get("accumulate", 1))
    for _ in range(2):
        order = internals.begin_epoch(own, len(X), True)
        for start in range(0, len(X), 60):
            rows = order[start : start + 60]
            own.loss_and_grads(X[rows], Y[rows])
            own.step()
    assert_same_bits(training_state(model), training_state(own))
    assert any(name.startswith("average.") for name in training_state(model))


@pytest.mark.parametrize("layer", LAYERS)
def test_of_every_layer(isa: str, dtype: str, layer: str) -> None:
    case = LAYERS[layer]
    before, shape = case.before()
    model = nn.Sequential(before, case.layer, *case.head(10), dtype=dtype)
    model.compile(loss="cross_entropy", optimizer=nn.Adam(lr=0.1), ema=DECAY)
    x = case.suitable(uniform(1, len(Y), *shape))
    model.fit(x, Y, epochs=2, verbose=0)
    assert_same_bits(model.predict(x), plain(model, model.state_dict()).predict(x))


def test_stored_as_the_model_is_whatever_is_chosen_since() -> None:
    """Panels of weights are of the instruction set that a model was made for."""
    states = []
    for later in ("avx2", "baseline", nn.runtime.isa()):
        if later not in nn.runtime.available_isas():
            continue
        model = build("layered", None)
        with use_isa(later):
            model.compile(loss="cross_entropy", ema=DECAY)
        fit(model, epochs=2)
        states.append({"outputs": model.predict(X), **training_state(model)})
    for state in states[1:]:
        assert_same_bits(state, states[0])


# ---- what goes by them ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("network", NETWORKS)
def test_everything_that_predicts_goes_by_the_averages(isa: str, network: str) -> None:
    model = build(network, metrics=["accuracy"])
    history = fit(model, epochs=2, validation_data=(X[:50], Y[:50]))
    twin = plain(model, model.state_dict())
    assert_same_bits(model.predict(X), twin.predict(X))
    assert_same_bits(model.predict(X[0]), twin.predict(X[0]))
    assert_same_bits(model.compile_inference()(X[:7]), twin.predict(X[:7]))
    assert_same_bits(model.predict_proba(X), twin.predict_proba(X))
    assert_same_bits(model.predict_classes(X), twin.predict_classes(X))
    assert_same_bits(model.forward(X, training=False), twin.predict(X))
    assert model.evaluate(X, Y) == twin.evaluate(X, Y)
    validated = {"loss": history["val_loss"][-1], "accuracy": history["val_accuracy"][-1]}
    assert validated == twin.evaluate(X[:50], Y[:50])


def test_training_goes_by_the_parameters(isa: str) -> None:
    model = build("statistics")
    fit(model, epochs=2)
    twin = plain(model, trained(model))
    assert_same_bits(model.forward(X), twin.forward(X))
    assert_same_bits(model.backward(np.ones((230, 10))), twin.backward(np.ones((230, 10))))
    (loss, grads), (expected, expected_grads) = model.loss_and_grads(X, Y), twin.loss_and_grads(X, Y)
    assert loss == expected
    assert_same_bits(grads, expected_grads)
    assert (model.forward(X, training=False) != model.forward(X)).any()


def test_predictions_of_other_threads_and_of_callbacks_are_of_a_whole_step() -> None:
    model, seen = build("layered"), []
    look = nn.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append((model.predict(X[:9]), model.state_dict())))
    fit(model, epochs=3, callbacks=look)
    for outputs, tensors in seen:
        assert_same_bits(outputs, plain(model, tensors).predict(X[:9]))


def test_a_loss_of_ones_own_is_evaluated_by_the_averages() -> None:
    model = build("layered", loss=lambda p, t: (float(((p - t) ** 2).mean()), 2 * (p - t) / p.size))
    targets = uniform(3, 230, 10)
    model.fit(X, targets, batch_size=64, epochs=2, verbose=0)
    assert model.evaluate(X, targets)["loss"] == float(((model.predict(X) - targets) ** 2).mean())


# ---- where they begin and end ---------------------------------------------------------------------------------------


def test_there_are_none_before_the_first_step() -> None:
    model = build()
    assert_same_bits(model.state_dict(), build(ema=None).state_dict())
    model.loss_and_grads(X, Y)
    assert not internals.averages(model)


def test_compile_starts_without_averages() -> None:
    model = build()
    fit(model)
    state = trained(model)
    for ema in (0.5, None):
        model.compile(loss="cross_entropy", ema=ema)
        assert_same_bits(model.state_dict(), state)
        assert_same_bits(model.predict(X), plain(model, state).predict(X))


@pytest.mark.parametrize("names", [None, ["0.weight"]])
def test_load_state_dict_starts_them_anew(names: list[str] | None) -> None:
    model, other = build(), build(ema=None)
    fit(model, epochs=2)
    fit(other)
    before, given = trained(model), {name: other.state_dict()[name] for name in names or other.state_dict()}
    model.load_state_dict(given, strict=names is None)
    assert_same_bits(model.state_dict(), {**before, **given})
    assert_same_bits(model.predict(X), plain(model, {**before, **given}).predict(X))
    fit(model, batch_size=230)
    assert_same_bits(model.state_dict(), trained(model))


def test_a_frozen_layers_average_is_its_weights(isa: str) -> None:
    model = build("statistics")
    fit(model, epochs=2)
    model.freeze("0", "1")
    state, shown = trained(model), model.state_dict()
    frozen = [name for name in shown if name[0] in "01"]
    assert_same_bits({name: shown[name] for name in frozen}, {name: state[name] for name in frozen})
    assert (shown["4.weight"] != state["4.weight"]).any()
    fit(model)
    assert_same_bits({name: model.state_dict()[name] for name in frozen}, {name: state[name] for name in frozen})
    model.unfreeze("0")
    fit(model, batch_size=230)
    moved = trained(model)["0.weight"]
    expected = DECAY * state["0.weight"] + (1 - DECAY) * moved
    assert_within(model.state_dict()["0.weight"], expected, 4 * eps("float32") * np.abs(moved).max())


def test_with_every_layer_frozen_they_are_the_weights() -> None:
    model = build("layered")
    model.freeze("0", "3", "5")
    before = model.state_dict()
    fit(model, epochs=2)
    assert_same_bits(model.state_dict(), before)


# ---- settings -------------------------------------------------------------------------------------------------------


def test_a_decay_that_is_1_in_the_models_dtype_is_refused() -> None:
    model = nn.Sequential(*ten())
    with unchanged(model), pytest.raises(ValueError, match=r"\[compile\] ema is 0.99999999, which is 1 in float32"):
        model.compile(loss="cross_entropy", ema=0.99999999)
    nn.Sequential(*ten(), dtype="float64").compile(loss="cross_entropy", ema=0.99999999)


def test_in_bf16() -> None:
    if not nn.runtime.available_bf16() or nn.runtime.isa() != "avx512":
        pytest.skip("this CPU, or the instruction set in use, has no products in bf16")
    model, without = (build("layered", ema, precision="bf16") for ema in (DECAY, None))
    assert fit(model, epochs=2) == fit(without, epochs=2)
    assert_same_bits(trained(model), without.state_dict())
    assert_same_bits(model.predict(X), plain(model, model.state_dict()).predict(X))
