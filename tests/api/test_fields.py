"""The fields of the layers of images and branches: numbers for rows and columns, shapes, lists of layers."""

import json
from typing import Any

import numpy as np
import pytest

from internals import Described, choice, lists, shape, sides, size


class Block(Described, kind="block"):
    pass


class Leaf(Block):
    name = "leaf"
    width: int = size()


class Wire(Block):
    name = "wire"


class Window(Block):
    """As the layers of images are."""

    kernel: int | tuple[int, int] = sides()
    axes: int | tuple[int, ...] = shape()
    step: int | tuple[int, int] | None = sides(default=None, optional=True)
    edge: int | tuple[int, int] | str = sides(default=0, low=0, word="same")


class Fork(Block):
    """As Branches(*branches, join="concat") is."""

    ways: tuple[tuple[Block, ...], ...] = lists(of=Block)
    join: str = choice(names=("add", "concat"), default="concat")

    def __init__(self, *ways: list[Any], join: str = "concat") -> None:
        self.settle({"ways": ways, "join": join})


def test_two_numbers_are_kept_however_they_are_given() -> None:
    window = Window(3, 5, step=[np.int8(2), 1], edge="same")  # type: ignore[arg-type]
    assert window == Window((3, 3), [5], (2, 1), edge="same")  # type: ignore[arg-type]
    assert window.config() == {"type": "Window", "kernel": [3, 3], "axes": [5], "step": [2, 1], "edge": "same"}
    assert Block.from_config(json.loads(json.dumps(window.config()))) == window
    assert repr(window) == "Window((3, 3), (5,), step=(2, 1), edge='same')"
    assert repr(Window(3, (2, 4), edge=(0, 0))) == "Window((3, 3), (2, 4))"
    assert hash(window) != hash(Window(3, 5))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"kernel": 0}, ValueError, r"\[Window\] kernel is 0; give a whole number from 1 to 2147483647"),
        ({"kernel": (3, 0)}, ValueError, r"\[Window\] kernel\[1\] is 0; give a whole number from 1"),
        ({"kernel": (3, 2.5)}, TypeError, r"\[Window\] kernel\[1\] is 2.5; give a whole number"),
        ({"kernel": True}, TypeError, r"\[Window\] kernel is True; give a whole number"),
        (
            {"kernel": (3,)},
            ValueError,
            r"\[Window\] kernel is \(3,\); give two numbers, of rows and of columns, or one",
        ),
        ({"kernel": None}, TypeError, r"\[Window\] kernel is None; give a whole number"),
        ({"kernel": "same"}, TypeError, r"\[Window\] kernel is 'same'; give a whole number"),
        ({"edge": "valid"}, ValueError, r"\[Window\] unknown edge 'valid'; use one of same"),
        ({"edge": (-1, 0)}, ValueError, r"\[Window\] edge\[0\] is -1; give a whole number from 0"),
        ({"axes": ()}, ValueError, r"\[Window\] axes is \(\); give the size of one axis at least"),
        ({"axes": (4, 0)}, ValueError, r"\[Window\] axes\[1\] is 0; give a whole number from 1"),
        ({"axes": "4"}, TypeError, r"\[Window\] axes is '4'; give a whole number"),
    ],
)
def test_two_numbers_are_checked(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Window(**{"kernel": 3, "axes": 4, **arguments})


def test_lists_of_descriptions() -> None:
    fork = Fork(["wire", Leaf(3)], [], [Fork([Wire], [])], join="add")
    assert fork.ways == ((Wire(), Leaf(3)), (), (Fork([Wire()], []),))
    assert repr(fork) == "Fork((Wire(), Leaf(3)), (), (Fork((Wire(),), ()),), join='add')"
    assert fork.config()["ways"][1:] == [
        [],
        [{"type": "Fork", "ways": [[{"type": "Wire"}], []], "join": "concat"}],
    ]
    assert Block.from_config(json.loads(json.dumps(fork.config()))) == fork
    with pytest.raises(TypeError, match=r"\[Fork\] ways\[1\] is Wire\(\); give a list, \[\] for none"):
        Fork([], Wire())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"\[Fork\] ways\[0\]\[1\] is 3; give one of leaf, wire"):
        Fork(["wire", 3])
    with pytest.raises(TypeError, match=r"\[Fork\] ways is 3; give lists"):
        Block.from_config({"type": "Fork", "ways": 3})
