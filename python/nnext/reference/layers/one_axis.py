"""What layers over one axis, of time for example, have in common in the reference."""

from __future__ import annotations

from typing import Any

from nnext.reference.arrays import Array, lines_of_steps, steps_of_lines
from nnext.reference.layers.base import Draw, Layer


class OneAxis(Layer):
    """Signals are images of one line, (n, C, 1, L); sequences, (n, T, F), are turned to such, and back.

    It stands before the class that does the same with images.
    """

    def image_axes(self) -> int | None:
        """Return that of signals."""
        return 1

    def forward(self, x: Array, draw: Draw | None) -> tuple[Array, Any]:
        """Give what comes of the lines, as steps where x has steps."""
        steps = x.ndim == 3
        y, saved = super().forward(lines_of_steps(x) if steps else x, draw)
        return (steps_of_lines(y) if steps else y), (steps, saved)

    def backward(self, dy: Array, saved: Any) -> tuple[Array, dict[str, Array]]:
        """Go back through the lines."""
        steps, kept = saved
        dx, grads = super().backward(lines_of_steps(dy) if steps else dy, kept)
        return (steps_of_lines(dx) if steps else dx), grads
