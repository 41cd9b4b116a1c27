"""Dividing rows into two parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt


def held_out(order: npt.NDArray[np.int64], count: int, labels: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Mark `count` rows, from each class its share, to within one row: the first ones in `order`."""
    _, group, size = np.unique(labels, axis=0, return_inverse=True, return_counts=True)
    group = group.reshape(-1)
    share = count * size / len(labels)
    take = np.floor(share).astype(np.int64)
    rest = count - int(take.sum())
    take[np.argsort(take - share, kind="stable")[:rest]] += 1  # one more where most was rounded away
    chosen = np.zeros(len(labels), dtype=np.bool_)
    for label, number in enumerate(take):
        chosen[order[group[order] == label][:number]] = True
    return chosen
