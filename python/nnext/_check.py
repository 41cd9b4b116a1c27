"""Checks of single numbers and names, shared by everything that takes some."""

from __future__ import annotations

import math
import operator
import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from nnext._unknown import hint, not_one_of, shown, spoken


def number(
    operation: str,
    name: str,
    value: Any,
    *,
    low: float = -math.inf,
    above: float | None = None,
    high: float = math.inf,
    below: float | None = None,
    also: str = "",
) -> float:
    """Return a finite float within [low, high]; with `above` and `below` the ends do not belong to it.

    `also` says what else could be given.
    """
    if isinstance(value, bool | np.bool_) or not hasattr(value, "__float__") or getattr(value, "ndim", 0) != 0:
        raise TypeError(f"[{operation}] {name} is {shown(value)}; give a number{also and f', or {also}'}")
    result = float(value)
    fits = (result >= low if above is None else result > above) and (
        result <= high if below is None else result < below
    )
    if not math.isfinite(result) or not fits:
        start = f"[{low:g}" if above is None else f"({above:g}"
        end = f"{high:g}]" if below is None else f"{below:g})"
        raise ValueError(f"[{operation}] {name} is {value!r}; give a finite number in {start}, {end}")
    return result


def integer(operation: str, name: str, value: Any, *, low: int, high: int = 2**63 - 1) -> int:
    """Return an int within [low, high]."""
    try:
        if isinstance(value, bool):
            raise TypeError
        result = operator.index(value)
    except TypeError:
        raise TypeError(f"[{operation}] {name} is {shown(value)}; give a whole number") from None
    if not low <= result <= high:
        raise ValueError(f"[{operation}] {name} is {result}; give a whole number from {low} to {high}")
    return result


def shape(operation: str, name: str, value: Any) -> tuple[int, ...]:
    """Return the shape of one sample: sizes of 1 or more, at least one of them."""
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise TypeError(f"[{operation}] {name} is {shown(value)}; give a tuple, such as (1, 28, 28) or (4,)")
    sizes = tuple(integer(operation, f"{name}[{i}]", size, low=1, high=2**31 - 1) for i, size in enumerate(value))
    if not sizes:
        raise ValueError(f"[{operation}] {name} is empty; give a tuple, such as (1, 28, 28) or (4,)")
    return sizes


def seed(operation: str, value: Any) -> int:
    """Return the seed of random numbers: 64 bits."""
    return integer(operation, "seed", value, low=0, high=2**64 - 1)


def flag(operation: str, name: str, value: Any) -> bool:
    """Return a bool; "no", None and 0 are none."""
    if not isinstance(value, bool | np.bool_):
        cure = hint([f"{name}="], spoken(value)) or "give True or False"
        raise TypeError(f"[{operation}] {name} is {shown(value)}; {cure}")
    return bool(value)


def choice(operation: str, name: str, value: Any, known: Iterable[str]) -> str:
    """Return a name that is one of the known ones."""
    names = list(known)
    if isinstance(value, str) and value in names:
        return value
    raise not_one_of(operation, name, value, names)


def path(operation: str, name: str, value: Any) -> str:
    """Return the text of a path that is not empty."""
    text = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if not isinstance(text, str):
        raise TypeError(f"[{operation}] {name} is {shown(value)}; give a path")
    if not text:
        raise ValueError(f"[{operation}] {name} is empty; give a path")
    return text


def float_dtype(operation: str, dtype: Any) -> str:
    """Return "float32" or "float64", however it was said."""
    try:
        name = np.dtype(dtype).name
    except TypeError:
        raise TypeError(f'[{operation}] dtype is {dtype!r}; use "float32" or "float64"') from None
    return choice(operation, "dtype", name, ("float32", "float64"))
