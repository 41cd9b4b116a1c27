"""Where the files of MNIST are looked for, and every way an IDX file can be wrong."""

import gzip
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from nnext import datasets

CODES = {"uint8": 0x08, "int8": 0x09, "int16": 0x0B, "int32": 0x0C, "float32": 0x0D, "float64": 0x0E}
FILES = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]


def idx(array: np.ndarray) -> bytes:
    """Return the bytes of an IDX file."""
    head = bytes([0, 0, CODES[array.dtype.name], array.ndim])
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return head + sizes + array.astype(array.dtype.newbyteorder(">")).tobytes()


def small_set(folder: Path, packed: bool = False, first_test_label: int = 0, dots: bool = False) -> list[np.ndarray]:
    """Write a set like MNIST of 12 + 11 images, and return the four arrays."""
    rng = np.random.default_rng(first_test_label)
    arrays = [rng.integers(256, size=(n, 28, 28), dtype=np.uint8) for n in (12, 11)]
    labels = [rng.integers(10, size=n, dtype=np.uint8) for n in (12, 11)]
    labels[1][0] = first_test_label
    folder.mkdir(parents=True, exist_ok=True)
    parts = [arrays[0], labels[0], arrays[1], labels[1]]
    for name, part in zip(FILES, parts, strict=True):
        name = name.replace("-idx", ".idx") if dots else name
        data = idx(part)
        (folder / (name + ".gz" if packed else name)).write_bytes(gzip.compress(data) if packed else data)
    return parts


def check_same(loaded: Any, parts: list[np.ndarray]) -> None:
    flat = [loaded[0][0], loaded[0][1], loaded[1][0], loaded[1][1]]
    assert [a.dtype for a in flat] == [np.uint8, np.int64, np.uint8, np.int64]
    for got, expected in zip(flat, parts, strict=True):
        np.testing.assert_array_equal(got, expected)


@pytest.fixture
def no_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither NNEXT_DATA nor pooch."""
    monkeypatch.delenv("NNEXT_DATA", raising=False)
    monkeypatch.setitem(sys.modules, "pooch", None)


# ---- Finding MNIST --------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("no_data")
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("dots", [False, True])
def test_a_folder_is_read_directly_or_by_its_subfolder(tmp_path: Path, packed: bool, dots: bool) -> None:
    parts = small_set(tmp_path / "a", packed, dots=dots)
    check_same(datasets.load_mnist(tmp_path / "a"), parts)
    check_same(datasets.load_fashion_mnist(str(tmp_path / "a")), parts)
    parts = small_set(tmp_path / "b" / "fashion-mnist", packed, dots=dots)
    check_same(datasets.load_fashion_mnist(tmp_path / "b"), parts)
    with pytest.raises(
        datasets.DatasetNotFoundError, match=r"mnist: no such folder\n.*b: no train-images.* and 3 more"
    ):
        datasets.load_mnist(tmp_path / "b")


@pytest.mark.usefixtures("no_data")
def test_the_environment_names_a_folder_and_an_argument_overrides_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = small_set(tmp_path / "data" / "mnist", first_test_label=1), small_set(tmp_path / "other")
    monkeypatch.setenv("NNEXT_DATA", str(tmp_path / "data"))
    check_same(datasets.load_mnist(), first)
    check_same(datasets.load_mnist(tmp_path / "other"), second)
    monkeypatch.setenv("NNEXT_DATA", str(tmp_path / "other"))
    check_same(datasets.load_mnist(), second)
    with pytest.raises(FileNotFoundError, match="nowhere: no such folder"):
        datasets.load_mnist(tmp_path / "nowhere")


@pytest.mark.usefixtures("no_data")
def test_the_two_sets_are_not_taken_for_each_other(tmp_path: Path) -> None:
    """Their files have the same names; their first test labels differ."""
    small_set(tmp_path)
    labels = np.array([7, 2, 1, 0, 4, 1, 4, 9, 5, 9, 0], dtype=np.uint8)
    (tmp_path / FILES[3]).write_bytes(idx(labels))
    assert datasets.load_mnist(tmp_path)[1][1].tolist() == labels.tolist()
    with pytest.raises(datasets.DatasetNotFoundError, match="holds MNIST, whose files have the same names"):
        datasets.load_fashion_mnist(tmp_path)


@pytest.mark.usefixtures("no_data")
def test_without_files_and_pooch_the_error_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NNEXT_DATA", str(tmp_path))
    with pytest.raises(datasets.DatasetNotFoundError) as caught:
        datasets.load_mnist()
    message = str(caught.value)
    assert message.startswith("[load_mnist] the files of MNIST were not found")
    for part in (str(tmp_path), *FILES, "NNEXT_DATA", 'pip install "nnext-learn[datasets]"', "pooch is not installed"):
        assert part in message


class FakePooch:
    """Stands for the package pooch: `fetch` puts a file of a small set where the cache is, or fails."""

    def __init__(self, cache: Path, error: Exception | None = None) -> None:
        self.cache, self.error, self.fetched = cache, error, []

    def os_cache(self, project: str) -> Path:
        return self.cache / project

    def create(self, path: Path, base_url: str, registry: dict[str, str]) -> Any:
        def fetch(name: str) -> None:
            if self.error is not None:
                raise self.error
            self.fetched.append((base_url + name, registry[name]))
            small_set(path, packed=True)

        return SimpleNamespace(fetch=fetch)


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_what_is_nowhere_is_downloaded_with_checksums(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakePooch(tmp_path)
    monkeypatch.setitem(sys.modules, "pooch", fake)
    monkeypatch.setenv("NNEXT_DATA", str(tmp_path / "nowhere"))
    load = datasets.load_mnist if name == "mnist" else datasets.load_fashion_mnist
    check_same(load(), small_set(tmp_path / "again"))
    assert (tmp_path / "nnext" / name).is_dir()
    assert sorted(url.rsplit("/", 1)[1] for url, _ in fake.fetched) == sorted(f"{file}.gz" for file in FILES)
    lengths = {"sha256": 64, "md5": 32}
    for url, checksum in fake.fetched:
        assert url.startswith("https://")
        algorithm, digits = checksum.split(":")
        assert len(bytes.fromhex(digits)) * 2 == lengths[algorithm]


@pytest.mark.parametrize("error", [ConnectionError("no route"), ValueError("MD5 hash does not match")])
def test_a_failed_download_says_why_and_what_to_do(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pooch", FakePooch(tmp_path, error))
    monkeypatch.delenv("NNEXT_DATA", raising=False)
    with pytest.raises(datasets.DatasetNotFoundError, match=f"failed: {error}\nEither put train-images"):
        datasets.load_fashion_mnist()


def test_mnist_itself() -> None:
    if not os.environ.get("NNEXT_DATA"):
        pytest.skip("NNEXT_DATA does not name a folder with MNIST's files")
    (X_train, y_train), (X_test, y_test) = datasets.load_mnist()
    assert (X_train.shape, X_test.shape) == ((60_000, 28, 28), (10_000, 28, 28))
    assert np.bincount(y_train).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert X_train.mean() == pytest.approx(0.1307 * 255, abs=0.00005 * 255)  # what PyTorch's MNIST example subtracts


@pytest.mark.usefixtures("no_data")
@pytest.mark.parametrize(
    ("index", "array", "message"),
    [
        (0, np.zeros((12, 28, 27), np.uint8), r"images are uint8 \(12, 28, 27\), not uint8 \(n, 28, 28\)"),
        (0, np.zeros((12, 28, 28), np.int16), "images are int16"),
        (1, np.zeros(13, np.uint8), r"labels are uint8 \(13,\) for 12 images"),
        (1, np.zeros(12, np.int32), "labels are int32"),
        (3, np.full(11, 10, np.uint8), "label 10 at index 0; labels are 0 to 9"),
    ],
)
def test_files_that_do_not_belong_together_are_refused(
    tmp_path: Path, index: int, array: np.ndarray, message: str
) -> None:
    small_set(tmp_path)
    (tmp_path / FILES[index]).write_bytes(idx(array))
    with pytest.raises(ValueError, match=message):
        datasets.load_mnist(tmp_path)


# ---- IDX files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("dtype", CODES)
@pytest.mark.parametrize("shape", [(5,), (2, 3, 4), (0, 28, 28), (1, 1, 1, 1, 1)])
def test_idx_files_keep_type_and_shape(tmp_path: Path, dtype: str, shape: tuple[int, ...], packed: bool) -> None:
    array = np.random.default_rng(0).integers(100, size=shape).astype(dtype)
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(idx(array)) if packed else idx(array))
    got = datasets.read_idx(path)
    assert got.dtype == array.dtype
    assert got.dtype.isnative
    np.testing.assert_array_equal(got, array)
    got[...] = 1  # the caller's own


GOOD = idx(np.arange(6, dtype=np.int16).reshape(2, 3))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "begins with nothing"),
        (GOOD[:3], "begins with 00 00 0b;"),
        (b"\x01" + GOOD[1:], "begins with 01 00 0b 02"),
        (b"\x00\x00\x07" + GOOD[3:], "begins with 00 00 07 02"),
        (b"\x00\x00\x0b\x00" + GOOD[4:], "begins with 00 00 0b 00"),
        (GOOD[:9], "ends within its header: 5 of 8 bytes"),
        (GOOD[:-1], r"claims the shape \(2, 3\) of int16, 12 bytes, but has only 11"),
        (GOOD + b"\x00", "12 bytes, but has more"),
        (bytes([0, 0, 0x0E, 255]) + b"\xff" * 1020 + b"\x00", "but has only 1"),
        (bytes([0, 0, 8, 3]) + b"\xff" * 12 + bytes(100), "but has only 100"),
    ],
)
def test_a_wrong_idx_file_is_refused_with_both_numbers(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "file"
    for content in (data, gzip.compress(data)):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=message):
            datasets.read_idx(path)


def test_a_damaged_gzip_file_is_refused(tmp_path: Path) -> None:
    whole = gzip.compress(idx(np.random.default_rng(0).integers(256, size=1000, dtype=np.uint8)))
    path = tmp_path / "file.gz"
    for data in (whole[:500], whole[:-1], whole[:2], whole[:200] + b"\xff\x00" + whole[202:], whole[:-5] + b"\0" * 5):
        path.write_bytes(data)
        with pytest.raises(ValueError, match=r"\[read_idx\]"):
            datasets.read_idx(path)
    with pytest.raises(FileNotFoundError):
        datasets.read_idx(tmp_path / "nowhere")
