"""What layers, losses, optimizers, schedules and initializers have in common: they are descriptions.

A description is a dataclass whose fields check what they are given. It is the same as another with the same settings,
shows only the settings that differ from the defaults, becomes plain values by ``config()``, and comes back from them
through the registry of its kind. Making a subclass is all that it takes::

    class Dropout(Layer):
        p: float = number(default=0.5, low=0, below=1)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar, Self, dataclass_transform

from nnext import _check
from nnext._calls import takes_hints
from nnext._fields import (
    Factors,
    choice,
    factors,
    flag,
    lists,
    nested,
    number,
    numbers,
    pair,
    rule_of,
    several,
    shape,
    sides,
    size,
    sizes,
)
from nnext._unknown import Hinted, hint, not_one_of, spelled


@dataclass_transform(
    field_specifiers=(size, number, numbers, pair, sides, shape, sizes, factors, flag, choice, nested, several, lists)
)
class Described(Hinted):
    """Base of all descriptions. A direct subclass is a kind, such as Layer, and has a registry of its own."""

    kind: ClassVar[str]  # for messages: "layer"
    name: ClassVar[str]  # under which functions, files and the core know it: "leaky_relu"
    _types: ClassVar[dict[str, type[Any]]]  # the registry: by the class's name, in order of definition
    _is_base: ClassVar[bool]

    def __init_subclass__(cls, kind: str | None = None, abstract: bool = False) -> None:
        """Make the class a dataclass; put it into the registry, unless it is a kind or `abstract`."""
        super().__init_subclass__()
        cls._is_base = kind is not None or abstract
        if kind is not None:
            cls.kind, cls._types, cls._place = kind, {}, f"{kind}."
        dataclasses.dataclass(repr=False, eq=False)(cls)
        cls.__init__ = takes_hints(cls.__init__)  # type: ignore[method-assign]
        if not cls._is_base:
            cls._register()

    @classmethod
    def _register(cls) -> None:
        for other in cls._types.values():
            twice = other.__name__ == cls.__name__ or ("name" in vars(cls) and getattr(other, "name", None) == cls.name)
            # A definition that runs again, in a notebook or by reload, takes the place of the first.
            if twice and (other.__module__, other.__qualname__) != (cls.__module__, cls.__qualname__):
                raise ValueError(f"[{cls.__name__}] the {cls.kind} {other.__qualname__} has that name; choose another")
        cls._types[cls.__name__] = cls

    def __post_init__(self) -> None:
        """Check and convert all fields, then what is between them."""
        operation = type(self).__name__
        if self._is_base:
            raise TypeError(f"[{operation}] is what several have in common; use one of {', '.join(self.types())}")
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            value = rule_of(field).check(operation, field.name, getattr(self, field.name))
            object.__setattr__(self, field.name, value)
        self.check()

    def check(self) -> None:
        """Refuse settings that do not go together; for subclasses."""

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    def __hash__(self) -> int:
        fields = dataclasses.fields(self)  # type: ignore[arg-type]
        if any(rule_of(field).settable for field in fields):
            raise TypeError(f"[{type(self).__name__}] unhashable, since {self.kind}s can change")
        return hash((type(self), *vars(self).values()))

    def __setattr__(self, name: str, value: Any) -> None:
        fields = {field.name: field for field in dataclasses.fields(self)}  # type: ignore[arg-type]
        operation = type(self).__name__
        if name not in fields or (name in vars(self) and not rule_of(fields[name]).settable):
            cure = hint([self._place], name) if name not in fields else None
            cure = cure or self._how_to_change(list(fields.values()))
            raise AttributeError(f"[{operation}] {name} cannot be set; {cure}")
        # A constructor's value waits for __post_init__, which checks all together.
        checked = rule_of(fields[name]).check(operation, name, value) if name in vars(self) else value
        if name in vars(self):
            self.check_change(name, checked)
        object.__setattr__(self, name, checked)

    def check_change(self, name: str, value: Any) -> None:
        """Refuse another value of a setting that does not go together with what is there; for subclasses."""

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"[{type(self).__name__}] {name} cannot be deleted")

    def _how_to_change(self, fields: list[dataclasses.Field[Any]]) -> str:
        settable = [field.name for field in fields if rule_of(field).settable]
        instead = f"make a new {type(self).__name__}({', '.join(field.name for field in fields)})"
        return f"set {', '.join(settable)}, or {instead} and compile again" if settable else instead

    def __repr__(self) -> str:
        """Show the call that makes it: required arguments by position, others where they are not the default."""
        arguments = []
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            value, rule = getattr(self, field.name), rule_of(field)
            if rule.several:
                arguments += [repr(part) for part in value]
            elif field.default is dataclasses.MISSING:
                arguments.append(repr(value))
            elif value != rule.check("", field.name, field.default):
                arguments.append(f"{field.name}={value!r}")
        return f"{type(self).__name__}({', '.join(arguments)})"

    # ---- Plain values and back ----------------------------------------------------------------------------------

    def config(self) -> dict[str, Any]:
        """Return the type and all settings, enough to build it again.

        Returns
        -------
        dict
            "type" and one entry a setting: numbers, strings, bools, None, lists, and dicts of the same form.
        """
        settings = {field.name: _plain(getattr(self, field.name)) for field in dataclasses.fields(self)}  # type: ignore[arg-type]
        return {"type": type(self).__name__, **settings}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Build what ``config()`` described. Only types of this kind can come of it.

        Parameters
        ----------
        config : mapping
            "type" and the settings; those that have a default may be absent.

        Raises
        ------
        ValueError, TypeError
            When the type or a setting is unknown, one is missing, or does not fit.
        """
        if not isinstance(config, Mapping):
            raise TypeError(f"[{cls.kind}] the configuration is {config!r}; give a dict with the entry 'type'")
        chosen = cls._types[_check.choice(cls.kind, "type", config.get("type"), cls._types)]
        fields = {field.name: field for field in dataclasses.fields(chosen)}
        missing = [n for n, field in fields.items() if n not in config and field.default is dataclasses.MISSING]
        unknown = [n for n in config if n not in fields and n != "type"]
        if missing or unknown:
            raise ValueError(
                f"[{chosen.__name__}] the configuration lacks {missing} and has the unknown {unknown}; "
                f"it has the entries {list(fields)}"
            )
        described: Self = object.__new__(chosen)
        return described.settle({n: _read(field, config.get(n, field.default)) for n, field in fields.items()})

    def settle(self, values: Mapping[str, Any]) -> Self:
        """Take the values of all fields, for constructors of other signatures than the fields'."""
        for name, value in values.items():
            setattr(self, name, value)
        self.__post_init__()
        return self

    # ---- The registry ---------------------------------------------------------------------------------------

    @classmethod
    def types(cls) -> dict[str, type[Self]]:
        """Return all types of this kind that derive from this class, by the names of their classes."""
        return {name: known for name, known in cls._types.items() if issubclass(known, cls)}

    @classmethod
    def names(cls) -> dict[str, type[Self]]:
        """Return the types that have a name, such as "relu", by it."""
        return {known.name: known for known in cls.types().values() if hasattr(known, "name")}

    @classmethod
    def find(cls, operation: str, argument: str, value: Any) -> Self:
        """Return the description that a user means by an object, a class or a name, whatever the case of that."""
        if isinstance(value, cls):
            return value
        if isinstance(value, type) and issubclass(value, cls):
            return value()
        chosen = cls._spoken().get(spelled(value)) if isinstance(value, str) else None
        if chosen is None:
            also = f"an object of {cls.__name__}"
            raise not_one_of(operation, argument, value, cls.names(), f"{cls.kind}:", also=also)
        return chosen()

    @classmethod
    def _spoken(cls) -> dict[str, type[Self]]:
        """Return what a name alone can stand for, the types that need no arguments, by the spelling of their names."""
        ready = [known for known in cls.types().values() if _has_defaults(known)]
        by_class = {spelled(known.__name__): known for known in ready}
        return by_class | {spelled(known.name): known for known in ready if hasattr(known, "name")}


def _has_defaults(described: Any) -> bool:
    return all(field.default is not dataclasses.MISSING for field in dataclasses.fields(described))


def _plain(value: Any) -> Any:
    if isinstance(value, Described):
        return value.config()
    if isinstance(value, Factors):
        return dict(value)
    return [_plain(part) for part in value] if isinstance(value, tuple) else value


def _read(field: dataclasses.Field[Any], value: Any) -> Any:
    of = rule_of(field).of
    if of is not None and isinstance(value, dict):
        return of.from_config(value)
    if of is not None and isinstance(value, list):
        return [_read(field, part) for part in value]
    return value
