"""What a file takes while it is saved and loaded: its own size for save, that and the model's for load.

No file takes much more than it has bytes, or long, whatever it claims.
"""

import pathlib
import sys

import pytest

from support import run_python

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc and limits the address space"),
    pytest.mark.resources,
]

# Every array has pages of its own, which go back at once: nothing is hidden by memory that was used before.
EXACT = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TOP_PAD_": "0"}

PEAKS = """
import os
import numpy as np
import nnext as nn

MB = 2**20

def status(field):
    with open("/proc/self/status") as file:
        return int(file.read().split(field + ":")[1].split()[0]) * 1024

def peak(call):
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    before = status("VmRSS")
    result = call()
    return status("VmHWM") - before, result

def save_and_load(make, path):
    make(4).save(path)
    nn.load(path)
    model = make(1500)
    saved, _ = peak(lambda: model.save(path))
    del model
    size = os.path.getsize(path)
    loaded, again = peak(lambda: nn.load(path))
    return size, saved, loaded

def make(width):
    model = nn.Sequential(nn.Linear(width, width), dtype=DTYPE)
    model.compile("mse", nn.Adam() if ADAM else nn.SGD(), ema=0.9 if EMA else None)
    if EMA:
        model.fit(np.ones((1, width)), np.ones((1, width)), verbose=0)
    return model

size, saved, loaded = save_and_load(make, PATH)
print(f"a file of {size / MB:.1f} MiB: save took {saved / MB:.1f}, load {loaded / MB:.1f}")
assert size > 8 * MB
assert 0.9 * size < saved < size + MB, (size, saved)
assert 0.9 * size < loaded < 2 * size + MB, (size, loaded)  # its bytes and the model's, of whose zeros some take none
"""


@pytest.mark.parametrize(
    ("dtype", "adam", "ema"),
    [("float32", False, False), ("float32", True, False), ("float64", True, False), ("float32", True, True)],
)
def test_save_takes_the_files_size_and_load_that_and_the_models(
    tmp_path: pathlib.Path, dtype: str, adam: bool, ema: bool
) -> None:
    given = {"PATH": str(tmp_path / "m"), "DTYPE": dtype, "ADAM": adam, "EMA": ema}
    code = "".join(f"{name} = {value!r}\n" for name, value in given.items()) + PEAKS
    result = run_python(code, **EXACT)
    assert result.returncode == 0, result.stderr
    print(result.stdout)


# ---- Files that claim much ------------------------------------------------------------------------------------------

BOMBS = """
import hashlib, json, os, resource, sys, time
import numpy as np
import nnext as nn

def linear(rows, cols, **settings):
    return {"type": "Linear", "in_features": rows, "out_features": cols, **settings}

def described(layers):
    entries = {"format_version": 2, "dtype": "float32", "seed": 0, "frozen": [], "counters": [0, 0], "progress": {},
               "layers": layers}
    return entries | {"sha256": hashlib.sha256(json.dumps(entries).encode()).hexdigest()}

relu = {"type": "ReLU"}
layers = {
    "memory": [linear(8000, 8000, weight_init={"type": "zeros"})],
    "time of normal numbers": [linear(6000, 6000, weight_init={"type": "normal"})],
    "time of orthogonal ones": [linear(1200, 1200, weight_init={"type": "orthogonal"})],
    "more than memory has addresses": [linear(2**31 - 1, 2**31 - 1)] * 2,
    "many layers": [relu] * 100_000,
    "as many as may be": [relu] * 8192,
    "many within one": [{"type": "Residual", "body": [relu] * 100_000}],
    "as many within one as a text may hold": [{"type": "Residual", "body": [relu] * 30_000}],
    "many branches": [{"type": "Branches", "branches": [[]] * 130_000}],
    "large layers": [linear(2000, 2000)] * 8192,
}
texts = {name: json.dumps({"__metadata__": {"nnext": json.dumps(described(of))}}) for name, of in layers.items()}
honest = {"as many as may be", "many branches"}
most = 4_100_000
texts |= {
    "lists": '{"a":[' + "[]," * (most // 3) + "1]}",
    "objects": '{"a":[' + '{"a":1},' * (most // 8) + "1]}",
    "numbers": '{"a":[' + "0.5," * (most // 4) + "1]}",
    "strings": '{"a":[' + '"ab",' * (most // 5) + "1]}",
    "one string": '{"a":"' + "x" * most + '"}',
    "quotes": '{"a":"' + '\\\\"' * (most // 2) + '"}',
}

def pages():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()

nn.MLP([2, 2]).save(PATH)
nn.load(PATH)
for name, text in texts.items():
    data = text.encode()
    with open(PATH, "wb") as file:
        file.write(len(data).to_bytes(8, "little") + data)
    size = os.path.getsize(PATH)
    del data
    resource.setrlimit(resource.RLIMIT_AS, (pages() + size + SPARE, resource.RLIM_INFINITY))
    start = time.process_time()
    try:
        nn.load(PATH)
        end = "loaded"
    except nn.ModelFormatError as error:
        end = "refused"
    took = time.process_time() - start
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print(f"{name}: {size} bytes, {took:.2f} s, {end}", file=sys.stderr)
    assert took < 3, name
    assert end == ("loaded" if name in honest else "refused"), name
"""


def test_what_a_file_claims_takes_neither_memory_nor_time(tmp_path: pathlib.Path) -> None:
    """Beside its own size: what Python needs for the lists, objects and words of a header of 4 MiB."""
    code = BOMBS.replace("PATH", repr(str(tmp_path / "m"))).replace("SPARE", str(48 << 20))
    result = run_python(code)
    assert result.returncode == 0, result.stderr
    print(result.stderr)
