"""Fail when code of one instruction set could run on a CPU without it.

``python3 tools/check_kernel_symbols.py PATH...`` looks at build folders (their object files) and extension modules
(.so, not stripped). Two traps, each of which ends in "illegal instruction" on somebody else's machine:

- a weak symbol in a kernel object. The linker keeps one copy of a weak function, maybe the AVX-512 one, for everybody.
- an AVX or AMX instruction (VEX or EVEX encoded) outside the kernels made for them, where nothing asks the CPU first.

Prints one line per fault and exits with 1 when there is one. Needs nm, objdump and c++filt (binutils).
"""

import re
import struct
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

AVX_ISAS = ("avx2", "avx512", "avx512bf16", "amx")
KERNEL_TARGET = re.compile(r"nnext_kernels_(?P<isa>\w+)")
OBJECT_TARGET = re.compile(r"/CMakeFiles/(?P<target>[^/]+)\.dir/")

# nm's letters for symbols of which the linker keeps one of many.
WEAK = {"W": "weak", "w": "weak", "V": "weak object", "v": "weak object", "u": "unique global"}

# A function of nnext::kernels::<avx isa> by its mangled name, which starts with the scope itself; a demangled name may
# start with a return type, or hold the namespace in a template's argument. _ZZN: a lambda within such a function.
AVX_FUNCTION = re.compile(r"_Z+N[rVK]*[RO]?5nnext7kernels(?:" + "|".join(f"{len(isa)}{isa}" for isa in AVX_ISAS) + ")")

LABEL = re.compile(r"^[0-9a-f]+ <(?P<name>.+)>:$")
INSTRUCTION = re.compile(r"^ *(?P<address>[0-9a-f]+):\t(?:\{\w+\} )*(?P<mnemonic>\S+)(?: +(?P<operands>.*))?$")
# A v marks the other instructions of AVX; those with a v that are none (verw, vmcall) are an operating system's.
AVX_OPERAND = re.compile(r"%(?:[yzt]mm\d|k[0-7]\b)")
TILE_STATE = ("ldtilecfg", "sttilecfg", "tilerelease")

EM_X86_64 = 62


def run(*command: str) -> Iterator[str]:
    """Yield the lines that a command prints."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, errors="replace") as process:
        assert process.stdout is not None
        yield from (line.rstrip("\n") for line in process.stdout)
    if process.returncode:
        raise SystemExit(f"check_kernel_symbols: {' '.join(command)} failed with code {process.returncode}")


def demangle(name: str) -> str:
    return next(run("c++filt", name), name)


def is_x86(file: Path) -> bool:
    with file.open("rb") as binary:
        header = binary.read(20)
    return header[:4] == b"\x7fELF" and struct.unpack_from("<H", header, 18)[0] == EM_X86_64


def weak_symbols(file: Path) -> Iterator[tuple[str, str]]:
    """Yield the kind and name of each weak symbol that an object defines."""
    for line in run("nm", "--defined-only", str(file)):
        _, letter, name = line.split(maxsplit=2)
        if letter in WEAK:
            yield WEAK[letter], name


def is_avx(mnemonic: str, operands: str) -> bool:
    return mnemonic[0] == "v" or mnemonic in TILE_STATE or AVX_OPERAND.search(operands) is not None


def avx_functions(file: Path) -> Iterator[tuple[str, str]]:
    """Yield each function with AVX instructions, with the first of them."""
    function, told = "", False
    for line in run("objdump", "-d", "--no-show-raw-insn", str(file)):
        if label := LABEL.match(line):
            function, told = label["name"], False
        elif not told and (found := INSTRUCTION.match(line)):
            operands = found["operands"] or ""
            if is_avx(found["mnemonic"], operands):
                told = True
                yield function, f"{found['mnemonic']} {operands}".rstrip()


def objects(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield the object files of a CMake build folder with the target that each belongs to."""
    for file in sorted(folder.rglob("*.o")):
        if target := OBJECT_TARGET.search(file.as_posix()):
            yield file, target["target"]


def check_build(folder: Path) -> Iterator[str]:
    kernel_objects, others, avx_seen, avx_expected = 0, 0, False, False
    for file, target in objects(folder):
        kernel = KERNEL_TARGET.fullmatch(target)
        name = file.relative_to(folder)
        if kernel:
            kernel_objects += 1
            for kind, symbol in weak_symbols(file):
                yield f"{name}: {kind} symbol {demangle(symbol)} in a kernel object; keep it in an unnamed namespace"
        else:
            others += 1
        if not is_x86(file):
            continue
        may_have_avx = kernel is not None and kernel["isa"] in AVX_ISAS
        avx_expected |= may_have_avx
        for function, instruction in avx_functions(file):
            if may_have_avx:
                avx_seen = True
                break
            yield f"{name}: {demangle(function)} has `{instruction}`; only the kernels of {AVX_ISAS} may"
    if not kernel_objects:
        yield f"{folder}: no object of a target nnext_kernels_<isa>; is this a build folder?"
    if avx_expected and not avx_seen:
        yield f"{folder}: no AVX instruction in the kernels of {AVX_ISAS}, so this check is blind"
    print(f"check_kernel_symbols: {folder}: {kernel_objects} kernel objects, {others} others")


def check_module(file: Path) -> Iterator[str]:
    if not is_x86(file):
        print(f"check_kernel_symbols: {file}: not for x86-64, nothing to check in a linked module")
        return
    if not any(True for _ in run("nm", str(file))):
        yield f"{file}: stripped, so its functions have no names; build with install.strip = false"
        return
    avx = 0
    for function, instruction in avx_functions(file):
        if AVX_FUNCTION.match(function):
            avx += 1
        else:
            yield f"{file.name}: {demangle(function)} has `{instruction}`; only the kernels of {AVX_ISAS} may"
    if not avx:
        yield f"{file}: no AVX instruction in the kernels of {AVX_ISAS}, so this check is blind"
    print(f"check_kernel_symbols: {file}: {avx} functions with AVX in the kernels")


def check(paths: Iterable[Path]) -> int:
    faults = 0
    for path in paths:
        for fault in check_build(path) if path.is_dir() else check_module(path):
            print(fault)
            faults += 1
    print(f"check_kernel_symbols: {faults} faults")
    return 1 if faults else 0


def main(arguments: list[str]) -> int:
    paths = [Path(argument) for argument in arguments]
    missing = [str(path) for path in paths if not path.exists()]
    if missing or not paths:
        print(f"usage: check_kernel_symbols.py build-folder-or-module...; missing: {missing}", file=sys.stderr)
        return 2
    return check(paths)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
