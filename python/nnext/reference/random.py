"""Random numbers as a function of (seed, stream, index): the generator Philox4x32-10.

Any number of any stream can be computed alone, in any order and by any thread, so a network's weights, dropout masks
and batches are the same whoever computes them.

Source: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11, doi:10.1145/2063384.2063405.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nnext.reference.arrays import Array

# What a stream is for. `nnext.datasets` uses the fourth, `validation_split` the fifth, the C++ core the others.
INITIALIZE, DROPOUT, SHUFFLE, DATA, VALIDATION, NOISE = range(6)

_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)


def philox4x32(counter: npt.ArrayLike, key: npt.ArrayLike) -> Array:
    """Scramble counters into random words with ten rounds of Philox4x32.

    Parameters
    ----------
    counter : array of shape (..., 4)
        Unsigned 32-bit numbers; each row of four gives its own block.
    key : array of shape (2,)
        Unsigned 32-bit numbers.

    Returns
    -------
    uint32 array of shape (..., 4)

    Examples
    --------
    >>> [hex(word) for word in philox4x32([0, 0, 0, 0], [0, 0]).tolist()]
    ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    c0, c1, c2, c3 = np.moveaxis(np.atleast_1d(np.asarray(counter, dtype=np.uint64)), -1, 0)
    k0, k1 = (int(k) for k in np.asarray(key, dtype=np.uint64))
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c0, np.uint64(0xCD9E8D57) * c2  # 32 x 32 bits fit 64
        c0, c1, c2, c3 = (p1 >> _32) ^ c1 ^ np.uint64(k0), p1 & _LOW, (p0 >> _32) ^ c3 ^ np.uint64(k1), p0 & _LOW
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack([c0, c1, c2, c3], axis=-1).astype(np.uint32)


def stream(purpose: int, layer: int = 0, step: int = 0) -> int:
    """Name one of a seed's 2^64 streams: 8 bits of purpose, 16 of layer, 40 of step.

    Examples
    --------
    >>> hex(stream(DROPOUT, layer=2, step=5))
    '0x100020000000005'
    """
    return purpose << 56 | (layer & 0xFFFF) << 40 | (step & 0xFFFFFFFFFF)


def words(seed: int, stream: int, count: int) -> Array:
    """Return the first `count` words of a stream: word i is number i % 4 of the block that has the counter i // 4.

    Examples
    --------
    >>> words(seed=0, stream=0, count=2).tolist()
    [1713891541, 3781805453]
    """
    blocks = np.arange(-(-count // 4), dtype=np.uint64)
    high = np.full_like(blocks, stream >> 32)
    counter = np.stack([blocks & _LOW, blocks >> _32, np.full_like(blocks, stream & 0xFFFFFFFF), high], axis=-1)
    return philox4x32(counter, [seed & 0xFFFFFFFF, seed >> 32 & 0xFFFFFFFF]).reshape(-1)[:count]


def uniform(seed: int, stream: int, count: int) -> Array:
    """Return `count` numbers spread evenly over (0, 1), in float64: ``(word + 0.5) / 2^32``, so never 0 and never 1.

    Examples
    --------
    >>> uniform(seed=0, stream=0, count=2).round(4)
    array([0.399 , 0.8805])
    """
    return (words(seed, stream, count) + 0.5) * 2.0**-32


def normal(seed: int, stream: int, count: int) -> Array:
    """Return `count` numbers of the standard normal distribution, in float64.

    Number i is ``sqrt(-2 ln u) cos(2 pi v)`` with u, v the uniform numbers 2i and 2i + 1 (Box and Muller, Ann. Math.
    Stat. 29, 1958).

    Examples
    --------
    >>> normal(seed=0, stream=0, count=2).round(4)
    array([ 0.9911, -0.6176])
    """
    u, v = uniform(seed, stream, 2 * count).reshape(count, 2).T
    return np.asarray(np.sqrt(-2 * np.log(u)) * np.cos(2 * np.pi * v))


def permutation(n: int, seed: int, stream: int) -> Array:
    """Shuffle 0 to n - 1 (Fisher and Yates; Knuth, The Art of Computer Programming, vol. 2, 3.4.2, algorithm P).

    Going down from i = n - 1 to 1, element i changes places with element ``(word(i) * (i + 1)) >> 32``, which is one of
    0 to i.

    Parameters
    ----------
    n : int
        How many.
    seed, stream : int
        `Network.fit` takes ``stream(SHUFFLE, 0, epoch)``, epochs counted over the network's life.

    Returns
    -------
    int64 array of shape (n,)

    Examples
    --------
    >>> permutation(5, seed=0, stream=stream(SHUFFLE, 0, 0)).tolist()
    [3, 4, 1, 2, 0]
    """
    order = list(range(n))
    draws = words(seed, stream, n).tolist()
    for i in range(n - 1, 0, -1):
        j = draws[i] * (i + 1) >> 32
        order[i], order[j] = order[j], order[i]
    return np.array(order, dtype=np.int64)


def dropout_mask(shape: tuple[int, ...], p: float, seed: int, layer: int, step: int) -> Array:
    """Return what dropout multiplies a batch with: 0 with probability p, else ``1 / (1 - p)``, so the mean stays 1.

    Element e, counted row by row through the batch, is kept when its word is at least ``p * 2^32``.

    Parameters
    ----------
    shape : tuple of int
        The batch's shape, (rows, features).
    p : float
        Probability of dropping an element, 0 <= p < 1.
    seed, layer, step : int
        The network's seed, the layer's index in it, and how many training steps came before.

    Returns
    -------
    float64 array of that shape

    Examples
    --------
    >>> dropout_mask((2, 3), p=0.5, seed=0, layer=1, step=0)
    array([[2., 0., 2.],
           [2., 0., 2.]])
    """
    drawn = words(seed, stream(DROPOUT, layer, step), int(np.prod(shape))).reshape(shape)
    return np.where(drawn >= np.floor(p * 2.0**32 + 0.5), 1 / (1 - p), 0.0)


def gaussian_noise(shape: tuple[int, ...], stddev: float, seed: int, layer: int, step: int) -> Array:
    """Return what gaussian noise adds to a batch: the numbers of `normal` times `stddev`, element by element.

    The cosine is a sine here, ``cos(2 pi v) = sin(2 pi (|v - 1/2| - 1/4))``, whose argument is exact where it is small:
    so these are the core's numbers but for a few roundings.

    Parameters
    ----------
    shape : tuple of int
        The batch's shape, (rows, features).
    stddev : float
        Standard deviation, at least 0.
    seed, layer, step : int
        As for `dropout_mask`.

    Returns
    -------
    float64 array of that shape

    Examples
    --------
    >>> gaussian_noise((1, 3), stddev=0.5, seed=0, layer=0, step=0).round(3)
    array([[0.215, 0.602, 0.265]])
    """
    u, v = uniform(seed, stream(NOISE, layer, step), 2 * int(np.prod(shape))).reshape(-1, 2).T
    z = np.sqrt(-2 * np.log(u)) * np.sin(2 * np.pi * (np.abs(v - 0.5) - 0.25))
    return np.asarray(stddev * z.reshape(shape))
