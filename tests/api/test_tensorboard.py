"""TensorBoard: what its own reader finds in the files, and that a training does not notice them."""

import builtins
import gc
import pathlib
import threading
from typing import Any

import numpy as np
import pytest

import nnext as nn
from internals import training_state
from support import assert_same_bits, unchanged

pytest.importorskip("tensorboardX", reason="the extra [tensorboard] is not installed")
accumulators = pytest.importorskip(
    "tensorboard.backend.event_processing.event_accumulator", reason="tensorboard, the reader, is not installed"
)


def network(**settings: Any) -> nn.Sequential:
    layers = [
        nn.Linear(3, 4),
        nn.Residual(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.ReLU()),
        nn.Branches([nn.Linear(4, 2)], [nn.Dropout(0.3)]),
        nn.Linear(6, 2),
    ]
    model = nn.Sequential(*layers, seed=3)
    model.compile(
        "cross_entropy", **{"optimizer": nn.Adam(lr=nn.Cosine(0.1, epochs=4)), "metrics": ["accuracy"], **settings}
    )
    return model


@pytest.fixture
def data(rng: np.random.Generator) -> dict[str, Any]:
    return {"X": rng.normal(size=(20, 3)), "y": rng.integers(2, size=20), "batch_size": 8, "verbose": 0}


def read(folder: pathlib.Path) -> Any:
    """Return all that TensorBoard finds in the files of a folder."""
    events = accumulators.EventAccumulator(str(folder), size_guidance=dict.fromkeys(("scalars", "histograms"), 0))
    events.Reload()
    return events


def curve(events: Any, name: str) -> tuple[list[int], np.ndarray]:
    points = events.Scalars(name)
    return [point.step for point in points], np.array([point.value for point in points], dtype="float32")


def test_the_curves_are_the_history(data: dict[str, Any], tmp_path: pathlib.Path) -> None:
    model = network()
    history = model.fit(**data, epochs=4, validation_split=0.2, callbacks=nn.TensorBoard(tmp_path / "new" / "logs"))
    assert sorted(path.name for path in (tmp_path / "new" / "logs").iterdir()) == ["train", "validation"]
    train, validation = (read(tmp_path / "new" / "logs" / run) for run in ("train", "validation"))
    assert sorted(train.Tags()["scalars"]) == ["accuracy", "loss", "lr"]
    assert sorted(validation.Tags()["scalars"]) == ["accuracy", "loss"]
    for events, prefix in ((train, ""), (validation, "val_")):
        for name in ("loss", "accuracy"):
            steps, values = curve(events, name)
            assert steps == [0, 1, 2, 3]
            assert_same_bits(values, np.array(history[prefix + name], dtype="float32"))
    ends = np.arange(1.0, 5.0)
    assert_same_bits(curve(train, "lr")[1], nn.Cosine(0.1, epochs=4).at(ends, ends).astype("float32"))
    assert train.Tags()["histograms"] == []


def test_a_second_fit_goes_on_with_the_curve(data: dict[str, Any], tmp_path: pathlib.Path) -> None:
    model, board = network(optimizer=nn.SGD(lr=0.25)), nn.TensorBoard(tmp_path, write_graph=False)
    losses = model.fit(**data, epochs=2, callbacks=board)["loss"] + model.fit(**data, epochs=3, callbacks=board)["loss"]
    assert len(list((tmp_path / "train").iterdir())) == 2
    steps, values = curve(read(tmp_path / "train"), "loss")
    assert steps == [0, 1, 2, 3, 4]
    assert_same_bits(values, np.array(losses, dtype="float32"))
    assert curve(read(tmp_path / "train"), "lr")[1].tolist() == [0.25] * 5
    assert not read(tmp_path / "train").Tags()["graph"]


def test_histograms_are_of_all_weights_and_gradients(data: dict[str, Any], tmp_path: pathlib.Path) -> None:
    model, samples, states = network(), (data["X"][:7], data["y"][:7]), dict[int, Any]()

    def keep(epoch: int, logs: Any) -> None:
        gradients = {f"gradients/{path}": array for path, array in model.loss_and_grads(*samples)[1].items()}
        states[epoch] = {f"weights/{path}": array for path, array in model.state_dict().items()} | gradients

    board = nn.TensorBoard(tmp_path, histogram_freq=2, gradient_data=samples)
    model.fit(**data, epochs=5, callbacks=[board, nn.LambdaCallback(on_epoch_end=keep)])
    events = read(tmp_path / "train")
    assert sorted(events.Tags()["histograms"]) == sorted(states[0])
    for name in states[0]:
        found = events.Histograms(name)
        assert [histogram.step for histogram in found] == [1, 3]
        for histogram in found:
            array = states[histogram.step][name].astype("float64")
            value = histogram.histogram_value
            assert (value.min, value.max, value.num, sum(value.bucket)) == (
                array.min(),
                array.max(),
                array.size,
                array.size,
            )


def test_the_graph_has_the_layers_and_what_they_read(data: dict[str, Any], tmp_path: pathlib.Path) -> None:
    network().fit(**data, callbacks=nn.TensorBoard(tmp_path))
    nodes = {node.name: node for node in read(tmp_path / "train").Graph().node}
    assert {name: list(node.input) for name, node in nodes.items()} == {
        "X": [],
        "0_Linear": ["X"],
        "1_Residual/body/0_Linear": ["0_Linear"],
        "1_Residual/body/1_BatchNorm1d": ["1_Residual/body/0_Linear"],
        "1_Residual/body/2_ReLU": ["1_Residual/body/1_BatchNorm1d"],
        "1_Residual/join": ["1_Residual/body/2_ReLU", "0_Linear"],
        "2_Branches/branches.0/0_Linear": ["1_Residual/join"],
        "2_Branches/branches.1/0_Dropout": ["1_Residual/join"],
        "2_Branches/join": ["2_Branches/branches.0/0_Linear", "2_Branches/branches.1/0_Dropout"],
        "3_Linear": ["2_Branches/join"],
    }
    assert nodes["2_Branches/branches.1/0_Dropout"].op == "Dropout"
    assert nodes["2_Branches/branches.1/0_Dropout"].attr["p"].s == b"0.3"
    shapes = {name: node.attr["_output_shapes"].list.shape for name, node in nodes.items() if name != "X"}
    sizes = {name: [dim.size for dim in shape[0].dim] for name, shape in shapes.items()}
    assert (sizes["0_Linear"], sizes["2_Branches/join"], sizes["3_Linear"]) == ([-1, 4], [-1, 6], [-1, 2])


def test_a_slice_and_a_network_of_any_shape_have_graphs_too(data: dict[str, Any], tmp_path: pathlib.Path) -> None:
    part = network()[2:]
    part.compile("cross_entropy")
    part.fit(np.ones((8, 4)), np.zeros(8, dtype=int), callbacks=nn.TensorBoard(tmp_path / "slice"), verbose=0)
    assert [node.name for node in read(tmp_path / "slice" / "train").Graph().node][-1] == "3_Linear"
    free = nn.Sequential(nn.Dropout(0.5))
    free.compile("mse")
    free.fit(np.ones((8, 4)), np.ones((8, 4)), callbacks=nn.TensorBoard(tmp_path / "free"), verbose=0)
    assert [node.name for node in read(tmp_path / "free" / "train").Graph().node] == ["X", "0_Dropout"]


def test_a_training_does_not_notice(data: dict[str, Any], tmp_path: pathlib.Path) -> None:
    model, twin = network(), network()
    threads, samples = threading.active_count(), (data["X"], data["y"], np.ones(20))
    board = nn.TensorBoard(tmp_path, histogram_freq=1, gradient_data=samples)
    seen: list[int] = []
    count = nn.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(threading.active_count()))
    history = model.fit(**data, epochs=3, scale=0.5, callbacks=[board, count])
    assert seen == [threads] * 3
    assert history.history == twin.fit(**data, epochs=3, scale=0.5).history
    assert_same_bits(training_state(model), training_state(twin))


def test_files_are_complete_after_each_epoch_and_closed_after_an_exception(
    data: dict[str, Any], tmp_path: pathlib.Path
) -> None:
    def look(epoch: int, logs: Any) -> None:
        assert curve(read(tmp_path / "train"), "loss")[0] == list(range(epoch + 1))
        if epoch == 1:
            raise LookupError

    board = nn.TensorBoard(tmp_path)
    with pytest.raises(LookupError):
        network().fit(**data, epochs=3, callbacks=[board, nn.LambdaCallback(on_epoch_end=look)])
    del board
    gc.collect()  # an open file would warn here, which is an error
    assert curve(read(tmp_path / "train"), "loss")[0] == [0, 1]


# ---- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"log_dir": ""}, ValueError, "log_dir is empty; give a path"),
        ({"log_dir": None}, TypeError, "log_dir is None; give a path"),
        ({"histogram_freq": -1}, ValueError, "histogram_freq is -1; give a whole number from 0"),
        ({"write_graph": 1}, TypeError, "write_graph is 1; give True or False"),
        ({"histogram_freq": 1, "gradient_data": [1]}, TypeError, r"gradient_data is .*; give \(X, y\) or"),
        ({"gradient_data": ([1], [1])}, ValueError, "gradient_data is given, but histogram_freq=0 writes no"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=rf"\[TensorBoard\] {message}"):
        nn.TensorBoard(**settings)


def test_samples_without_gradients_are_refused_before_anything_begins(
    data: dict[str, Any], tmp_path: pathlib.Path
) -> None:
    model = network()
    board = nn.TensorBoard(tmp_path / "logs", histogram_freq=1, gradient_data=(np.ones((2, 5)), [0, 1]))
    with unchanged(model), pytest.raises(ValueError, match="X has 5 features but the network expects 3"):
        model.fit(**data, callbacks=board)
    assert not (tmp_path / "logs").exists()


def test_without_tensorboardx_the_cure_is_named(
    data: dict[str, Any], tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = builtins.__import__

    def refuse(name: str, *rest: Any) -> Any:
        if name.startswith("tensorboardX"):
            raise ImportError(name)
        return original(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    model = network()
    with unchanged(model), pytest.raises(ImportError, match=r'pip install "nnext-learn\[tensorboard\]"'):
        model.fit(**data, callbacks=nn.TensorBoard(tmp_path))
