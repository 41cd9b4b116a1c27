"""What is done with a file that may be anybody's: every promise that `load` gives is kept, or an assertion fails."""

import io
import math
import re

import numpy as np

import nnext as nn
from internals import training_state
from support import assert_same_bits

MOST = 10**8  # FLOPs and bytes of a prediction; a small file may describe a network that takes hours, but honestly


def use(data: bytes) -> bool:
    """Load a file and use its model; return whether there was one."""
    try:
        model = nn.load(io.BytesIO(data))
    except nn.ModelFormatError:
        return False
    shape = model.input_shape or (4,)
    if math.prod(shape) > MOST or any(max(size.flops, size.bytes) > MOST for size in sizes(model, shape)):
        return True
    X = np.linspace(-1, 1, 2 * math.prod(shape)).reshape(2, *shape)
    try:
        outputs = model.predict(X)
    except ValueError as error:
        if not re.match(r"(layer [\w.]+: )?\[\w+\] ", str(error)):  # says what takes no such samples
            raise
        return True
    file = io.BytesIO()
    model.save(file)
    again = nn.load(io.BytesIO(file.getvalue()))
    assert_same_bits(again.predict(X), outputs)
    if model.compiled is not None:
        assert trained(again, X, outputs) == trained(model, X, outputs)
        assert_same_bits(training_state(again), training_state(model))
    return True


def sizes(model: nn.Sequential, shape: tuple[int, ...]) -> list:
    """Return what each layer costs; nothing where it takes no such samples."""
    try:
        return list(model.engine.layer_table(shape).values())
    except ValueError:
        return []


def trained(model: nn.Sequential, X: np.ndarray, y: np.ndarray) -> str:
    """Train for a step; return what came of it, which may be an error."""
    try:
        return repr(model.fit(X, np.abs(y), verbose=0).history)
    except (ValueError, nn.DivergenceError) as error:
        return str(error)
