"""Every public name explains itself in numpydoc's form, with an example that runs."""

import doctest
import importlib
import inspect
import pathlib
import pkgutil
import re
import types
from collections.abc import Iterator
from typing import Any

import pytest

import internals
import nnext as nn

# Modules whose names people use; those of nnext itself come from there.
PUBLIC = ["callbacks", "datasets", "functional", "history", "initializers", "layers", "losses", "metrics", "optimizers"]
PUBLIC += ["plot", "reference", "runtime", "schedules"]
# Classes whose methods people call, so that each has an example. The methods of others are hooks that nnext calls.
CALLED = [nn.Sequential, nn.MLP, nn.History]
SECTIONS = ["Parameters", "Attributes", "Returns", "Yields", "Raises", "See Also", "Notes", "References", "Examples"]


def modules() -> Iterator[types.ModuleType]:
    """Import every module of the package but the program, which runs when it is imported."""
    yield nn
    for module in pkgutil.walk_packages(nn.__path__, "nnext."):
        if not module.name.endswith(("__main__", internals.CORE)):
            yield importlib.import_module(module.name)


def names_of(module: types.ModuleType) -> Iterator[tuple[str, Any]]:
    for name in getattr(module, "__all__", [name for name in vars(module) if not name.startswith("_")]):
        value = getattr(module, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            own = value.__module__.startswith(module.__name__)
            if own:
                yield f"{module.__name__}.{name}", value


def methods_of(cls: type) -> Iterator[tuple[str, Any]]:
    for owner in inspect.getmro(cls):
        for name, value in vars(owner).items() if owner.__module__.startswith("nnext.") else ():
            function = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
            if not name.startswith("_") and inspect.isfunction(function):
                yield f"{owner.__module__}.{owner.__name__}.{name}", function


NAMES = dict(item for module in [nn, *(getattr(nn, name) for name in PUBLIC)] for item in names_of(module))
METHODS = dict(item for value in NAMES.values() if inspect.isclass(value) for item in methods_of(value))


def sections(text: str) -> dict[str, str]:
    """Split a docstring at numpydoc's headings."""
    parts = re.split(r"^(\w[\w ]*)\n-{3,}\n", inspect.cleandoc(text), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def called_methods_of(cls: type) -> Iterator[tuple[str, Any]]:
    """Leave out the properties that the class itself explains, as attributes."""
    text = "".join(sections(owner.__doc__ or "").get("Attributes", "") for owner in inspect.getmro(cls))
    attributes = re.findall(r"^(\w+) :", text, re.MULTILINE)
    for name, function in methods_of(cls):
        if name.rpartition(".")[2] not in attributes:
            yield name, function


EXAMPLES = NAMES | dict(item for cls in CALLED for item in called_methods_of(cls))


@pytest.mark.parametrize("name", NAMES | METHODS)
def test_every_public_name_has_a_docstring_in_numpydocs_form(name: str) -> None:
    value = (NAMES | METHODS)[name]
    assert value.__doc__, f"{name} has no docstring"
    summary = inspect.cleandoc(value.__doc__).split("\n\n")[0]
    assert summary.endswith((".", "``", ":")) or "\n" in summary, f"{name}: the summary is no sentence"
    found = list(sections(value.__doc__))
    assert found == [section for section in SECTIONS if section in found], f"{name} has the sections {found}"


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_public_name_has_an_example(name: str) -> None:
    assert ">>> " in sections(EXAMPLES[name].__doc__).get("Examples", ""), f"{name} has no example"


@pytest.mark.parametrize("name", NAMES | METHODS)
def test_the_parameters_are_those_of_the_signature(name: str) -> None:
    value = (NAMES | METHODS)[name]
    text = sections(value.__doc__).get("Parameters")
    if text is None:
        return
    documented = [
        part.strip(" *")
        for line in re.findall(r"^(\S.*)$", text, re.MULTILINE)
        for part in line.split(" : ")[0].split(",")
    ]
    taken = [parameter for parameter in inspect.signature(value).parameters if parameter not in ("self", "cls")]
    assert sorted(documented) == sorted(taken), f"{name}: documented are {documented}, taken {taken}"


@pytest.mark.parametrize("name", [name for name, value in NAMES.items() if name.startswith("nnext.functional")])
def test_functional_and_reference_have_the_same_signatures(name: str) -> None:
    short = name.rpartition(".")[2]
    ours, plain = (inspect.signature(getattr(module, short)).parameters for module in (nn.functional, nn.reference))
    assert [(p.name, p.default) for p in ours.values()] == [(p.name, p.default) for p in plain.values()]


def test_the_list_of_names_is_complete_and_sorted() -> None:
    assert dir(nn) == sorted(nn.__all__)
    for name in nn.__all__:
        assert getattr(nn, name) is not None
    with pytest.raises(AttributeError, match="module 'nnext' has no attribute 'nothing'"):
        nn.nothing  # noqa: B018


@pytest.mark.parametrize("module", list(modules()), ids=lambda module: module.__name__)
def test_the_examples_run(
    module: types.ModuleType,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if module.__name__.startswith(nn.plot.__name__):
        pytest.importorskip("matplotlib", reason="matplotlib is not installed, which draws the pictures")
    monkeypatch.chdir(tmp_path)
    result = doctest.testmod(module)
    assert result.failed == 0, capsys.readouterr().out
    assert not list(tmp_path.iterdir())  # they leave no files where they run


def test_all_examples_together_are_many() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    assert sum(len(test.examples) for module in modules() for test in finder.find(module)) > 250
