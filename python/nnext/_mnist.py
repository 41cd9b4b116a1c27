"""MNIST and Fashion-MNIST: finding their four files, or downloading them."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nnext._idx import read_idx

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]
Split = tuple[tuple[Images, Labels], tuple[Images, Labels]]


class DatasetNotFoundError(FileNotFoundError):
    """A dataset's files are on none of the places looked at, and could not be downloaded.

    Examples
    --------
    >>> issubclass(DatasetNotFoundError, FileNotFoundError)
    True
    """


class _Dataset(NamedTuple):
    title: str
    url: str
    checksums: dict[str, str]  # of the gzip files, in the form that pooch takes
    first_test_labels: tuple[int, ...]  # the files of both sets have the same names: this tells them apart


_FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")

_DATASETS = {
    "mnist": _Dataset(
        title="MNIST",
        url="https://ossci-datasets.s3.amazonaws.com/mnist/",  # the mirror that PyTorch's torchvision uses
        checksums={
            "train-images-idx3-ubyte.gz": "sha256:440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            "train-labels-idx1-ubyte.gz": "sha256:3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            "t10k-images-idx3-ubyte.gz": "sha256:8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            "t10k-labels-idx1-ubyte.gz": "sha256:f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        },
        first_test_labels=(7, 2, 1, 0, 4, 1, 4, 9, 5, 9),
    ),
    "fashion-mnist": _Dataset(
        title="Fashion-MNIST",
        url="https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        checksums={  # as its authors' README gives them
            "train-images-idx3-ubyte.gz": "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "train-labels-idx1-ubyte.gz": "md5:25c81989df183df01b3e8a0aad5dffbe",
            "t10k-images-idx3-ubyte.gz": "md5:bef4ecab320f06d8554ea6380940ec79",
            "t10k-labels-idx1-ubyte.gz": "md5:bb300cfdad3c16e7a12a480ee83cd310",
        },
        first_test_labels=(9, 2, 1, 1, 6, 1, 4, 6, 5, 7),
    ),
}


def load_mnist(folder: str | os.PathLike[str] | None = None) -> Split:
    """Load MNIST: 60,000 + 10,000 images of handwritten digits (Y. LeCun, C. Cortes and C. Burges, 1998).

    The four files, gzip or not, are looked for in `folder` alone, if it is given. Otherwise in the folder that the
    environment variable ``NNEXT_DATA`` names, then in pooch's cache, and then they are downloaded (11 MB) and checked.
    In `folder` and in ``NNEXT_DATA`` they may also lie in a subfolder ``mnist``.

    Parameters
    ----------
    folder : path, optional
        Where ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte``, ``t10k-images-idx3-ubyte`` and
        ``t10k-labels-idx1-ubyte`` are, each with or without ``.gz``.

    Returns
    -------
    (X_train, y_train), (X_test, y_test)
        X: uint8 arrays of shape (n, 28, 28), 0 is paper and 255 is ink. y: int64 arrays of shape (n,), 0 to 9.

    Raises
    ------
    DatasetNotFoundError
        When the files are nowhere and cannot be downloaded; the message says what to do.
    ValueError
        When a file is damaged.

    Examples
    --------
    >>> (X_train, y_train), (X_test, y_test) = load_mnist()  # doctest: +SKIP
    >>> model.fit(X_train, y_train, scale=1 / 255)  # doctest: +SKIP
    """
    return _load("load_mnist", "mnist", folder)


def load_fashion_mnist(folder: str | os.PathLike[str] | None = None) -> Split:
    """Load Fashion-MNIST: 60,000 + 10,000 images of clothes, harder than MNIST and of the same shape.

    H. Xiao, K. Rasul and R. Vollgraf, arXiv:1708.07747, MIT licence. The labels: 0 T-shirt/top, 1 trouser, 2 pullover,
    3 dress, 4 coat, 5 sandal, 6 shirt, 7 sneaker, 8 bag, 9 ankle boot.

    Parameters, results and errors are those of `load_mnist`; the subfolder is called ``fashion-mnist``, the download
    has 30 MB.

    Examples
    --------
    >>> (X_train, y_train), (X_test, y_test) = load_fashion_mnist()  # doctest: +SKIP
    """
    return _load("load_fashion_mnist", "fashion-mnist", folder)


def _load(operation: str, name: str, folder: str | os.PathLike[str] | None) -> Split:
    root = os.environ.get("NNEXT_DATA") if folder is None else folder
    looked = []
    for place in (Path(root).expanduser() / name, Path(root).expanduser()) if root else ():
        problem = _problem(place, name)
        if problem is None:
            return _read(place)
        looked.append(f"{place}: {problem}")
    if folder is not None:
        raise _not_found(operation, name, looked)
    try:
        cache = _download(name)
    except _DownloadError as error:
        raise _not_found(operation, name, [*looked, str(error)]) from error
    return _read(cache)


def _not_found(operation: str, name: str, looked: list[str]) -> DatasetNotFoundError:
    dataset = _DATASETS[name]
    return DatasetNotFoundError(
        f"[{operation}] the files of {dataset.title} were not found:\n"
        + "".join(f"  {line}\n" for line in looked)
        + f"Either put {', '.join(_FILES)} (or .gz, from {dataset.url}) into a folder and pass folder=... or set "
        + 'NNEXT_DATA; or pip install "nnext-learn[datasets]" on a machine with a network, which downloads them.'
    )


def _find(folder: Path, file: str) -> Path | None:
    """Return the file, also under its other customary name, train-images.idx3-ubyte."""
    for name in (file, f"{file}.gz", file.replace("-idx", ".idx"), f"{file.replace('-idx', '.idx')}.gz"):
        if (folder / name).is_file():
            return folder / name
    return None


def _file(folder: Path, file: str) -> Path:
    return _find(folder, file) or folder / file


def _problem(folder: Path, name: str) -> str | None:
    """Say why the dataset is not in this folder, or None when it is."""
    if not folder.is_dir():
        return "no such folder"
    missing = [file for file in _FILES if _find(folder, file) is None]
    if missing:
        return f"no {missing[0]}" + (f" and {len(missing) - 1} more" if len(missing) > 1 else "")
    first = tuple(read_idx(_file(folder, _FILES[3])).ravel()[:10].tolist())
    for other, dataset in _DATASETS.items():
        if other != name and first == dataset.first_test_labels:
            return f"holds {dataset.title}, whose files have the same names"
    return None


class _DownloadError(Exception):
    """Why there was no download."""


def _download(name: str) -> Path:
    """Return a folder of pooch's cache with the dataset's files, downloaded when they are not there yet."""
    dataset = _DATASETS[name]
    try:
        pooch: Any = importlib.import_module("pooch")
    except ImportError as error:
        raise _DownloadError("cache and download: the package pooch is not installed") from error
    cache = Path(pooch.os_cache("nnext")) / name
    try:
        store = pooch.create(path=cache, base_url=dataset.url, registry=dataset.checksums)
        for file in dataset.checksums:
            store.fetch(file)
    except (OSError, ValueError) as error:  # no network, no disk; a checksum that does not fit
        raise _DownloadError(f"{cache} (cache): downloading from {dataset.url} failed: {error}") from error
    return cache


def _read(folder: Path) -> Split:
    X_train, y_train, X_test, y_test = (read_idx(_file(folder, file)) for file in _FILES)
    return _checked(folder, X_train, y_train), _checked(folder, X_test, y_test)


def _checked(folder: Path, images: npt.NDArray[Any], labels: npt.NDArray[Any]) -> tuple[Images, Labels]:
    if images.dtype != np.uint8 or images.shape[1:] != (28, 28):
        raise ValueError(f"[mnist] {folder}: images are {images.dtype} {images.shape}, not uint8 (n, 28, 28)")
    if labels.dtype != np.uint8 or labels.shape != images.shape[:1]:
        raise ValueError(f"[mnist] {folder}: labels are {labels.dtype} {labels.shape} for {len(images)} images")
    if labels.size and labels.max() > 9:
        raise ValueError(f"[mnist] {folder}: label {labels.max()} at index {labels.argmax()}; labels are 0 to 9")
    return images, labels.astype(np.int64)
