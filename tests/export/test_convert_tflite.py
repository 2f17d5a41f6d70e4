"""Conversion, where its environment is (``python -m export tflite-env``), and its errors everywhere."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch (the extra train)")
pytest.importorskip("onnx", reason="needs onnx (the extra export)")
pytest.importorskip("ai_edge_litert", reason="needs ai-edge-litert (the extra litert)")

from test_networks import OUTPUTS, TINY  # noqa: E402

from edge_asr.acoustic.chunking import AcousticModel  # noqa: E402
from edge_asr.acoustic.tflite_file import FLOAT32, FULLY_CONNECTED, INT8, TfliteFile  # noqa: E402
from edge_asr.errors import EdgeAsrError, UsageError  # noqa: E402
from export.__main__ import main  # noqa: E402
from export.checkpoint import save_checkpoint  # noqa: E402
from export.convert import environment, tflite  # noqa: E402
from export.net import NETWORKS, create_network  # noqa: E402
from export.net.engine import whole_file  # noqa: E402
from export.rundir import INT8_TFLITE, TFLITE, RunDir  # noqa: E402

HERE = Path(__file__).resolve().parents[2] / environment.ENVIRONMENT
needs_environment = pytest.mark.skipif(
    not HERE.is_dir(), reason="needs the environment that python -m export tflite-env makes"
)
BINS = 13


def _run_dir(name: str, folder: Path, make_checkpoint: Callable[..., Any]) -> RunDir:
    torch.manual_seed(3)
    options = {**TINY[name], "channels": 6, "lookahead_frames": 10, "bins": BINS, "outputs": OUTPUTS}
    network: Any = create_network(name, options)
    with torch.no_grad():
        for weights in network.parameters():
            weights.add_(0.1 * torch.randn_like(weights))
    tokens = ("<blk>", "AA", "B", "K")
    save_checkpoint(
        folder / "model.pt",
        make_checkpoint(network.state_dict(), network=name, config=options, tokens=tokens),
    )
    return RunDir.load(folder)


def _streamed(run_dir: RunDir, graph: str, features: np.ndarray) -> np.ndarray:
    model = AcousticModel(*run_dir.engine(graph))
    return np.concatenate([model.push(features), model.flush()])


def _products(graph: Path) -> list[tuple[str, int, int]]:
    """Name, type of the weights and their scales, of each product."""
    return [
        (o.outputs[0].name, o.inputs[1].type, o.inputs[1].scales)
        for o in TfliteFile.read(graph).operators
        if o.code == FULLY_CONNECTED
    ]


@needs_environment
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_the_graphs_say_what_the_file_says(
    name: str, tmp_path: Path, tiny_checkpoint: Callable[..., Any]
) -> None:
    run_dir = _run_dir(name, tmp_path, tiny_checkpoint)
    assert main(["convert", "--to", "tflite", str(tmp_path), "--environment", str(HERE)]) == 0
    features = np.random.default_rng(0).normal(size=(50, BINS)).astype(np.float32)
    expected = whole_file(run_dir.network, features)
    np.testing.assert_allclose(_streamed(run_dir, TFLITE, features), expected, atol=1e-5)
    small = _streamed(run_dir, INT8_TFLITE, features)
    assert not np.array_equal(small, expected)
    np.testing.assert_allclose(np.exp(small), np.exp(expected), atol=0.15)
    products = _products(tmp_path / INT8_TFLITE)
    kept = [product for product in products if "Linear_first" in product[0] or "Linear_second" in product[0]]
    assert len(kept) == 2 and {kind for _, kind, _ in kept} == {FLOAT32}
    rest = [product for product in products if product not in kept]
    assert {kind for _, kind, _ in rest} == {INT8} and min(scales for _, _, scales in rest) > 1
    assert not (tmp_path / INT8_TFLITE).stat().st_mode & 0o111


@needs_environment
@pytest.mark.timeout(900)
def test_one_scale_a_tensor_and_nothing_kept(tmp_path: Path, tiny_checkpoint: Callable[..., Any]) -> None:
    _run_dir("tdnnf", tmp_path, tiny_checkpoint)
    flags = ["--granularity", "tensor", "--keep-float", "--environment", str(HERE), "--chunk-frames", "6"]
    assert main(["convert", "--to", "tflite", str(tmp_path), *flags]) == 0
    assert {(kind, scales) for _, kind, scales in _products(tmp_path / INT8_TFLITE)} == {(INT8, 1)}
    (inputs,) = (s.inputs for s in TfliteFile.read(tmp_path / TFLITE).signatures.values())
    assert inputs["features"].shape == (6, BINS)


@needs_environment
@pytest.mark.timeout(900)
def test_a_module_without_a_product_cannot_stay(
    tmp_path: Path, tiny_checkpoint: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    _run_dir("tdnn", tmp_path, tiny_checkpoint)
    flags = ["--keep-float", "first", "front_norm", "--environment", str(HERE)]
    assert main(["convert", "--to", "tflite", str(tmp_path), *flags]) == EdgeAsrError.exit_code
    assert "no product of the module 'front_norm'" in capsys.readouterr().err


def test_without_the_environment_the_command_is_named(
    converted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["convert", "--to", "tflite", str(converted)]) == UsageError.exit_code
    assert capsys.readouterr().err.endswith("minutes): python -m export tflite-env\n")
    assert main(["convert", "--to", "tflite", str(converted), "--environment", "x"]) == UsageError.exit_code
    assert capsys.readouterr().err.endswith("python -m export tflite-env x\n")


def test_an_environment_of_other_versions_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Made by the command, with nothing installed."""
    installed = _pip_that(
        monkeypatch, ["Collecting torch\n", "  Downloading torch-2.13.0-cp311.whl (178.9 MB)\n"]
    )
    assert main(["tflite-env", str(tmp_path / "env")]) == 0
    assert [word for word in installed[0] if word in environment.NEEDED] == list(environment.NEEDED)
    assert str(environment.PINS) in installed[0]
    head, large, ready = capsys.readouterr().out.splitlines()
    assert "installing torch" in head and large == "  torch 2.13.0, 178.9 MB"
    assert ready.endswith(f"--to tflite RUN_DIR --environment {tmp_path / 'env'}")
    assert environment.interpreter(tmp_path / "env") == tmp_path / "env" / "bin" / "python"
    pins = tmp_path / "pins.txt"
    pins.write_text("torch==9.9\n")
    monkeypatch.setattr(environment, "PINS", pins)
    with pytest.raises(UsageError, match=r"other versions than pins\.txt"):
        environment.interpreter(tmp_path / "env")


def _pip_that(monkeypatch: pytest.MonkeyPatch, says: list[str], status: int = 0) -> list[list[str]]:
    """Stands in for venv and pip; the commands that it was run with."""
    commands: list[list[str]] = []

    class Pip:
        stdout = says
        returncode = status

        def __init__(self, command: list[str], **options: Any) -> None:
            commands.append(command)

        def __enter__(self) -> Pip:
            return self

        def __exit__(self, *error: object) -> None:
            return None

    monkeypatch.setattr(environment.subprocess, "Popen", Pip)
    monkeypatch.setattr(environment.venv, "create", lambda path, with_pip: path.mkdir())
    return commands


def test_an_installation_that_broke_off_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _pip_that(monkeypatch, [], status=1)
    assert main(["tflite-env", str(tmp_path / "env")]) == EdgeAsrError.exit_code
    with pytest.raises(UsageError, match="make it"):
        environment.interpreter(tmp_path / "env")


def test_a_python_without_venv_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def create(path: Path, with_pip: bool) -> None:
        raise subprocess.CalledProcessError(1, ["python", "-m", "ensurepip"])

    monkeypatch.setattr(environment.venv, "create", create)
    assert main(["tflite-env", str(tmp_path / "env")]) == EdgeAsrError.exit_code
    assert "apt install python3-venv" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "  Downloading torch-2.13.0%2Bcpu-cp311-cp311-linux_x86_64.whl (178.9 MB)\n",
            "torch 2.13.0+cpu, 178.9 MB",
        ),
        (
            "  Using cached https://x/y/jaxlib-0.10.2-cp311-manylinux.whl (84.1 MB)\n",
            "jaxlib 0.10.2, 84.1 MB",
        ),
        ("  Downloading nvidia_cublas-13.1-py3-none-any.whl (1.1 GB)\n", "nvidia_cublas 13.1, 1.1 GB"),
        ("  Downloading tqdm-4.70.1-py3-none-any.whl (78 kB)\n", None),
        ("  Downloading torch-2.13.0-cp311.whl.metadata (29 kB)\n", None),
        ("Collecting torch==2.13.0\n", None),
        ("Installing collected packages: mpmath, tqdm, torch\n", "unpacking 3 packages"),
    ],
)
def test_who_waits_for_pip_hears_of_what_is_large(line: str, said: str | None) -> None:
    assert environment.progress(line) == said


def test_no_other_directory_is_removed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("")
    assert main(["tflite-env", str(tmp_path)]) == UsageError.exit_code
    assert (tmp_path / "precious").is_file()


def test_all_that_is_asked_for_is_pinned() -> None:
    pinned = {line.partition("==")[0].lower() for line in environment.PINS.read_text().splitlines()}
    assert pinned >= {*environment.NEEDED, "ai-edge-litert", "torchao"}


def test_what_is_to_stay_in_float_must_be_there(converted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--to", "tflite", "--keep-float", "first", "third"]
    assert main(["convert", str(converted), *flags]) == UsageError.exit_code
    assert "no module 'third'; it has first, " in capsys.readouterr().err


def test_a_conversion_that_fails_shows_why(
    converted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho cannot lower aten.wings\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setattr(tflite, "interpreter", lambda directory: program)
    assert main(["convert", "--to", "tflite", str(converted)]) == EdgeAsrError.exit_code
    err = capsys.readouterr().err
    assert "aten.wings" in err and "failed, see above" in err
