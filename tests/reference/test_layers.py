"""The reference's layers of images, sequences and branches beside PyTorch's, in float64."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nnext as nn
from image_strategies import Shape, convolutions, layer_norms, pools, shapes
from nnext import reference
from strategies import SEEDS
from torch_twins import load, sequential, torch

TOLERANCE = 1e-10  # relative to norms


def drawn_state(net: reference.Network, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return numbers for all arrays that can be."""
    state = {name: rng.normal(size=values.shape) for name, values in net.state_dict().items()}
    state |= {name: np.abs(v) for name, v in state.items() if name.endswith("_var")}
    return state | {name: np.full((), 3.0) for name in state if name.endswith("_tracked")}


def assert_close(ours: np.ndarray, theirs: Any, what: str) -> None:
    theirs = theirs.detach().numpy()
    assert ours.shape == theirs.shape, what
    # Before a normalization gradients may be rounding and nothing else, of numbers of about 1.
    assert np.linalg.norm(ours - theirs) <= TOLERANCE * max(np.linalg.norm(theirs), 1), what


def assert_pytorchs(layers: Sequence[nn.Layer], x: np.ndarray, seed: int) -> None:
    """Compare outputs, gradients of x and of parameters, and buffers after a step."""
    rng, configs = np.random.default_rng(seed), [layer.config() for layer in layers]
    state = drawn_state(reference.Network.from_config(configs), rng)
    net = reference.Network.from_config(configs, state, optimizer=reference.SGD(lr=0.0))
    theirs = sequential(layers).double()
    load(theirs, net.state_dict())
    theirs.eval()
    assert_close(net.predict(x), theirs(torch.from_numpy(x)), "prediction")
    theirs.train()
    theirs_x = torch.tensor(x, requires_grad=True)
    y = theirs(theirs_x)
    assert_close(net.forward(x, training=True), y, "output")
    dy = rng.normal(size=y.shape)
    y.backward(torch.from_numpy(dy))
    assert_close(net.backward(dy), theirs_x.grad, "gradient of x")
    named = dict(theirs.named_parameters())
    assert net.grads().keys() == named.keys()
    for name, gradient in net.grads().items():
        assert_close(gradient, named[name].grad, name)
    net.step()
    for name, buffer in theirs.named_buffers():
        assert_close(net.state_dict()[name], buffer.double(), name)


def drawn(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


@given(shapes(), st.integers(1, 3), SEEDS, st.data())
def test_convolutions(shape: Shape, n: int, seed: int, data: st.DataObject) -> None:
    assert_pytorchs([data.draw(convolutions(shape))], drawn(seed, n, *shape), seed)


@given(shapes(), st.integers(1, 3), SEEDS, st.data())
def test_pools_also_of_equal_numbers(shape: Shape, n: int, seed: int, data: st.DataObject) -> None:
    assert_pytorchs([data.draw(pools(shape))], drawn(seed, n, *shape).round(), seed)


@given(st.lists(st.integers(1, 4), min_size=1, max_size=3), st.integers(1, 3), SEEDS, st.data())
def test_layer_norms(shape: list[int], n: int, seed: int, data: st.DataObject) -> None:
    layer = data.draw(layer_norms(tuple(shape)))
    assert_pytorchs([layer], 5 + drawn(seed, n, *shape), seed)


@pytest.mark.parametrize("settings", [{}, {"affine": False, "eps": 0.1}, {"momentum": None}, {"momentum": 0.5}])
@pytest.mark.parametrize("shape", [(1, 3, 4, 5), (4, 1, 3, 2), (2, 3, 1, 1)])
def test_batch_norms_of_images(settings: dict[str, Any], shape: tuple[int, ...]) -> None:
    assert_pytorchs([nn.BatchNorm2d(shape[1], **settings)], 5 + drawn(3, *shape), 3)


@pytest.mark.parametrize("shape", [(4, 3, 5), (4, 3)])
def test_what_acts_on_the_features_of_each_step(shape: tuple[int, ...]) -> None:
    k = shape[-1]
    for layers in ([nn.Linear(k, 4)], [nn.Linear(k, 2, bias=False)], [nn.Softmax()], [nn.Linear(k, 3), nn.Tanh()]):
        assert_pytorchs(layers, drawn(5, *shape), 5)
    for layer in (
        nn.LogSoftmax(),
        nn.PReLU(k),
        nn.PReLU(),
        nn.RMSNorm(k),
        nn.RMSNorm(k, 0.1, elementwise_affine=False),
    ):
        assert_pytorchs([layer], drawn(5, *shape), 5)


@pytest.mark.parametrize("layer", [nn.PReLU(4), nn.PReLU(), nn.RMSNorm((4, 2, 5)), nn.RMSNorm(5, 0.1)])
def test_what_acts_on_images_with_weights(layer: nn.Layer) -> None:
    assert_pytorchs([layer], drawn(9, 3, 4, 2, 5), 9)


@pytest.mark.parametrize("layer", [nn.Softmax(), nn.LogSoftmax()])
def test_softmax_of_images_is_over_channels(layer: nn.Layer) -> None:
    assert_pytorchs([layer], drawn(6, 3, 4, 2, 5), 6)


def test_softmax_of_images_adds_up_over_channels() -> None:
    y = reference.Network.from_config([{"type": "Softmax"}]).predict(drawn(6, 3, 4, 2, 5))
    np.testing.assert_allclose(y.sum(axis=1), 1, rtol=1e-14)


INCEPTION = nn.Branches(
    [nn.Conv2d(3, 2, 1)], [nn.Conv2d(3, 2, 1), nn.ReLU(), nn.Conv2d(2, 4, 3, padding=1)], [],
    [nn.MaxPool2d(3, stride=1, padding=1), nn.Conv2d(3, 1, 1)],
)  # fmt: skip


@pytest.mark.parametrize(
    ("layers", "shape"),
    [
        ([INCEPTION], (3, 4, 5)),
        ([INCEPTION, nn.BatchNorm2d(10), nn.Flatten(), nn.Linear(10 * 20, 3)], (3, 4, 5)),
        ([nn.Branches([nn.Conv2d(3, 3, 1)], [], [nn.AvgPool2d(3, 1, 1)], join="add"), nn.GlobalAvgPool2d()], (3, 4, 5)),
        ([nn.Branches([nn.Linear(5, 2)], [nn.Tanh()], []), nn.Linear(12, 2)], (5,)),
        ([nn.Branches([nn.Linear(5, 2)], [nn.Tanh()], [])], (4, 5)),
        (
            [
                nn.Residual(
                    nn.Conv2d(2, 4, 3, padding="same", bias=False),
                    nn.BatchNorm2d(4),
                    nn.Branches([nn.GELU()], [nn.Conv2d(4, 4, (1, 3), padding=(0, 1), groups=4)], join="add"),
                    shortcut=nn.Conv2d(2, 4, 1),
                ),
                nn.MaxPool2d(2),
                nn.LayerNorm((4, 2, 3)),
            ],
            (2, 5, 6),
        ),
    ],
)
def test_branches_of_images_sequences_and_features(layers: list[nn.Layer], shape: tuple[int, ...]) -> None:
    assert_pytorchs(layers, drawn(7, 4, *shape), 7)


def test_images_without_channels_have_one() -> None:
    layers = [nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(40, 3)]
    for first in (
        layers,
        [nn.Residual(layers[0], shortcut=nn.Conv2d(1, 2, 1)), *layers[1:]],
        [nn.BatchNorm2d(1), *layers],
    ):
        net = reference.Network.from_config([layer.config() for layer in first], loss="cross_entropy")
        X, y = drawn(8, 6, 4, 5), np.arange(6) % 3
        outputs, dX = net.forward(X, training=True), net.backward(np.ones((6, 3)))
        assert dX.shape == X.shape
        np.testing.assert_array_equal(net.forward(X[:, None], training=True), outputs)
        np.testing.assert_array_equal(net.backward(np.ones((6, 3))), dX[:, None])
        np.testing.assert_array_equal(net.predict(X), net.predict(X[:, None]))
        assert net.fit(X, y, epochs=2, batch_size=3)["loss"][1] > 0


def test_dropout_counts_the_elements_of_images_in_the_order_of_the_core() -> None:
    net = reference.Network([reference.Dropout(0.5)], seed=3)
    y = net.forward(np.ones((2, 3, 4, 5)), training=True)
    mask = reference.random.dropout_mask((2, 4, 5, 3), 0.5, 3, 0, 0)
    np.testing.assert_array_equal(y, mask.transpose(0, 3, 1, 2))
    np.testing.assert_array_equal(net.backward(np.ones(y.shape)), y)


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (nn.Conv2d(3, 2, 3), (2, 4, 4), r"\[conv2d\] x has shape \(2, 2, 4, 4\) .* expects \(rows, 3, height, width\)"),
        (nn.Conv2d(3, 2, 5), (3, 4, 9), r"\[conv2d\] x has shape \(2, 3, 4, 9\).* but a window has \(5, 5\)"),
        (nn.Conv2d(3, 2, 3, dilation=2), (3, 4, 5), r"\(4, 5\) with padding, but a window has \(5, 5\); give larger"),
        (nn.MaxPool2d(5, padding=1), (1, 2, 9), r"\[max_pool2d\] x has .*, \(4, 11\) with padding, but a window"),
        (nn.MaxPool2d(2), (4,), r"\[max_pool2d\] x has shape \(2, 4\) .* expects \(rows, channels, height, width\)"),
        (nn.BatchNorm2d(3), (2, 4, 4), r"\[batch_norm\] x has shape \(2, 2, 4, 4\) .* \(rows, 3, height, width\)"),
        (nn.Linear(4, 2), (3, 4, 4), r"\[linear\] x has shape \(2, 3, 4, 4\) .* put GlobalAvgPool2d or Flatten before"),
        (
            nn.Residual(nn.Linear(4, 1)),
            (4,),
            r"\[add\] the branches give the shapes \[\(2, 1\), \(2, 4\)\]; give all the",
        ),
        (nn.LayerNorm((3, 4)), (4, 3), r"\[layer_norm\] x has shape \(2, 4, 3\) but the layer expects \(3, 4\) at the"),
    ],
)
def test_what_does_not_fit_is_refused(layer: nn.Layer, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        reference.Network.from_config([layer.config()]).predict(np.ones((2, *shape)))


def test_one_place_has_no_variance() -> None:
    net = reference.Network.from_config([{"type": "BatchNorm2d", "num_features": 2}])
    with pytest.raises(ValueError, match=r"\[batch_norm\] x has 1 place but training needs 2"):
        net.forward(np.ones((1, 2, 1, 1)), training=True)
