"""The fields of descriptions: what a setting takes, checked and converted."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Protocol, TypedDict, Unpack

from nnext import _check
from nnext._unknown import shown

Check = Callable[[str, str, Any], Any]  # operation, name, value -> the value as it is kept


class Limits(TypedDict, total=False):
    """Of a number; `above` and `below` do not belong to it."""

    low: float
    above: float
    high: float
    below: float


class Kind(Protocol):
    """A kind of description, such as `Layer`: what a field that holds some needs of it."""

    def find(self, operation: str, argument: str, value: Any) -> Any:
        """Return the description that a user means."""

    def from_config(self, config: Any) -> Any:
        """Build what ``config()`` described."""


class Changing(Protocol):
    """A description that stands in place of a number and changes from step to step: a `Schedule`."""

    kind: ClassVar[str]
    example: ClassVar[str]  # for messages

    def bounds(self) -> tuple[float, float]:
        """Return the least and the greatest number that a value can come near to."""

    @classmethod
    def find(cls, operation: str, argument: str, value: Any) -> Any:
        """Return the description that a user means."""

    @classmethod
    def from_config(cls, config: Any) -> Any:
        """Build what ``config()`` described."""


@dataclasses.dataclass(frozen=True)
class Rule:
    """What a field takes: how it checks a value, and what it is beside."""

    check: Check
    of: Kind | None = None  # the kind of description that the field holds
    settable: bool = False  # also after construction
    several: bool = False  # the constructor's *arguments


def rule_of(field: dataclasses.Field[Any]) -> Rule:
    """Return what a field takes."""
    rule: Rule = field.metadata["rule"]
    return rule


def _field(rule: Rule, default: Any) -> Any:
    return dataclasses.field(default=default, metadata={"rule": rule})


def size(
    *,
    default: Any = dataclasses.MISSING,
    low: int = 1,
    high: int = 2**31 - 1,
    optional: bool = False,
    word: str | None = None,
) -> Any:
    """Describe a field that takes a whole number from `low` to `high`, None if `optional`, or `word`."""

    def check(operation: str, name: str, value: Any) -> int | str | None:
        if value is None and optional:
            return None
        if isinstance(value, str) and word is not None:
            return str(_check.choice(operation, name, value, [word]))
        return _check.integer(operation, name, value, low=low, high=high)

    return _field(Rule(check), default)


def number(
    *,
    default: Any = dataclasses.MISSING,
    settable: bool = False,
    optional: bool = False,
    schedule: type[Changing] | None = None,
    **limits: Unpack[Limits],
) -> Any:
    """Describe a field that takes a finite number, or None if `optional`; `limits` are those of `_check.number`.

    With `schedule` it takes one as well, whose values are all within the limits.
    """
    also = "" if schedule is None else f"a {schedule.kind}, such as {schedule.example}"

    def check(operation: str, name: str, value: Any) -> Any:
        if value is None and optional:
            return None
        if schedule is None or not isinstance(value, schedule):
            return _check.number(operation, name, value, **limits, also=also)
        for which, bound in zip(("least", "greatest"), value.bounds(), strict=True):
            _check.number(operation, f"the {which} value of {name}={value!r}", bound, **limits)
        return value

    return _field(Rule(check, of=schedule, settable=settable), default)


def pair(*, default: tuple[float, float], **limits: Unpack[Limits]) -> Any:
    """Describe a field that takes two numbers."""

    def check(operation: str, name: str, value: Any) -> tuple[float, ...]:
        try:
            first, second = value
        except (TypeError, ValueError):
            raise TypeError(f"[{operation}] {name} is {value!r}; give two numbers, for example {default}") from None
        return tuple(_check.number(operation, f"{name}[{i}]", v, **limits) for i, v in enumerate((first, second)))

    return _field(Rule(check), default)


def numbers(*, called: str | None = None, **limits: Unpack[Limits]) -> Any:
    """Describe a field that takes some numbers, at least one: always kept as a tuple.

    `called` is the constructor's argument, for messages, where that cannot be the name of the field.
    """

    def check(operation: str, name: str, value: Any) -> tuple[float, ...]:
        argument = called or name
        if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
            raise TypeError(f"[{operation}] {argument} is {shown(value)}; give a list of numbers")
        parts = [_check.number(operation, f"{argument}[{i}]", part, **limits) for i, part in enumerate(value)]
        if not parts:
            raise ValueError(f"[{operation}] {argument} is empty; give at least one number")
        return tuple(parts)

    return _field(Rule(check), dataclasses.MISSING)


def weights(*, each: str, one_for_all: bool = False, default: None = None) -> Any:
    """Describe a field that takes None or numbers of at least 0, one for `each` of something, kept as a tuple.

    With `one_for_all` it takes a single number as well.
    """

    def check(operation: str, name: str, value: Any) -> Any:
        return None if value is None else _check.weights(operation, name, value, each=each, one_for_all=one_for_all)

    return _field(Rule(check), default)


def both(value: int | tuple[int, int]) -> tuple[int, int]:
    """Return the numbers of rows and of columns; one number stands for both."""
    return value if isinstance(value, tuple) else (value, value)


def sides(*, default: Any = dataclasses.MISSING, low: int = 1, optional: bool = False, word: str | None = None) -> Any:
    """Describe a field that takes two whole numbers, of rows and of columns, or one for both: always kept as two.

    It also takes None if it is `optional`, and `word` if there is one.
    """

    def check(operation: str, name: str, value: Any) -> tuple[int, ...] | str | None:
        if (value is None and optional) or (isinstance(value, str) and value == word):
            return value
        if isinstance(value, str) and word is not None:
            return _check.choice(operation, name, value, [word])
        if not isinstance(value, tuple | list):
            return both(_check.integer(operation, name, value, low=low, high=2**31 - 1))
        if len(value) != 2:
            raise ValueError(f"[{operation}] {name} is {value!r}; give two numbers, of rows and of columns, or one")
        return tuple(_check.integer(operation, f"{name}[{i}]", v, low=low, high=2**31 - 1) for i, v in enumerate(value))

    return _field(Rule(check), default)


def shape() -> Any:
    """Describe a field that takes the sizes of some axes, or one size for one axis: always kept as a tuple."""

    def check(operation: str, name: str, value: Any) -> tuple[int, ...]:
        if not isinstance(value, tuple | list):
            return (_check.integer(operation, name, value, low=1, high=2**31 - 1),)
        if not value:
            raise ValueError(f"[{operation}] {name} is {value!r}; give the size of one axis at least")
        return tuple(_check.integer(operation, f"{name}[{i}]", v, low=1, high=2**31 - 1) for i, v in enumerate(value))

    return _field(Rule(check), dataclasses.MISSING)


def sizes(*, example: str) -> Any:
    """Describe a field that takes the sizes of some axes, one of which may be -1: a constructor's ``(*sizes)``."""

    def check(operation: str, name: str, value: Any) -> tuple[int, ...]:
        if not isinstance(value, tuple | list):
            raise TypeError(f"[{operation}] {name} is {value!r}; give a list of sizes")
        if len(value) == 1 and isinstance(value[0], tuple | list):
            value = value[0]
        if not value:
            raise ValueError(f"[{operation}] {name} is (); write {operation}({example})")
        whole = tuple(_check.integer(operation, f"{name}[{i}]", v, low=-1, high=2**31 - 1) for i, v in enumerate(value))
        if 0 in whole or whole.count(-1) > 1:
            raise ValueError(f"[{operation}] {name} is {whole}; give sizes of 1 or more, one of which may be -1")
        return whole

    return _field(Rule(check, several=True), dataclasses.MISSING)


class Factors(Mapping[str, float]):
    """Numbers by name that nobody changes."""

    def __init__(self, values: Mapping[str, float]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> float:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __hash__(self) -> int:
        return hash(frozenset(self._values.items()))

    def __repr__(self) -> str:
        return repr(self._values)


def factors(*, default: Mapping[str, float], example: str) -> Any:
    """Describe a field that takes factors, each >= 0, by names or numbers of layers."""

    def check(operation: str, name: str, value: Any) -> Factors:
        if not isinstance(value, Mapping) or not all(isinstance(k, str) or type(k) is int for k in value):
            raise TypeError(f"[{operation}] {name} is {value!r}; give a dict by names, for example {example}")
        return Factors({str(k): _check.number(operation, f"{name}[{k!r}]", v, low=0) for k, v in value.items()})

    return _field(Rule(check), Factors(default))


def flag(*, default: bool) -> Any:
    """Describe a field that takes True or False, and nothing that only passes for it."""
    return _field(Rule(_check.flag), default)


def choice(*, names: Iterable[str], default: Any = dataclasses.MISSING) -> Any:
    """Describe a field that takes one of some names."""
    known = tuple(names)
    return _field(Rule(partial(_check.choice, known=known)), default)


def nested(*, of: Kind, default: Any = dataclasses.MISSING) -> Any:
    """Describe a field that takes another description, its name, its class, or None for the default."""

    def check(operation: str, name: str, value: Any) -> Any:
        if value is None and default is not dataclasses.MISSING:
            return default
        return of.find(operation, name, value)

    return _field(Rule(check, of), default)


def each(of: Kind, operation: str, name: str, values: Sequence[Any]) -> tuple[Any, ...]:
    """Return the descriptions that a user means by ``*values``; a list or tuple alone stands for what is in it."""
    if len(values) == 1 and isinstance(values[0], list | tuple):
        values = values[0]
    return tuple(of.find(operation, f"{name}[{i}]", value) for i, value in enumerate(values))


def several(*, of: Kind, optional: bool = False) -> Any:
    """Describe a field that takes any number of descriptions: the arguments of a constructor ``(*layers)``.

    An `optional` one is given by its name: a list, or one description, or None for an empty list.
    """

    def check(operation: str, name: str, value: Any) -> tuple[Any, ...]:
        if optional and not isinstance(value, tuple | list):
            return () if value is None else (of.find(operation, name, value),)
        if not isinstance(value, tuple | list):
            raise TypeError(f"[{operation}] {name} is {value!r}; give a list of them")
        return each(of, operation, name, value)

    return _field(Rule(check, of, several=not optional), () if optional else dataclasses.MISSING)


def lists(*, of: Kind) -> Any:
    """Describe a field that takes any number of lists of descriptions: the arguments of a constructor ``(*lists)``."""

    def check(operation: str, name: str, value: Any) -> tuple[tuple[Any, ...], ...]:
        if not isinstance(value, tuple | list):
            raise TypeError(f"[{operation}] {name} is {value!r}; give lists of them")
        for i, part in enumerate(value):
            if not isinstance(part, tuple | list):
                raise TypeError(f"[{operation}] {name}[{i}] is {part!r}; give a list, [] for none")
        return tuple(each(of, operation, f"{name}[{i}]", part) for i, part in enumerate(value))

    return _field(Rule(check, of, several=True), dataclasses.MISSING)
