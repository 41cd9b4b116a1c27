"""Images that Hypothesis draws layers for: convolutions and pools of any settings that fit, and small networks."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

import nnext as nn
from chain_strategies import Choice
from nnext import reference

Shape = tuple[int, ...]  # of a sample, as users see it: (C, H, W)


def pairs(low: int, high: int) -> st.SearchStrategy[tuple[int, int]]:
    return st.tuples(st.integers(low, high), st.integers(low, high))


def shapes(channels: int = 6, size: int = 7) -> st.SearchStrategy[Shape]:
    return st.tuples(st.integers(1, channels), st.integers(1, size), st.integers(1, size))


def gives(layer: nn.Layer, shape: Shape) -> Shape:
    """Return the shape of what a layer makes of such a sample."""
    return reference.Network.from_config([layer.config()]).predict(np.zeros((1, *shape))).shape[1:]


@st.composite
def windows(draw: st.DrawFn, size: Shape, padding: Any, most: int = 4) -> tuple[int, int]:
    """Draw the sides of a window that fits an image of that height and width."""
    sides = [draw(st.integers(1, min(most, s + 2 * p))) for s, p in zip(size, padding, strict=True)]
    return sides[0], sides[1]


@st.composite
def convolutions(draw: st.DrawFn, shape: Shape) -> nn.Conv2d:
    """Draw a convolution of any settings for such images."""
    channels, *size = shape
    groups = draw(st.sampled_from([g for g in range(1, channels + 1) if channels % g == 0]))
    settings: dict[str, Any] = {"groups": groups, "bias": draw(st.booleans())}
    if draw(st.booleans()):
        settings |= {"padding": "same", "dilation": draw(pairs(1, 3))}
        kernel = draw(pairs(1, 4))
    else:
        settings |= {"padding": draw(pairs(0, 3)), "stride": draw(pairs(1, 3))}
        kernel = draw(windows(tuple(size), settings["padding"]))
        room = [s + 2 * p - 1 for s, p in zip(size, settings["padding"], strict=True)]
        most = [3 if k == 1 else min(3, side // (k - 1)) for k, side in zip(kernel, room, strict=True)]
        settings["dilation"] = (draw(st.integers(1, most[0])), draw(st.integers(1, most[1])))
    return nn.Conv2d(channels, groups * draw(st.integers(1, 3)), kernel, **settings)


@st.composite
def pools(draw: st.DrawFn, shape: Shape, smooth: bool = False) -> nn.Layer:
    """Draw a pooling layer of any settings for such images."""
    kernel = draw(windows(shape[1:], (0, 0)))
    padding = (draw(st.integers(0, kernel[0] // 2)), draw(st.integers(0, kernel[1] // 2)))
    stride = draw(st.none() | pairs(1, 3))
    if not smooth and draw(st.booleans()):
        return nn.MaxPool2d(kernel, stride, padding)
    return nn.AvgPool2d(kernel, stride, padding, count_include_pad=draw(st.booleans()))


@st.composite
def layer_norms(draw: st.DrawFn, shape: Shape, eps: float = 1e-5, least: int = 1) -> nn.LayerNorm:
    """Draw a layer normalization over the last axes, over `least` of them or more."""
    last = draw(st.integers(least, len(shape)))
    affine = draw(st.sampled_from([{}, {"bias": False}, {"elementwise_affine": False}]))
    return nn.LayerNorm(shape[-last:], eps, **affine)


@st.composite
def between_images(draw: st.DrawFn, shape: Shape, choice: Choice) -> nn.Layer:
    """Draw a layer that gives images of the shape that it takes, and holds no others."""
    known = [*choice.without_shape(), draw(layer_norms(shape, choice.eps, least=2))]
    if choice.batch_norm:
        momentum = draw(st.sampled_from([0.1, None]))
        known += [nn.BatchNorm2d(shape[0], eps=choice.eps, momentum=momentum, affine=draw(st.booleans()))] * 4
    return draw(st.sampled_from(known))


@st.composite
def blocks(draw: st.DrawFn, shape: Shape, choice: Choice, depth: int = 1) -> nn.Layer:
    """Draw a Residual or Branches of images of one size."""
    channels, given = shape[0], draw(st.integers(1, 3))
    body = [draw(between_images(shape, choice)), nn.Conv2d(channels, given, draw(pairs(1, 3)), padding="same")]
    after = (given, *shape[1:])
    if depth > 0 and draw(st.booleans()):
        body.append(draw(blocks(after, choice, depth - 1)))
        after = gives(body[-1], after)
    body += draw(st.lists(between_images(after, choice), max_size=1))
    other = [nn.Conv2d(channels, after[0], 1, bias=False)]
    kind = draw(st.sampled_from(["residual", "add", "concat"]))
    if kind == "residual":
        return nn.Residual(*body, shortcut=[] if after == shape else other)
    if kind == "add":
        return nn.Branches(body, other, join="add")
    return nn.Branches(body, [], [nn.AvgPool2d(3, 1, 1), *draw(st.lists(between_images(shape, choice), max_size=1))])


@st.composite
def image_stacks(
    draw: st.DrawFn, max_size: int = 40, min_outputs: int = 1, **choice: bool
) -> tuple[Shape, list[nn.Layer]]:
    """Draw the shape of an image and layers for it, of which a Linear layer is the last."""
    chosen = Choice(**choice)
    start = shape = draw(shapes(channels=3, size=6))
    layers: list[nn.Layer] = []
    for _ in range(draw(st.integers(1, 3))):
        one_of = [convolutions(shape), pools(shape, chosen.smooth), blocks(shape, chosen)]
        layers.append(draw(st.one_of(*one_of, between_images(shape, chosen))))
        shape = gives(layers[-1], shape)
    layers.append(draw(st.sampled_from([nn.Flatten(), nn.GlobalAvgPool2d()])))
    (features,) = gives(layers[-1], shape)
    return start, [*layers, nn.Linear(features, draw(st.integers(min_outputs, max_size)))]
