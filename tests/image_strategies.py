"""What Hypothesis draws of images: convolutions, pools and norms with shapes that suit them, and small networks."""

from typing import Any

from hypothesis import strategies as st

import nnext as nn

Shape = tuple[int, ...]  # of a sample, as users see it: (C, H, W)


def pairs(low: int, high: int) -> st.SearchStrategy[tuple[int, int]]:
    return st.tuples(st.integers(low, high), st.integers(low, high))


@st.composite
def sizes(draw: st.DrawFn, reach: tuple[int, int], padding: tuple[int, int], most: int) -> tuple[int, int]:
    """Draw the height and width of an image for at least one window that reaches so far."""
    least = [max(1, side - 2 * width) for side, width in zip(reach, padding, strict=True)]
    return draw(st.integers(least[0], least[0] + most)), draw(st.integers(least[1], least[1] + most))


@st.composite
def convolutions(draw: st.DrawFn, channels: int | None = None, most: int = 5) -> tuple[nn.Conv2d, Shape]:
    """Draw a convolution of any settings, of so many channels if they are given, and the shape of an image for it."""
    groups = draw(st.sampled_from([g for g in (1, 2, 3) if channels is None or channels % g == 0]))
    given = channels if channels is not None else groups * draw(st.integers(1, 3))
    kernel, dilation = draw(pairs(1, 4)), draw(pairs(1, 3))
    settings: dict[str, Any] = {
        "kernel_size": kernel,
        "dilation": dilation,
        "groups": groups,
        "bias": draw(st.booleans()),
    }
    if draw(st.booleans()):
        settings["padding"] = "same"
        size = draw(pairs(1, 1 + most))
    else:
        settings |= {"padding": draw(pairs(0, 3)), "stride": draw(pairs(1, 3))}
        reach = (dilation[0] * (kernel[0] - 1) + 1, dilation[1] * (kernel[1] - 1) + 1)
        size = draw(sizes(reach, settings["padding"], most))
    return nn.Conv2d(given, groups * draw(st.integers(1, 3)), **settings), (given, *size)


@st.composite
def pools(draw: st.DrawFn, channels: int | None = None, most: int = 5) -> tuple[nn.Layer, Shape]:
    """Draw a pooling layer of any settings, and the shape of an image for it."""
    kernel = draw(pairs(1, 4))
    padding = (draw(st.integers(0, kernel[0] // 2)), draw(st.integers(0, kernel[1] // 2)))
    settings = {"kernel_size": kernel, "stride": draw(st.none() | pairs(1, 3)), "padding": padding}
    size = draw(sizes(kernel, padding, most))
    layer = draw(
        st.sampled_from([nn.MaxPool2d, nn.AvgPool2d]).map(lambda kind: kind(**settings))
        | st.booleans().map(lambda counts: nn.AvgPool2d(**settings, count_include_pad=counts))
    )
    return layer, (channels or draw(st.integers(1, 3)), *size)


@st.composite
def layer_norms(draw: st.DrawFn, shape: Shape) -> nn.LayerNorm:
    """Draw a layer normalization over one or several of the last axes."""
    last = draw(st.integers(1, len(shape)))
    affine = draw(st.sampled_from([{}, {"bias": False}, {"elementwise_affine": False}]))
    return nn.LayerNorm(shape[-last:], eps=draw(st.sampled_from([1e-5, 0.1])), **affine)
