"""The code on pages of the docs runs, from the top of a page to its end."""

import re
from pathlib import Path
from typing import Any

import numpy as np

import nnext as nn

DOCS = Path(__file__).parents[2] / "docs"


def run(page: str) -> dict[str, Any]:
    """Run all Python on a page; return its names."""
    blocks = re.findall(r"^```python\n(.*?)^```", (DOCS / page).read_text(encoding="utf-8"), re.M | re.S)
    names: dict[str, Any] = {}
    exec(compile("\n".join(blocks), page, "exec"), names)
    return names


def test_sequences() -> None:
    names = run("sequences.md")
    model, padded, sequences = names["model"], names["padded"], names["sequences"]
    alone = [model.predict(sequence[None])[0] for sequence in sequences]
    for X, lengths in ((padded, [2, 5, 4]), (nn.padded(sequences), None), (sequences, None)):
        np.testing.assert_array_equal(model.predict(X, lengths=lengths), alone)
    np.testing.assert_allclose(names["answer"], model.predict(names["X"][:1])[0], rtol=1e-5)
    assert model.evaluate(names["X"], names["y"].astype(int))["accuracy"] > 0.8


def test_links_of_pages_lead_to_files() -> None:
    for page in DOCS.glob("*.md"):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
