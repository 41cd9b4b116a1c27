"""model[a:b] is a model of its own on the same layers: their names, parameters and random numbers."""

import copy
import io
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import internals
import nnext as nn
from internals import training_state
from nnext import reference
from pins import uniform
from support import assert_same_bits, model_metadata

X = uniform(1, 40, 6)
IMAGES = uniform(2, 5, 28 * 28).reshape(5, 1, 28, 28)


def mlp(**settings: Any) -> nn.Sequential:
    return nn.MLP([6, 9, 8, 3], activation="tanh", dropout=0.3, batch_norm=True, seed=5, **settings)


def branched() -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(6, 8),
        nn.Residual(nn.Linear(8, 5), nn.Dropout(0.2), nn.Linear(5, 4), shortcut=[nn.Linear(8, 4)]),
        nn.Branches([nn.Linear(4, 3)], [nn.Dropout(0.4), nn.Linear(4, 2)], []),
        nn.Residual(nn.Linear(9, 9), nn.Dropout(0.3)),
        nn.Linear(9, 2),
        seed=8,
    )


def lenet(**settings: Any) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 20), nn.ReLU(), nn.Linear(20, 10), **settings,
    )  # fmt: skip


NETWORKS: dict[str, tuple[Callable[[], nn.Sequential], np.ndarray]] = {
    "mlp": (mlp, X),
    "float64": (lambda: mlp(dtype="float64"), X.astype("float64")),
    "branched": (branched, X),
    "images": (lenet, IMAGES),
    "images of a told shape": (lambda: lenet(input_shape=(1, 28, 28)), IMAGES),
    "sequences": (
        lambda: nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Flatten(), nn.Linear(8, 2), input_shape=(2, 3)),
        X.reshape(40, 2, 3),
    ),
}
network = pytest.mark.parametrize("network", NETWORKS)


def by_a_network_of_its_own(model: nn.Sequential, X: np.ndarray, last: int) -> Any:
    """Return hidden activations from the first layers' parameters alone."""
    first = nn.Sequential(*model.layers[:last], dtype=str(model.dtype), input_shape=X.shape[1:])
    first.load_state_dict({name: model.state_dict()[name] for name in first.state_dict()})
    return first.predict(X)


# ---- What a slice is ------------------------------------------------------------------------------------------------


@network
def test_it_gives_and_takes_what_is_hidden_in_the_whole(isa: str, network: str) -> None:
    build, X = NETWORKS[network]
    model = build()
    expected = model.predict(X)
    for cut in range(1, len(model)):
        hidden = model[:cut].predict(X)
        assert_same_bits(hidden, by_a_network_of_its_own(model, X, cut))
        assert_same_bits(model[cut:].predict(hidden), expected)
        assert_same_bits(model[cut:](hidden[:1]), expected[:1])
        if model[cut:].input_shape is not None:
            assert_same_bits(model[cut:].compile_inference()(hidden), expected)
        if model[cut:].input_shape == hidden.shape[1:]:
            assert_same_bits(model[cut:].predict(hidden[0]), expected[0])


@network
def test_slices_of_slices_are_those_of_the_whole(network: str) -> None:
    build, X = NETWORKS[network]
    model = build()
    inner = model[: len(model) - 1][1:]
    assert inner.layers == model[1:-1].layers == model.layers[1:-1]
    assert list(inner.state_dict()) == list(model[1:-1].state_dict())
    assert inner.input_shape == model[1:-1].input_shape
    hidden = model[:1].predict(X)
    assert_same_bits(inner.predict(hidden), model[:-1].predict(X))
    assert_same_bits(inner[-1:].predict(inner[:-1].predict(hidden)), model[:-1].predict(X))


@network
def test_names_are_those_of_the_whole(network: str) -> None:
    model = NETWORKS[network][0]()
    for first in range(len(model)):
        part = model[first:]
        names = [name for name in model.state_dict() if int(name.partition(".")[0]) >= first]
        assert list(part.state_dict()) == names
        assert_same_bits(part.state_dict(), {name: model.state_dict()[name] for name in names})


def test_parameters_are_shared_both_ways() -> None:
    model = mlp()
    part = model[3:]
    part.load_state_dict({name: array + 1 for name, array in part.state_dict().items()})
    assert_same_bits(part.state_dict(), {name: model.state_dict()[name] for name in part.state_dict()})
    model.load_state_dict({name: array - 2 for name, array in model.state_dict().items()})
    assert_same_bits(part.state_dict(), {name: model.state_dict()[name] for name in part.state_dict()})


def test_layers_and_parameters_outlive_the_whole() -> None:
    model = mlp()
    hidden, expected, part = model[:4].predict(X), model.predict(X), model[4:]
    del model
    assert_same_bits(part.predict(hidden), expected)


@pytest.mark.parametrize(
    "places", [slice(None), slice(0, 2), slice(-2, None), slice(1, None, 1), slice(-99, 99, np.int64(1))]
)
def test_python_says_which_layers(places: slice) -> None:
    model = mlp()
    part = model[places]
    assert type(part) is nn.Sequential
    assert part.layers == model.layers[places]
    assert (part.seed, part.dtype) == (model.seed, model.dtype)
    assert part[0] == part.layers[0]


@pytest.mark.parametrize(
    ("places", "error", "message"),
    [
        (slice(None, None, 2), ValueError, r"\[model\] the step of a slice is 2, but .*; leave it out"),
        (slice(None, None, -1), ValueError, r"\[model\] the step of a slice is -1, but .*; leave it out"),
        (slice(None, None, 0), ValueError, r"\[model\] the step of a slice is 0, but .*; leave it out"),
        (slice(2, 2), ValueError, r"\[model\] the layers from 2 to 2 are none; the model has 9"),
        (slice(5, 2), ValueError, r"\[model\] the layers from 5 to 2 are none"),
        (slice(9, None), ValueError, r"\[model\] the layers from 9 to 9 are none"),
        (slice(0.0, 2), TypeError, r"\[model\] 0\.0 in a slice is no place of a layer; give whole numbers"),
        (slice(True, 2), TypeError, r"\[model\] True in a slice is no place of a layer"),
        (slice(None, "2"), TypeError, r"\[model\] '2' in a slice is no place of a layer"),
    ],
)
def test_what_is_no_slice_of_layers(places: slice, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        mlp()[places]


# ---- Shapes of samples ----------------------------------------------------------------------------------------------


def test_input_shapes_are_what_comes_before_gives() -> None:
    told, model = lenet(input_shape=(1, 28, 28)), lenet()
    shapes = [(1, 28, 28), (6, 28, 28), (6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 10, 10), (16, 5, 5), (400,)]
    assert [told[i:].input_shape for i in range(8)] == shapes
    assert [model[i:].input_shape for i in range(8)] == [None] * 6 + [(400,)] * 2
    assert mlp()[:1].input_shape == (6,)
    assert mlp()[2:].input_shape == (9,)


@pytest.mark.parametrize("shape", [(6, 14, 14), (6, 12, 20)])
def test_without_a_told_shape_it_takes_what_its_first_layer_takes(shape: tuple[int, ...]) -> None:
    assert lenet()[3:6].predict(np.ones((2, *shape))).shape[:2] == (2, 16)


def test_samples_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\[predict\] X has shape \(2, 6, 12, 20\).*takes \(6, 14, 14\)"):
        lenet(input_shape=(1, 28, 28))[3:].predict(np.ones((2, 6, 12, 20)))
    with pytest.raises(ValueError, match=r"X has 6 features but the network expects 9"):
        mlp()[3:].predict(X)
    with pytest.raises(ValueError, match=r"layer 7: \[linear\] x has \d+ features but the layer expects 400"):
        lenet()[3:].predict(np.ones((2, 6, 30, 30)))


def test_a_flatten_takes_images_or_the_features_that_they_are() -> None:
    model = lenet(input_shape=(1, 28, 28))
    images = model[:6].predict(IMAGES)
    assert_same_bits(model[6:].predict(images), model[7:].predict(images.reshape(5, -1)))


def test_its_table_has_the_names_of_the_whole(capsys: pytest.CaptureFixture[str]) -> None:
    branched()[3:].summary()
    assert [line.split("  ")[0] or line.split()[0] for line in capsys.readouterr().out.splitlines()[1:3]] == [
        "3 Residual",
        "3.body.0",
    ]


# ---- Freezing -------------------------------------------------------------------------------------------------------


def test_freezing_is_the_layers() -> None:
    model = branched()
    part, other = model[1:3], model[3:]
    part.freeze("1.body", 2)
    assert internals.frozen(model) == internals.frozen(part)
    assert internals.frozen(other) == set()
    model.unfreeze("1")
    assert internals.frozen(part) == internals.frozen(model) == {"2.branches.0.0", "2.branches.1.1"}
    with pytest.raises(ValueError, match=r"\[freeze\] unknown layer '0'; use one of 1, 1\.body"):
        part.freeze("0")


# ---- Files and copies -----------------------------------------------------------------------------------------------


def by_file(model: nn.Sequential) -> nn.Sequential:
    file = io.BytesIO()
    model.save(file)
    return nn.load(io.BytesIO(file.getvalue()))


TWINS: dict[str, Callable[[nn.Sequential], nn.Sequential]] = {
    "file": by_file,
    "deepcopy": copy.deepcopy,
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
}


@pytest.mark.parametrize("way", TWINS)
@network
def test_a_twin_has_a_network_of_its_own_and_goes_on_with_the_same_bits(network: str, way: str) -> None:
    build, X = NETWORKS[network]
    model = build()
    part = model[1:]
    hidden, y = model[:1].predict(X), uniform(9, len(X), model.predict(X).shape[1])
    part.compile("mse", nn.Adam(lr=0.01), metrics=["mae"], ema=0.5)
    part.freeze(list(part.state_dict())[-1].rpartition(".")[0])
    part.fit(hidden, y, epochs=2, batch_size=4, verbose=0)
    twin = TWINS[way](part)
    again = TWINS[way](twin[1:])
    assert_same_bits(training_state(twin), training_state(part))
    assert internals.frozen(twin) == internals.frozen(part)
    assert (twin.input_shape, twin.layers) == (part.input_shape, part.layers)
    assert list(again.state_dict()) == list(model[2:].state_dict())
    before = model.state_dict()
    twin.fit(hidden, y, epochs=2, batch_size=4, verbose=0)
    assert_same_bits(model.state_dict(), before)
    part.fit(hidden, y, epochs=2, batch_size=4, verbose=0)
    assert_same_bits(training_state(twin), training_state(part))
    assert_same_bits(twin.predict(hidden), part.predict(hidden))


@pytest.mark.parametrize("first", range(5))
def test_a_twins_random_numbers_are_those_of_the_whole(first: int) -> None:
    model = branched()
    hidden = X if first == 0 else model[:first].predict(X)
    twin = by_file(by_file(model[first:]))
    assert_same_bits(twin.forward(hidden), model[first:].forward(hidden))
    if first < 4:
        further = model[first : first + 1].predict(hidden)
        assert_same_bits(twin[1:].forward(further), model[first + 1 :].forward(further))


def test_a_predictor_is_copied_with_its_names() -> None:
    model = branched()
    hidden = model[:2].predict(X)
    predictor = pickle.loads(pickle.dumps(model[2:].compile_inference()))
    assert_same_bits(predictor(hidden), model.predict(X))
    assert list(predictor.engine.get()) == list(model[2:].state_dict())


def test_gradients_agree_with_differences_and_with_the_reference() -> None:
    part = branched()[1:]
    part.compile("mse", nn.SGD(lr=0.1))
    H, y = uniform(3, 7, 8), uniform(4, 7, 2)
    assert nn.gradcheck(part, H, y).max_relative_error < 1e-6
    net = reference.Network.from_model(part, loss="mse", optimizer=reference.SGD(lr=0.1))
    for _ in range(2):  # masks of dropout, within layers too, are those of the whole
        loss, grads = part.loss_and_grads(H, y)
        expected, others = net.loss_and_grads(H, y)
        assert np.isclose(loss, expected, rtol=1e-5)
        for name, other in others.items():
            place, _, rest = name.partition(".")
            np.testing.assert_allclose(grads[f"{int(place) + 1}.{rest}"], other, rtol=1e-3, atol=1e-5)
        part.step()
        net.step()


def test_files_of_whole_networks_say_nothing_of_numbers(tmp_path: Any) -> None:
    model = branched()
    for name, part in {"whole": model, "begin": model[:2], "end": model[2:]}.items():
        part.save(tmp_path / name)
    told = {name: model_metadata(tmp_path / name).get("numbering") for name in ("whole", "begin", "end")}
    assert told == {"whole": None, "begin": None, "end": [2, 4]}
