"""The floating-point mode of this thread, as C programs set it: how the CPU rounds, what it traps or takes as zero."""

import contextlib
import ctypes
import ctypes.util
import platform
import struct
from collections.abc import Iterator

# Where glibc's fenv_t has the word of control bits, which of it they are, and the modes by name: x86-64's MXCSR and
# aarch64's FPCR. "plain" is what every program starts with.
_PLACES = {"x86_64": (28, 0xFFC0), "aarch64": (0, 0xFFFFFFFF)}
_MODES = {
    "x86_64": {
        "plain": 0x1F80,
        "down": 0x3F80,
        "up": 0x5F80,
        "to zero": 0x7F80,
        "flushing": 0x9FC0,
        "trapping": 0x1000,
    },
    "aarch64": {"plain": 0, "up": 1 << 22, "down": 2 << 22, "to zero": 3 << 22, "flushing": 1 << 24},
}
_PLACE = _PLACES.get(platform.machine())
MODES = _MODES.get(platform.machine(), {"plain": 0})
KNOWN = _PLACE is not None and platform.libc_ver()[0] == "glibc"


def _libm() -> ctypes.CDLL:
    return ctypes.CDLL(ctypes.util.find_library("m"))


def _environment() -> ctypes.Array[ctypes.c_char]:
    environment = ctypes.create_string_buffer(64)
    assert _libm().fegetenv(environment) == 0
    return environment


def now() -> int:
    """Return the control bits of this thread."""
    assert _PLACE is not None
    place, control = _PLACE
    bits: int = struct.unpack_from("=I", _environment(), place)[0]
    return bits & control


def put(bits: int) -> None:
    """Set the control bits of this thread."""
    assert _PLACE is not None
    environment = _environment()
    struct.pack_into("=I", environment, _PLACE[0], bits)
    assert _libm().fesetenv(environment) == 0


@contextlib.contextmanager
def within(bits: int) -> Iterator[None]:
    """Put a mode in place, which must be there at the end, too."""
    before = now()
    put(bits)
    try:
        yield
        assert now() == bits
    finally:
        put(before)
