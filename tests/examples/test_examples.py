"""Every example runs, in its short form, and does what its text says."""

import importlib.util
import os
import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import nnext as nn

FOLDER = Path(__file__).parents[2] / "examples"
TESTED = (
    "01_one_neuron",
    "02_xor",
    "03_single_layer",
    "04_tabular",
    "05_mnist",
    "06_custom_training_loop",
    "07_images",
    "08_pictures",
    "09_tables",
    "10_regularized",
    "11_rows_of_digits",
    "12_characters",
    "13_forecasts",
    "14_adding_problem",
)


def example(name: str) -> ModuleType:
    """Import an example; its name begins with a digit, so ``import`` cannot."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_each_example_has_a_test_here_and_says_how_to_run_it() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.py")) == list(TESTED)
    for name in TESTED:
        assert f"python examples/{name}.py" in (FOLDER / f"{name}.py").read_text(encoding="utf-8")


def test_one_neuron_finds_the_rule_and_its_gradients_by_hand_are_right(capsys: pytest.CaptureFixture[str]) -> None:
    weight, bias = example("01_one_neuron").main(short=True)
    out = capsys.readouterr().out
    by_library, by_hand = zip(*re.findall(r"(-?[\d.]+)   by hand +(-?[\d.]+)", out), strict=True)
    assert len(by_hand) == 3
    assert by_library == by_hand
    assert weight / 10 == pytest.approx(1.8, abs=1e-3)
    assert bias == pytest.approx(32, abs=1e-3)
    assert "212.0" in out


def test_xor_is_solved(capsys: pytest.CaptureFixture[str]) -> None:
    predictions = example("02_xor").main(short=True)
    assert predictions.round().tolist() == [0, 1, 1, 0]
    assert abs(predictions - [0, 1, 1, 0]).max() < 0.1
    assert "0 xor 1 = 1   the network says 0.9" in capsys.readouterr().out


def test_xor_gets_stuck_with_the_seed_that_the_text_names() -> None:
    module = example("02_xor")
    seed = int(re.search(r"main\(seed=(\d+)\) gets stuck", module.__doc__ or "")[1])  # type: ignore[index]
    assert module.main(seed=seed).round().tolist() != [0, 1, 1, 0]


def test_a_single_layer_ends_with_the_weights_found_by_hand_and_trusts_input_0() -> None:
    weights, by_hand = example("03_single_layer").main(short=True)
    # 500 steps, each adding a few roundings of 2^-53 to weights of size 10; descent does not amplify them.
    np.testing.assert_allclose(weights, by_hand, rtol=1e-11)
    assert weights[0] > 5
    assert abs(weights[1]) < 1


def test_the_table_is_learned_and_each_epoch_shows_loss_and_accuracy(capsys: pytest.CaptureFixture[str]) -> None:
    result = example("04_tabular").main(short=True)
    assert result["accuracy"] > 0.9
    lines = re.findall(
        r"^epoch .* loss \d.* accuracy \d.* val_loss \d.* val_accuracy \d", capsys.readouterr().out, re.M
    )
    assert len(lines) == 20


def test_mnist_is_read_from_a_folder_and_learned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    module = example("05_mnist")
    if os.environ.get("NNEXT_DATA"):
        # 0.94 after one epoch is what 784-128-10 gives, whatever the seed, to within 0.01.
        assert module.main(["--epochs", "1"]) > 0.92
    else:
        write_striped_digits(tmp_path)
        model = tmp_path / "m.safetensors"
        assert module.main(["--folder", str(tmp_path), "--epochs", "5", "--save", str(model)]) > 0.95
        assert model.is_file()
    out = capsys.readouterr().out
    assert re.search(r"^test accuracy 0\.\d{4}|^test accuracy 1\.0", out, re.M)
    assert "hardest is test image" in out


def test_images_go_through_convolutions_and_an_inception_block(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_striped_digits(tmp_path)
    for network in ("lenet", "inception"):
        arguments = ["--folder", str(tmp_path), "--epochs", "3", "--network", network]
        assert example("07_images").main(arguments) > 0.95
    assert "after 3 epochs" in capsys.readouterr().out


def test_a_regularized_network_learns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_striped_digits(tmp_path)
    assert example("10_regularized").main(["--folder", str(tmp_path), "--epochs", "4", "--seeds", "2"]) > 0.95
    assert re.search(r"^seed 1: .*\nmean of 2: \d", capsys.readouterr().out, re.M)


def test_networks_know_more_of_tables_than_weighted_sums(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, arguments = os.environ.get("NNEXT_TABLES"), []
    if not folder:
        folder, arguments = write_bent_tables(tmp_path), ["--epochs", "60"]
    found = example("09_tables").main(["--folder", folder, *arguments])
    assert len(found) == len(re.findall(r"^[\w-]+\.csv .* \d", capsys.readouterr().out, re.M)) == 3
    for plain, network in found.values():
        assert network > max(plain, 0.3)


def test_the_weighted_sum_of_tables_is_scikit_learns(tmp_path: Path) -> None:
    linear = pytest.importorskip("sklearn.linear_model", reason="scikit-learn is not installed; this compares with it")
    module, path = example("09_tables"), Path(write_bent_tables(tmp_path)) / "housing.csv"
    *columns, last = module.read_columns(path)
    y = np.array(last, dtype=float)
    rows = nn.datasets.train_test_split(np.arange(len(y)), y, test_size=0.25, stratify=False, seed=0)
    X = np.hstack([module.encoded(column, rows[0]) for column in columns])
    assert abs(X[rows[0]].mean(axis=0)).max() < 1e-12
    np.testing.assert_allclose(X[rows[0]].std(axis=0), 1, rtol=1e-12)
    expected = linear.LinearRegression().fit(X[rows[0]], y[rows[0]]).score(X[rows[1]], y[rows[1]])
    assert module.compare(path, epochs=1)[0] == pytest.approx(expected, rel=1e-9)


def write_bent_tables(folder: Path) -> str:
    """Write three small tables whose last column is no weighted sum, with words, spaces, quotes and missing cells."""
    random = np.random.default_rng(0)
    for name in ("abalone", "winequality-white", "housing"):
        numbers, words = random.uniform(-1, 1, size=(400, 2)), random.choice(["M", "F", "I"], size=400)
        y = np.where(words == "I", 3.0, numbers[:, 0]) + 4 * numbers[:, 1] ** 2
        cells = [[f'"{word}"', f" {a:.4f}", f"{b:.4f}"] for word, (a, b) in zip(words, numbers, strict=True)]
        cells[7][1], cells[9][1] = "?", ""
        lines = [",".join([*row, f"{value:.4f}"]) for row, value in zip(cells, y, strict=True)]
        (folder / f"{name}.csv").write_text("\r\n".join(lines) + "\r\n\r\n", encoding="utf-8-sig")
    return str(folder)


def write_striped_digits(folder: Path) -> None:
    """Write four small IDX files in MNIST's form: digit d is a bright stripe at row 2 d + 4 in noise."""
    random = np.random.default_rng(0)
    for part, n in (("train", 2000), ("t10k", 300)):
        labels = random.integers(10, size=n, dtype=np.uint8)
        images = random.integers(100, size=(n, 28, 28), dtype=np.uint8)
        images[np.arange(n), 2 * labels + 4] += 100
        header = bytes([0, 0, 8, 3]) + b"".join(size.to_bytes(4, "big") for size in images.shape)
        (folder / f"{part}-images-idx3-ubyte").write_bytes(header + images.tobytes())
        header = bytes([0, 0, 8, 1]) + n.to_bytes(4, "big")
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(header + labels.tobytes())


def test_the_own_loop_and_fit_put_nine_points_of_ten_below_the_curve() -> None:
    result = example("06_custom_training_loop").main(short=True)
    # The share of 1000 points has a standard deviation of 0.01 around 0.9; the last steps are small.
    assert result["share below the curve"] == pytest.approx(0.9, abs=0.03)
    assert result["share below the curve of fit"] == pytest.approx(0.9, abs=0.03)
    assert result["mse"] < 0.6  # always saying the mean gives 0.82


def test_the_pinball_loss_and_its_gradient_belong_together() -> None:
    pinball = example("06_custom_training_loop").pinball
    y, y_pred = np.array([[1.0], [2.0]]), np.array([[0.5], [2.5]])
    loss, gradient = pinball(y_pred, y)
    assert loss == pytest.approx((0.9 * 0.5 + 0.1 * 0.5) / 2)
    step = 1e-6  # exact up to rounding: the loss is linear there
    for i in range(2):
        moved = y_pred.copy()
        moved[i] += step
        assert (pinball(moved, y)[0] - loss) / step == pytest.approx(gradient[i, 0], abs=1e-9)


def test_the_pictures_are_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed, which draws the pictures")
    out = tmp_path / "pictures.png"
    saliency = example("08_pictures").main(["--epochs", "3", "--out", str(out)])
    assert out.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert saliency.shape == (8, 8)
    assert (saliency >= 0).all()
    assert saliency.any()


def test_gates_carry_a_number_over_thirty_steps_and_a_plain_state_does_not(capsys: pytest.CaptureFixture[str]) -> None:
    errors = example("14_adding_problem").main(["--steps", "30", "--updates", "1000"])
    assert errors["GRU"] < 0.01
    assert errors["LSTM"] < 0.01
    assert errors["RNN"] > 0.05  # 1/6 is that of who always says the mean
    assert re.search(r"^GRU: .* after \d+ updates", capsys.readouterr().out, re.M)


def test_the_answer_of_the_adding_problem_is_the_sum_of_two_marked_numbers() -> None:
    X, y = example("14_adding_problem").samples(50, 9, np.random.default_rng(0))
    assert X.shape == (50, 9, 2)
    assert (X[:, :4, 1].sum(axis=1) == 1).all()
    assert (X[:, 4:, 1].sum(axis=1) == 1).all()
    np.testing.assert_allclose((X[:, :, 0] * X[:, :, 1]).sum(axis=1), y, rtol=1e-6)


def test_digits_are_read_row_by_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    module = example("11_rows_of_digits")
    assert module.main(["--short", "--epochs", "14"]) > 0.9
    write_striped_digits(tmp_path)
    assert module.main(["--folder", str(tmp_path), "--layer", "GRU", "--epochs", "6"]) > 0.95
    out = capsys.readouterr().out
    assert "each a sequence of 8 steps with 8 features" in out
    assert re.search(r"^  28 rows: \d, +\d+% sure$", out, re.M)


def test_a_network_learns_to_write_and_to_hesitate_less(capsys: pytest.CaptureFixture[str]) -> None:
    perplexity, writing = example("12_characters").main(["--short", "--epochs", "3", "--length", "60"])
    plain = float(re.search(r"([\d.]+) is that of who knows only", capsys.readouterr().out)[1])  # type: ignore[index]
    assert perplexity < 0.7 * plain
    assert writing.startswith("The ")
    assert len(writing) == 64


def test_windows_of_a_text_are_followed_by_their_own_next_characters() -> None:
    X, y = example("12_characters").windows(np.arange(250))
    assert X.tolist() == [list(range(100)), list(range(100, 200))]
    assert y.tolist() == (X + 1).tolist()


def test_cold_writing_takes_what_is_most_probable() -> None:
    model = nn.Sequential(nn.Embedding(3, 3), nn.Linear(3, 3, bias=False))
    follows = np.roll(np.eye(3), 1, axis=1)  # 0 1 2 0 1 2
    model.load_state_dict({"0.weight": np.eye(3), "1.weight": follows.T})
    written = example("12_characters").sample(model, np.array([1]), 5, 0.01, np.random.default_rng(0))
    assert written.tolist() == [1, 2, 0, 1, 2, 0]


def test_forecasts_are_better_than_naive_ones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = os.environ.get("NNEXT_TABLES") or write_cycles(tmp_path)
    errors = example("13_forecasts").main(["--folder", folder])
    assert len(errors) == len(re.findall(r"^network +\d", capsys.readouterr().out, re.M)) == 2
    for off in errors.values():
        assert off["network"] < 0.9 * min(off["last value"], off["a season before"])


def test_forecasts_are_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed, which draws the pictures")
    out = tmp_path / "forecasts.png"
    example("13_forecasts").main(["--folder", write_cycles(tmp_path), "--layer", "LSTM", "--plot", str(out)])
    assert out.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_what_naive_forecasts_say_of_numbers_in_a_row() -> None:
    module, numbers = example("13_forecasts"), np.arange(60.0)
    task = module.Task("", 6, 2, 8, 4, False, 1, lambda x: x, lambda x: x)
    truth, forecasts = module.compare(task, numbers, "GRU", seed=0)
    assert truth.tolist() == [[i, i + 1] for i in range(52, 59)]
    assert forecasts["last value"].tolist() == [[i - 1, i - 1] for i in range(52, 59)]
    assert forecasts["a season before"].tolist() == [[i - 4, i - 3] for i in range(52, 59)]
    assert forecasts["season and change"].tolist() == truth.tolist()


def write_cycles(folder: Path) -> str:
    """Write a series that grows with the seasons, and one of cycles that differ in length and height."""
    random, months = np.random.default_rng(0), np.arange(144)
    growing = np.exp(5 + 0.01 * months + 0.2 * np.sin(months * np.pi / 6) + random.normal(0, 0.02, size=144))
    cycles = [random.uniform(50, 150) * np.sin(np.linspace(0, np.pi, random.integers(100, 150))) for _ in range(11)]
    for name, series in (("airline-passengers", growing), ("monthly-sunspots", np.concatenate(cycles))):
        lines = [f'"{i // 12:04d}-{i % 12 + 1:02d}",{value:.1f}' for i, value in enumerate(series)]
        (folder / f"{name}.csv").write_text("\n".join(['"Month","Number"', *lines, ""]), encoding="utf-8")
    return str(folder)
