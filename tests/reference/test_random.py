"""The reference's random numbers, start values and masks: published vectors, and their own definitions."""

import numpy as np
import pytest

from nnext.reference import initializers, random


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ],
)
def test_philox_gives_the_known_answers_of_random123(counter: str, key: str, expected: str) -> None:
    """The vectors "philox4x32 10" of tests/kat_vectors in the authors' library, Random123 1.14."""

    def numbers(text: str) -> list[int]:
        return [int(word, 16) for word in text.split()]

    assert random.philox4x32(numbers(counter), numbers(key)).tolist() == numbers(expected)
    both = random.philox4x32([numbers(counter), [1, 2, 3, 4]], numbers(key))
    assert both[0].tolist() == numbers(expected)


@pytest.mark.parametrize("seed", [0, 7, 2**32 + 5, 2**64 - 1])
def test_a_word_depends_on_seed_stream_and_index_only(seed: int) -> None:
    name = random.stream(random.DROPOUT, layer=3, step=2**33 + 1)
    assert name == 1 << 56 | 3 << 40 | 2**33 + 1
    words = random.words(seed, name, 11)
    assert words.dtype == np.uint32
    key = [seed % 2**32, seed >> 32]
    for i, word in enumerate(words.tolist()):
        assert word == random.philox4x32([i // 4, 0, name % 2**32, name >> 32], key)[i % 4]
    assert words[:5].tolist() == random.words(seed, name, 5).tolist()


def test_uniform_and_normal_have_their_moments() -> None:
    n = 40_000
    u, z = random.uniform(1, 0, n), random.normal(1, 0, n)
    assert u.min() > 0
    assert u.max() < 1
    # Means and variances of n draws spread by sd / sqrt(n); 5 of those are missed once in 2 million.
    assert abs(u.mean() - 0.5) < 5 * np.sqrt(1 / 12 / n)
    assert abs(z.mean()) < 5 / np.sqrt(n)
    assert abs(z.var() - 1) < 5 * np.sqrt(2 / n)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 100])
def test_a_permutation_is_fisher_and_yates(n: int) -> None:
    name = random.stream(random.SHUFFLE, 0, 4)
    order = random.permutation(n, 9, name)
    assert sorted(order.tolist()) == list(range(n))
    expected, words = np.arange(n), random.words(9, name, n)
    for i in range(n - 1, 0, -1):
        j = int(words[i]) * (i + 1) // 2**32
        expected[[i, j]] = expected[[j, i]]
    assert order.tolist() == expected.tolist()


def test_a_dropout_mask_keeps_the_mean_and_belongs_to_its_elements() -> None:
    mask = random.dropout_mask((200, 50), 0.25, seed=3, layer=1, step=2)
    assert set(mask.ravel().tolist()) == {0.0, 1 / 0.75}
    assert abs((mask == 0).mean() - 0.25) < 5 * np.sqrt(0.25 * 0.75 / mask.size)
    assert np.array_equal(mask[:7], random.dropout_mask((7, 50), 0.25, seed=3, layer=1, step=2))
    assert not np.array_equal(mask, random.dropout_mask((200, 50), 0.25, seed=3, layer=1, step=3))
    assert np.array_equal(random.dropout_mask((3, 4), 0.0, 0, 0, 0), np.ones((3, 4)))


def test_noise_is_box_and_mullers_and_belongs_to_its_elements() -> None:
    noise = random.gaussian_noise((200, 50), 0.25, seed=3, layer=1, step=2)
    expected = 0.25 * random.normal(3, random.stream(random.NOISE, 1, 2), noise.size).reshape(noise.shape)
    # The argument of its cosine, up to 2 pi, is rounded, and the radius is at most sqrt(66 ln 2).
    np.testing.assert_allclose(noise, expected, rtol=0, atol=0.25 * 6.8 * 2 * np.pi * np.finfo(np.float64).eps)
    assert np.array_equal(noise[:7], random.gaussian_noise((7, 50), 0.25, seed=3, layer=1, step=2))
    assert not random.gaussian_noise((3, 4), 0.0, 0, 0, 0).any()


@pytest.mark.parametrize(
    ("name", "bound"),
    [("he_uniform", np.sqrt(6 / 200)), ("glorot_uniform", np.sqrt(6 / 300))],
)
def test_uniform_initializers_fill_their_bound(name: str, bound: float) -> None:
    w = getattr(initializers, name)((100, 200), seed=1, layer=2)
    assert w.shape == (100, 200)
    assert 0.999 * bound < abs(w).max() < bound
    assert np.array_equal(w.ravel(), -bound + 2 * bound * random.uniform(1, random.stream(0, 4 * 2), w.size))


@pytest.mark.parametrize(
    ("name", "std"),
    [("he_normal", np.sqrt(2 / 200)), ("glorot_normal", np.sqrt(2 / 300)), ("lecun_normal", np.sqrt(1 / 200))],
)
def test_normal_initializers_have_their_deviation(name: str, std: float) -> None:
    w = getattr(initializers, name)((100, 200), seed=1, layer=2)
    assert w.std() == pytest.approx(std, rel=5 / np.sqrt(2 * w.size))


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 4)])
def test_orthogonal_is_gram_and_schmidts(shape: tuple[int, int]) -> None:
    w = initializers.orthogonal(shape, gain=2.0, seed=1, layer=2)
    assert w.shape == shape
    rows = w if shape[0] <= shape[1] else w.T
    eps = np.finfo(np.float64).eps
    np.testing.assert_allclose(rows @ rows.T, 4 * np.eye(len(rows)), rtol=0, atol=100 * eps)
    drawn = random.normal(1, random.stream(0, 8), rows.size).reshape(rows.shape)
    # Row i is what rows 0 to i - 1 leave of the i-th drawn row, so it points along it and not along the earlier ones.
    products = drawn @ rows.T
    assert (np.diag(products) > 0).all()
    np.testing.assert_allclose(np.triu(products, 1), 0, atol=100 * eps)


def test_the_default_of_linear_draws_weight_and_bias_from_two_streams() -> None:
    weight, bias = initializers.linear_default(3, 4, seed=5, layer=6)
    assert np.array_equal(weight.ravel(), -0.5 + random.uniform(5, random.stream(0, 24), 12))
    assert np.array_equal(bias, -0.5 + random.uniform(5, random.stream(0, 25), 3))
    assert not initializers.zeros((2, 3)).any()
