"""Programs of ten random calls: settings are obeyed or refused, files continue a training, failures change nothing.

`nox -s fuzz` runs thousands of them.
"""

import pathlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnext as nn
from programs import run_program
from wrong_calls import LABELS, WRONG, Subject, X, fails


@settings(max_examples=60)
@given(st.data())
def test_programs(data: st.DataObject) -> None:
    run_program(data.draw)


@pytest.mark.parametrize("name", WRONG)
def test_every_wrong_call_fails_and_changes_nothing(name: str, tmp_path: pathlib.Path) -> None:
    for trained in (False, True):
        model = nn.Sequential([nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Linear(5, 3)], seed=1)
        model.compile("cross_entropy", nn.Adam(), metrics="accuracy")
        if trained:
            model.fit(X, LABELS, verbose=0)
        fails(Subject(model, tmp_path), name)
