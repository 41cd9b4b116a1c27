"""Parameters in and out, frozen layers, and the protocol of own loops."""

from typing import Any

import numpy as np
import pytest

import internals
import nnext as nn
from internals import training_state
from support import assert_same_bits, unchanged

X, Y = np.linspace(-1, 1, 12).reshape(4, 3), np.array([0, 1, 1, 0])


@pytest.fixture
def model(dtype: str) -> nn.Sequential:
    """Train a small network for two steps."""
    net = nn.Sequential(nn.Linear(3, 20), nn.Tanh(), nn.Dropout(0.5), nn.Linear(20, 2), seed=1, dtype=dtype)
    net.compile(loss="cross_entropy", optimizer=nn.Adam(lr=0.1))
    net.fit(X, Y, batch_size=2, verbose=0)
    return net


# ---- state_dict -----------------------------------------------------------------------------------------------------


def test_a_state_dict_is_a_copy(model: nn.Sequential) -> None:
    state = model.state_dict()
    assert list(state) == ["0.weight", "0.bias", "3.weight", "3.bias"]
    for values in state.values():
        assert values.flags.owndata
        values[...] = 0
    assert all(values.any() for values in model.state_dict().values())


def test_a_state_dict_makes_a_twin(model: nn.Sequential, isa: str) -> None:
    """Also of a network that was laid out for another instruction set."""
    twin = nn.Sequential(*model.layers, seed=99, dtype=model.dtype)
    twin.load_state_dict(model.state_dict())
    assert_same_bits(twin.state_dict(), model.state_dict())
    same_set = nn.Sequential(*model.layers, seed=5, dtype=model.dtype)
    same_set.load_state_dict(twin.state_dict())
    assert_same_bits(same_set.predict(X), twin.predict(X))


def test_what_is_derived_from_the_weights_follows_them(model: nn.Sequential) -> None:
    """The gradient of the input uses a transposed copy of the weights."""
    twin = nn.Sequential(*model.layers, seed=model.seed, dtype=model.dtype)
    twin.forward(X)
    twin.backward(np.ones((4, 2)))
    twin.load_state_dict(model.state_dict())
    internals.set_counters(twin, internals.counters(model))  # the same dropout mask
    for net in (model, twin):
        net.forward(X)
    assert_same_bits(twin.backward(np.ones((4, 2))), model.backward(np.ones((4, 2))))


@pytest.mark.parametrize(
    "make", [np.asfortranarray, lambda x: x.astype("float64"), lambda x: x.tolist(), lambda x: x[:]]
)
def test_any_numbers_can_be_loaded(model: nn.Sequential, make: Any) -> None:
    twin = nn.Sequential(*model.layers, dtype=model.dtype)
    twin.load_state_dict({name: make(values) for name, values in model.state_dict().items()})
    assert_same_bits(twin.state_dict(), model.state_dict())


def test_strict_decides_whether_names_may_differ(model: nn.Sequential) -> None:
    part = {"3.bias": np.array([5.0, 6.0]), "9.weight": np.zeros(1)}
    with (
        unchanged(model),
        pytest.raises(ValueError, match=r"missing \['0.weight', .*unexpected \['9.weight'\].*strict=False"),
    ):
        model.load_state_dict(part)
    with unchanged(model), pytest.raises(ValueError, match=r"missing \[\], unexpected \['9.weight'\]"):
        model.load_state_dict(model.state_dict() | {"9.weight": np.zeros(1)})
    with unchanged(model), pytest.raises(ValueError, match=r"missing \['3.bias'\], unexpected \[\]"):
        model.load_state_dict({name: values for name, values in model.state_dict().items() if name != "3.bias"})
    before = model.state_dict()
    model.load_state_dict(part, strict=False)
    assert model.state_dict()["3.bias"].tolist() == [5, 6]
    for name in ("0.weight", "0.bias", "3.weight"):
        assert_same_bits(model.state_dict()[name], before[name])


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        (np.ones((20, 4)), ValueError, r"\[load_state_dict\] weight has shape \(20, 4\) but the model's is \(2, 20\)"),
        (np.ones(40), ValueError, r"weight has shape \(40,\) but the model's is \(2, 20\); give arrays of the"),
        (np.full((2, 20), "1"), TypeError, r"\[load_state_dict\] weight has dtype <U1; give real numbers"),
        (np.ma.masked_array(np.ones((2, 20)), mask=True), TypeError, "weight has masked values; fill them first"),
        (np.full((2, 20), 1j), TypeError, "weight has dtype complex128"),
    ],
)
def test_a_wrong_array_among_good_ones_changes_nothing(
    model: nn.Sequential, values: Any, error: type[Exception], message: str
) -> None:
    good = {name: values * 2 for name, values in model.state_dict().items()}
    for names in (list(good), list(good)[::-1]):
        with unchanged(model), pytest.raises(error, match=message):
            model.load_state_dict({name: good[name] for name in names} | {"3.weight": values})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.load_state_dict("weights.pt"), "sd is 'weights.pt'; give a dict of arrays"),
        (lambda m: m.load_state_dict(m), "sd is Sequential.*; give a dict of arrays"),
        (lambda m: m.load_state_dict(m.state_dict(), strict=0), "strict is 0; give True or False"),
        (lambda m: m.load_state_dict(m.state_dict(), False), "takes sd by position but got 2; name the others: strict"),
    ],
)
def test_only_a_dict_of_arrays_is_loaded(model: nn.Sequential, call: Any, message: str) -> None:
    with unchanged(model), pytest.raises(TypeError, match=rf"\[load_state_dict\] {message}"):
        call(model)


def test_weights_too_large_for_float32_are_refused() -> None:
    net = nn.Sequential(nn.Linear(2, 1))
    with (
        unchanged(net),
        pytest.raises(ValueError, match=r"weight has 1e\+40 at \(0, 1\), which is infinite in float32"),
    ):
        net.load_state_dict({"0.weight": [[1, 1e40]], "0.bias": [0]})


# ---- freeze ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        *((name, ValueError, f"unknown layer '{name}'; use one of 0, 3") for name in ("1", "4", "-1", "linear")),
        (1, ValueError, "unknown layer '1'; use one of 0, 3"),
        ("0.weight", ValueError, "'0.weight' is an array of a layer; give the whole layer, '0'"),
        (False, TypeError, "layer is False; give one of 0, 3"),
        (0.0, TypeError, "layer is 0.0; give one of 0, 3"),
        (["0", "3"], TypeError, r"layer is \['0', '3'\]; name them one by one, as in model.freeze"),
    ],
)
def test_only_layers_with_parameters_can_be_frozen(
    model: nn.Sequential, name: Any, error: type[Exception], message: str
) -> None:
    for operation in ("freeze", "unfreeze"):
        with unchanged(model), pytest.raises(error, match=rf"\[{operation}\] {message}"):
            getattr(model, operation)("0", name)


@pytest.mark.parametrize("place", ["0", 0, np.int64(0)])
def test_freezing_is_kept_by_compile(model: nn.Sequential, place: Any) -> None:
    model.freeze(place)
    model.compile(loss="mse")
    before = model.state_dict()
    model.fit(X, np.ones((4, 2)), verbose=0)
    assert_same_bits(model.state_dict()["0.weight"], before["0.weight"])


# ---- Own loops ------------------------------------------------------------------------------------------------------


def test_loss_and_grads_changes_nothing_and_repeats(model: nn.Sequential) -> None:
    with unchanged(model):
        first, second = model.loss_and_grads(X, Y), model.loss_and_grads(X, Y)
    assert first[0] == second[0]
    assert_same_bits(first[1], second[1])
    assert list(first[1]) == list(model.state_dict())
    assert_same_bits(model.grads(), first[1])
    model.step()
    assert model.loss_and_grads(X, Y)[0] != first[0]


def test_forward_and_backward_can_be_repeated(model: nn.Sequential) -> None:
    y = model.forward(X)
    assert_same_bits(model.forward(X), y)
    dX, grads = model.backward(np.ones_like(y)), model.grads()
    assert_same_bits(model.backward(np.ones_like(y)), dX)
    assert_same_bits(model.grads(), grads)
    doubled = model.backward(2 * np.ones_like(y))
    assert_same_bits(doubled, 2 * dX)


def test_dropout_acts_in_training_only(model: nn.Sequential) -> None:
    assert (model.forward(X, training=True) != model.predict(X)).any()
    assert_same_bits(model.forward(X, training=False), model.predict(X))


def test_a_batch_can_grow_and_shrink(model: nn.Sequential) -> None:
    for rows in (2, 4, 1, 3):
        twin = nn.Sequential(*model.layers, seed=model.seed, dtype=model.dtype)
        twin.load_state_dict(model.state_dict())
        internals.set_counters(twin, internals.counters(model))
        assert_same_bits(model.forward(X[:rows]), twin.forward(X[:rows]))
        assert_same_bits(model.backward(np.ones((rows, 2))), twin.backward(np.ones((rows, 2))))
        assert_same_bits(model.grads(), twin.grads())


def test_steps_in_the_wrong_order_are_named(model: nn.Sequential) -> None:
    fresh = nn.Sequential(*model.layers)
    with pytest.raises(RuntimeError, match=r"\[backward\] there is no forward pass to go back through; call forward"):
        fresh.backward(np.ones((4, 2)))
    for operation in ("grads", "step"):
        fresh.compile(loss="mse")
        with pytest.raises(RuntimeError, match=rf"\[{operation}\] there are no gradients; call backward"):
            getattr(fresh, operation)()
    model.forward(X, training=False)
    with pytest.raises(RuntimeError, match=r"call forward\(X, training=True\) first"):
        model.backward(np.ones((4, 2)))
    model.loss_and_grads(X, Y)
    with pytest.raises(RuntimeError, match=r"\[backward\] there is no forward pass"):
        model.backward(np.ones((4, 2)))  # loss_and_grads has gone back already
    model.step()
    with pytest.raises(RuntimeError, match=r"\[step\] there are no gradients"):
        model.step()  # used up


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.load_state_dict(m.state_dict()),
        lambda m: m.compile(loss="cross_entropy"),
        lambda m: m.freeze("0"),
        lambda m: m.fit(X, Y, verbose=0),
    ],
)
def test_gradients_end_with_what_they_belong_to(model: nn.Sequential, change: Any) -> None:
    model.loss_and_grads(X, Y)
    change(model)
    before = training_state(model)
    with pytest.raises(RuntimeError, match=r"\[step\] there are no gradients"):
        model.step()
    assert_same_bits(training_state(model), before)


def test_the_arrays_given_to_a_pass_may_be_changed_before_the_next(model: nn.Sequential) -> None:
    batch = X.astype(model.dtype)
    y = model.forward(batch)
    expected = model.backward(np.ones_like(y))
    model.forward(batch)
    batch[...] = 77
    y[...] = 77
    assert_same_bits(model.backward(np.ones((4, 2))), expected)
