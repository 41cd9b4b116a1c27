"""Windows of images: what a place of a convolution or of a pooling layer sees."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nnext.reference.arrays import Array

Pair = tuple[int, int]  # of rows and of columns


class Windows(NamedTuple):
    """Where windows lie.

    Examples
    --------
    >>> windows = Windows("pool", kernel=(1, 2), stride=(1, 2))
    >>> x = np.arange(4.0).reshape(1, 1, 1, 4)
    >>> windows.of(x).shape, windows.of(x)[0, 0, 0, 1]
    ((1, 1, 1, 2, 1, 2), array([[2., 3.]]))
    """

    operation: str
    kernel: Pair
    stride: Pair = (1, 1)
    before: Pair = (0, 0)  # places of padding
    after: Pair = (0, 0)
    dilation: Pair = (1, 1)

    def of(self, x: Array, padding: float = 0.0) -> Array:
        """(n, C, H, W) -> (n, C, H', W', rows, columns): what each window sees."""
        padded = np.pad(x, ((0, 0), (0, 0), *zip(self.before, self.after, strict=True)), constant_values=padding)
        reach = tuple(d * (k - 1) + 1 for d, k in zip(self.dilation, self.kernel, strict=True))
        if any(size < side for size, side in zip(padded.shape[2:], reach, strict=True)):
            raise ValueError(
                f"[{self.operation}] x has shape {x.shape}, {padded.shape[2:]} with padding, but a window has {reach}; "
                "give larger images, padding, or a smaller kernel_size"
            )
        everywhere = np.lib.stride_tricks.sliding_window_view(padded, reach, axis=(2, 3))
        (sh, sw), (dh, dw) = self.stride, self.dilation
        return everywhere[:, :, ::sh, ::sw, ::dh, ::dw]

    def sums(self, seen: Array, shape: tuple[int, ...]) -> Array:
        """Add up what the windows give to each place of x: the way back of `of`."""
        (top, left), (bottom, right) = self.before, self.after
        n, channels, height, width = shape
        padded = np.zeros((n, channels, top + height + bottom, left + width + right), dtype=seen.dtype)
        for a, b in np.ndindex(self.kernel):
            rows, columns = (
                slice(d * first, d * first + s * (count - 1) + 1, s)
                for d, first, s, count in zip(self.dilation, (a, b), self.stride, seen.shape[2:4], strict=True)
            )
            padded[:, :, rows, columns] += seen[..., a, b]
        return padded[:, :, top : top + height, left : left + width]
