"""What is said where a name is unknown: what the table of hints has for it, or the nearest name that there is."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Container, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar

from nnext._hints import HINTS

C = TypeVar("C")


def spelled(name: str) -> str:
    """Return what makes two names the same to a reader: "LeakyReLU" and "leaky_relu" are."""
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")


def spoken(value: Any) -> str:
    """Return what a person would call a value: a class or function by its name, an object by that of its class."""
    return value if isinstance(value, str) else getattr(value, "__name__", type(value).__name__)


def shown(value: Any) -> str:
    """Return a value's text in one line, without its middle where it is long."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else f"{text[:60]} ... {text[-15:]}"


# ---- Cures ----------------------------------------------------------------------------------------------------------


@functools.cache
def _table() -> Mapping[str, Mapping[str, str]]:
    return {
        place: {spelled(name): cure.replace("`", "") for names, cure in entries.items() for name in names.split()}
        for place, entries in HINTS.items()
    }


def hint(places: Iterable[str], name: str, known: Container[str] | None = None) -> str | None:
    """Return what the table says for a name at the first place that has it; a single word must be a `known` name."""
    for place in places:
        cure = _table().get(place, {}).get(spelled(name), "")
        if " " in cure:
            return cure
        if cure and (known is None or cure in known):
            return f"use {cure}"
    return None


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return a question after the known name that is most like it, if one is."""
    from difflib import get_close_matches  # only on the way to an error

    names = {spelled(other): other for other in known}
    found = get_close_matches(spelled(name), names, n=1)
    return f"did you mean {names[found[0]]}?" if found else None


# ---- Choices --------------------------------------------------------------------------------------------------------


def not_one_of(
    operation: str, argument: str, value: Any, known: Iterable[str], *places: str, also: str = ""
) -> ValueError | TypeError:
    """Return the error for a value that is none of the known names; `also` says what else could be given."""
    names = list(known)
    is_name = isinstance(value, str)
    what = f"unknown {argument} {value!r}" if is_name else f"{argument} is {shown(value)}"
    place = f"{argument.partition('[')[0]}="
    cure = hint([f"{operation}({place}", place, *places], spoken(value), names)
    if cure is None:
        near = nearest(spoken(value), names)
        listed = ", ".join(names) + (f", or {also}" if also else "")
        cure = f"{'use' if is_name else 'give'} one of {listed}" + (f"; {near}" if near else "")
    return (ValueError if is_name else TypeError)(f"[{operation}] {what}; {cure}")


# ---- Attributes -----------------------------------------------------------------------------------------------------


def no_attribute(owner: str, name: str, places: Iterable[str], known: Iterable[str]) -> AttributeError:
    """Return the error for an attribute that something lacks."""
    # With the name but no object, Python adds no question of its own to the message.
    return AttributeError(f"{owner} has no attribute {name!r}{_instead(name, places, known)}", name=name)


def _instead(name: str, places: Iterable[str], known: Iterable[str]) -> str:
    cure = hint(places, name)
    if cure is None and not name.startswith("_"):  # such names are not a person's
        cure = nearest(name, known)
    return f"; {cure}" if cure else ""


def attributes_of(module: str, *places: str) -> Callable[[str], NoReturn]:
    """Return a module's ``__getattr__``: it says what to write instead of a name that the module lacks.

    Parameters
    ----------
    module : str
        Its ``__name__``. Its own place in the table, and that of nnext, are asked.
    *places : str
        Others to ask between these.
    """
    own = f"nn{module.removeprefix('nnext')}."

    def getattr_of_module(name: str) -> NoReturn:
        names = vars(sys.modules[module])
        public = names.get("__all__") or [other for other in names if not other.startswith("_")]
        asked = [own, *places, "nn."]
        if (cure := _instead(name, asked, public)) and _is_import():
            raise ImportError(f"cannot import name {name!r} from {module!r}{cure}")
        raise no_attribute(f"module {module!r}", name, asked, public)

    return getattr_of_module


def _is_import() -> bool:
    """Tell whether "from module import name" is what asks: there Python drops the words of an AttributeError."""
    from opcode import opmap  # only on the way to an error

    frame = inspect.currentframe()
    while frame is not None and frame.f_code.co_name in ("_is_import", "getattr_of_module", "__getattr__"):
        frame = frame.f_back
    return frame is not None and frame.f_code.co_code[frame.f_lasti] == opmap["IMPORT_FROM"]


class Hinted:
    """Base of classes whose objects say what to write instead of an attribute that they lack."""

    _place: ClassVar[str]  # in the table, such as "model."

    if not TYPE_CHECKING:  # to type checkers an unknown name stays one

        def __getattr__(self, name: str) -> Any:
            if hasattr(type(self), name):  # a property failed, and says why itself
                return object.__getattribute__(self, name)
            names = [] if name.startswith("_") else [other for other in dir(self) if not other.startswith("_")]
            known = [other for other in names if other in vars(self) or hasattr(type(self), other)]
            raise no_attribute(f"{type(self).__name__!r} object", name, [self._place], known)


class Foreign:
    """A name of other libraries that neither a class nor its objects have; asking for it says what to write instead."""

    def __init__(self, place: str, name: str) -> None:
        self._place, self._name = place, name

    def __get__(self, instance: object, owner: type) -> NoReturn:
        who = f"type object {owner.__name__!r}" if instance is None else f"{owner.__name__!r} object"
        raise no_attribute(who, self._name, [self._place], ())


def names_the_cures(place: str) -> Callable[[type[C]], type[C]]:
    """Give a class the names that the table has for a place, each as a `Foreign`.

    For classes whose attributes are asked for in a hurry: with a ``__getattr__``, as `Hinted` has it, CPython looks up
    every attribute of an object the slow way, which makes the smallest prediction a fifth longer.
    """

    def decorate(cls: type[C]) -> type[C]:
        for name in " ".join(HINTS[place]).split():
            if not hasattr(cls, name):
                setattr(cls, name, Foreign(place, name))
        return cls

    return decorate
