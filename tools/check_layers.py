"""Fail when an ``#include`` in csrc points left in the order of the rooms.

``python3 tools/check_layers.py [folder of the project]`` prints ``file:line: the include: the rule`` for each fault and
exits with 1 when there is one. ARCHITECTURE.md explains the rooms. Needs the standard library only.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

# What a file of a room may include besides its own room: the rooms to its right. nn, optim and data stand side by side,
# as do runtime and kernels, so none is in another's list.
ALLOWED = {
    "core": (),
    "kernels": ("core",),
    "runtime": ("core",),
    "ops": ("runtime", "kernels", "core"),
    "optim": ("ops", "runtime", "kernels", "core"),
    "nn": ("ops", "runtime", "kernels", "core"),
    "data": ("ops", "runtime", "kernels", "core"),
    "train": ("nn", "optim", "data", "ops", "runtime", "kernels", "core"),
    "bindings": ("train", "nn", "optim", "data", "ops", "runtime", "kernels", "core"),
}

# Code that is compiled once per instruction set. A standard header brings inline functions, and the linker keeps one
# copy of each: maybe the AVX-512 one, on the path of a CPU without it. These headers bring types and intrinsics only.
KERNEL_CODE = ("kernels/*.kernel.cpp", "kernels/bf16/*.kernel.cpp", "kernels/simd/*")
KERNEL_SYSTEM_HEADERS = ("cstddef", "cstdint", "immintrin.h", "arm_neon.h")
KERNEL_RULE = f"kernel code includes kernels/ and <{'> <'.join(KERNEL_SYSTEM_HEADERS)}> only"

# Headers that belong to one room only.
PYTHON_HEADERS = re.compile(r"(pybind11|numpy)/|Python\.h$")
PYTHON_ROOM = "bindings"

SOURCES = ("*.h", "*.hpp", "*.c", "*.cpp", "*.cc", "*.inc")
INCLUDE = re.compile(r"^\s*#\s*include(?:_next)?\b\s*(?P<what>.*?)\s*(?://.*)?$")
NAMED = re.compile(r'(?P<open>["<])(?P<path>[^">]+)[">]')


@dataclass(frozen=True)
class Include:
    """One ``#include`` line; `path` is None when the line names its file through a macro."""

    file: PurePosixPath  # relative to csrc
    line: int
    text: str
    path: str | None
    quoted: bool


def read_includes(csrc: Path) -> Iterator[Include]:
    for file in sorted({file for pattern in SOURCES for file in csrc.rglob(pattern)}):
        name = PurePosixPath(file.relative_to(csrc).as_posix())
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            if found := INCLUDE.match(line):
                named = NAMED.match(found["what"])
                path, quoted = (named["path"], named["open"] == '"') if named else (None, False)
                yield Include(name, number, f"#include {found['what']}", path, quoted)


def kernel_code(includes: list[Include]) -> set[str]:
    """List the kernel sources and every header of kernels/ that they reach."""
    edges: dict[str, set[str]] = {}
    for include in includes:
        edges.setdefault(str(include.file), set()).add(include.path or "")
    waiting = [name for name in edges if any(PurePosixPath(name).match(pattern) for pattern in KERNEL_CODE)]
    reached: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += [path for path in edges.get(name, ()) if path.startswith("kernels/")]
    return reached


def broken_rule(include: Include, in_kernel_code: bool) -> str | None:
    """Name the rule that the include breaks, or None."""
    room = include.file.parts[0]
    if room not in ALLOWED or len(include.file.parts) == 1:
        return f"a file of csrc lives in one of the rooms {', '.join(ALLOWED)}"
    if include.path is None:
        return "an include names its file; a macro hides it from this check"
    target = PurePosixPath(include.path).parts[0]
    if target not in ALLOWED:
        if include.quoted:
            return 'an include of the project is written from csrc, as "core/size.h"'
        if PYTHON_HEADERS.match(include.path) and room != PYTHON_ROOM:
            return f"only {PYTHON_ROOM} speaks with Python"
        if in_kernel_code and include.path not in KERNEL_SYSTEM_HEADERS:
            return KERNEL_RULE
        return None
    if ".." in PurePosixPath(include.path).parts:
        return "an include of the project goes down from csrc, never through '..'"
    if in_kernel_code and target != "kernels":
        return KERNEL_RULE
    if target != room and target not in ALLOWED[room]:
        return f"{room} may include {', '.join((room, *ALLOWED[room]))}; not {target}"
    return None


def main(arguments: list[str]) -> int:
    project = Path(arguments[0]) if arguments else Path(__file__).resolve().parents[1]
    csrc = project / "csrc"
    if not csrc.is_dir():
        print(f"check_layers: {project} has no folder csrc; pass the folder of the project", file=sys.stderr)
        return 2
    includes = list(read_includes(csrc))
    kernels = kernel_code(includes)
    faults = 0
    for include in includes:
        if rule := broken_rule(include, str(include.file) in kernels):
            print(f"csrc/{include.file}:{include.line}: {include.text}: {rule}")
            faults += 1
    print(f"check_layers: {len(includes)} includes, {faults} against the rules")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
