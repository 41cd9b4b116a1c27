"""JSON, read strictly: it may be anybody's."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from itertools import accumulate, pairwise
from typing import Any, NoReturn

MAX_DEPTH = 256  # of lists and objects within each other, twice that of layers: no reader runs out of stack
MAX_DIGITS = 20  # 2^64 has so many
# Of a model of 5,000 layers with Adam. They take Python up to 250 and 70 bytes each, and time to build what they say.
MAX_OBJECTS, MAX_LISTS = 1 << 15, 1 << 17

_STEPS = dict(zip(b"[{]}", (1, 1, -1, -1), strict=True))
_STRING = r'(?s)"(?:[^"\\]++|\\.?)*+"?'
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def write(value: Mapping[str, Any]) -> str:
    """Return JSON that `read_object` takes.

    Raises
    ------
    ValueError, TypeError
        For what JSON cannot hold, such as NaN.
    """
    import json  # here, as not every program has files

    return json.dumps(value, allow_nan=False)


def write_compact(value: Mapping[str, Any]) -> str:
    """Return the same without blanks, and every letter as itself."""
    import json

    return json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))


def get_ready() -> None:
    """Import what the others need."""
    import json  # noqa: F401


def read_object(text: str) -> dict[str, Any]:
    """Return an object's entries.

    Raises
    ------
    ValueError
        For everything else, and where an object has an entry twice, a number is none or longer than those that nnext
        writes, or there are more lists and objects than `MAX_LISTS` and `MAX_OBJECTS`, or `MAX_DEPTH` in each other.
    """
    import json

    brackets = re.sub(_STRING, "", text).encode(errors="replace").translate(None, _NO_BRACKETS)
    for what, bracket, most in (("objects", b"{", MAX_OBJECTS), ("lists", b"[", MAX_LISTS)):
        if (count := brackets.count(bracket)) > most:
            raise ValueError(f"it has {count} {what}, more than the {most} that nnext reads")
    if max(accumulate(map(_STEPS.__getitem__, brackets)), default=0) > MAX_DEPTH:
        raise ValueError(f"it has lists and objects more than {MAX_DEPTH} deep within each other")
    value = json.loads(
        text, object_pairs_hook=_entries, parse_int=_integer, parse_float=_number, parse_constant=_no_number
    )
    if not isinstance(value, dict):
        raise ValueError(f"it holds a {type(value).__name__}, not an object with entries")
    return value


def _entries(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        names = sorted(name for name, _ in pairs)
        raise ValueError(f"the entry {next(a for a, b in pairwise(names) if a == b)!r} stands twice")
    return entries


def _integer(digits: str) -> int:
    if len(digits.removeprefix("-")) > MAX_DIGITS:
        raise ValueError(f"a whole number has {len(digits)} digits; none has more than {MAX_DIGITS}")
    return int(digits)


def _number(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        _no_number(text)
    return number


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no finite number")
