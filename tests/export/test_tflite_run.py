"""TFLite graphs in a run and in a bundle; the graphs are those of tflite_run.py."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tflite_run import CHUNK_FRAMES, TENSORWISE, unpack_run

pytest.importorskip("torch", reason="needs torch (the extra train)")
pytest.importorskip("onnx", reason="needs onnx (the extra export)")
schema = pytest.importorskip("ai_edge_litert.schema_py_generated", reason="needs ai-edge-litert")
flatbuffers = pytest.importorskip("flatbuffers", reason="needs ai-edge-litert")

from benchmarks.graphs import measure  # noqa: E402
from edge_asr.acoustic import create_engine, litert  # noqa: E402
from edge_asr.acoustic.chunking import AcousticModel  # noqa: E402
from edge_asr.acoustic.litert import LitertEngine  # noqa: E402
from edge_asr.bundle import MODEL_JSON, SEAL, Bundle  # noqa: E402
from edge_asr.decoder.grammar.sentences import sentences_network  # noqa: E402
from edge_asr.errors import BundleError, UsageError  # noqa: E402
from edge_asr.recognizer import Recognizer  # noqa: E402
from export.__main__ import main  # noqa: E402
from export.forms import of_run  # noqa: E402
from export.net.engine import whole_file  # noqa: E402
from export.rundir import GRAPH, INT8_GRAPH, INT8_TFLITE, TFLITE, RunDir  # noqa: E402
from export.verify import verify  # noqa: E402


@pytest.fixture(scope="module")
def sound_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Do not write into it."""
    run = unpack_run(tmp_path_factory.mktemp("tflite-run"))
    assert main(["convert", str(run), "--chunk-frames", str(CHUNK_FRAMES)]) == 0
    return run


@pytest.fixture
def run(sound_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound_run, tmp_path / "run"))


def _disagreeing(path: Path, features: list[np.ndarray]) -> list[str]:
    rows = verify(of_run(RunDir.load(path)), features).rows
    return [row.form.split(",")[0] for row in rows if not row.agrees]


def test_all_forms_of_a_sound_run_agree(sound_run: Path, tone_features: list[np.ndarray]) -> None:
    rows = verify(of_run(RunDir.load(sound_run)), tone_features).rows
    found = {row.form.split(",")[0]: row.difference for row in rows}
    assert found.keys() == {"torch", GRAPH, INT8_GRAPH, TFLITE, INT8_TFLITE}
    assert all(row.agrees for row in rows)
    exact, rounded = found[TFLITE], found[INT8_TFLITE]
    assert exact and rounded and rounded.mean_log_prob > 100 * exact.mean_log_prob > 0


def _edit(path: Path, change: Callable[[Any], None]) -> None:
    """Rewrite a file after ``change(model)`` has changed it in place."""
    model = schema.ModelT.InitFromPackedBuf(bytearray(path.read_bytes()), 0)
    change(model)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(bytes(builder.Output()))


def _scale_by_the_first(model: Any) -> None:
    """What tflite-runtime makes of a product with a scale for each channel."""
    for tensor in model.subgraphs[0].tensors:
        if tensor.type == schema.TensorType.INT8:
            scales = tensor.quantization.scale
            tensor.quantization.scale = np.full_like(scales, scales[0])


def test_one_scale_a_tensor_everywhere_is_refused(run: Path, tone_features: list[np.ndarray]) -> None:
    """It loaded and ran, and answered something else from one machine to the next."""
    shutil.copy(run / TENSORWISE, run / INT8_TFLITE)
    with pytest.raises(BundleError, match="DEPTHWISE_CONV_2D with 1 scale for 8 channels"):
        verify(of_run(RunDir.load(run)), tone_features)


def test_one_scale_a_tensor_everywhere_fails_the_limits(
    run: Path, tone_features: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were it not refused: the scales that are read behind the only one are zero here, whatever lay there."""
    monkeypatch.setattr(litert, "refuse_garbage", lambda *graph: None)

    def pad(model: Any) -> None:
        (depthwise,) = (
            tensor
            for tensor in model.subgraphs[0].tensors
            if tensor.shape is not None and len(tensor.shape) == 4 and tensor.type == schema.TensorType.INT8
        )
        channels = depthwise.shape[-1]
        depthwise.quantization.scale = np.append(
            depthwise.quantization.scale, np.zeros(channels - 1, np.float32)
        )
        depthwise.quantization.zeroPoint = np.zeros(channels, np.int64)
        depthwise.quantization.quantizedDimension = 3

    shutil.copy(run / TENSORWISE, run / INT8_TFLITE)
    _edit(run / INT8_TFLITE, pad)
    assert _disagreeing(run, tone_features) == [INT8_TFLITE]


def test_garbage_as_of_the_old_runtime_is_caught(run: Path, tone_features: list[np.ndarray]) -> None:
    _edit(run / INT8_TFLITE, _scale_by_the_first)
    assert _disagreeing(run, tone_features) == [INT8_TFLITE]


@pytest.mark.parametrize("graph", [TFLITE, INT8_TFLITE])
@pytest.mark.parametrize("side", ["inputs", "outputs"])
def test_swapped_states_are_caught(run: Path, tone_features: list[np.ndarray], graph: str, side: str) -> None:
    """Two states of one shape: it loads and runs."""
    names = {b"keys_in": b"values_in", b"keys_out": b"values_out"}
    names |= {value: key for key, value in names.items()}

    def swap(model: Any) -> None:
        entries = [entry for entry in getattr(model.signatureDefs[0], side) if entry.name in names]
        assert len(entries) == 2
        for entry in entries:
            entry.name = names[entry.name]

    _edit(run / graph, swap)
    assert _disagreeing(run, tone_features) == [graph]


def test_all_graphs_take_turns_at_their_steps(sound_run: Path) -> None:
    report = measure(RunDir.load(sound_run), steps=5)
    assert report["chunk_frames"] == CHUNK_FRAMES
    assert report["graphs"].keys() == {GRAPH, INT8_GRAPH, TFLITE, INT8_TFLITE}
    assert all(form["step_ms"] > 0 and form["bytes"] > 0 for form in report["graphs"].values())


def test_graphs_that_are_not_there_name_the_command(sound_run: Path, tmp_path: Path) -> None:
    shutil.copy(sound_run / "model.pt", tmp_path)
    with pytest.raises(UsageError, match="python -m export convert --to tflite"):
        RunDir.load(tmp_path).engine(INT8_TFLITE)


def _pack(run: Path, out: Path, *more: str) -> int:
    (out / "lexicon.txt").write_text("bat B AA T\nkey K IY\n")
    words = ["--lexicon", str(out / "lexicon.txt"), "--name", "tiny-1", "--out", str(out)]
    return main(["pack", str(run), *words, *more])


def _answer(engine: Any, bundle: Bundle) -> np.ndarray:
    model, features = AcousticModel(engine, bundle.config.acoustic), bundle.golden()["features"]
    return np.concatenate([model.push(features), model.flush()])


def test_a_bundle_with_both_graphs_runs_on_both_engines(sound_run: Path, tmp_path: Path) -> None:
    assert _pack(sound_run, tmp_path, "--tflite") == 0
    bundle = Bundle.load(tmp_path / "tiny-1")
    assert bundle.config.acoustic.tflite == INT8_TFLITE
    engine = create_engine("litert", bundle)
    assert isinstance(engine, LitertEngine)
    golden = bundle.golden()
    expected = whole_file(RunDir.load(sound_run).network, golden["features"])
    np.testing.assert_allclose(np.exp(_answer(engine, bundle)), np.exp(expected), atol=0.1)
    np.testing.assert_allclose(_answer(create_engine("onnx", bundle), bundle), golden["log_probs"], atol=1e-5)
    recognizer = Recognizer.load(tmp_path / "tiny-1", engine="litert")
    stream = recognizer.stream(graph=recognizer.compile([sentences_network(["bat", "key"], "words")]))
    stream.accept_waveform(golden["samples"])
    assert len(stream.finish()) == 1
    card = (tmp_path / "tiny-1" / "CARD.md").read_text()
    for text in (f"| {INT8_TFLITE} |", "int8 TFLite beside float32", "--to tflite", "pack runs/tiny"):
        assert text in card
    assert "--tflite" in card


def test_a_bundle_without_says_how_to_get_one(sound_run: Path, tmp_path: Path) -> None:
    assert _pack(sound_run, tmp_path) == 0
    bundle = Bundle.load(tmp_path / "tiny-1")
    assert bundle.config.acoustic.tflite is None
    assert "TFLite" not in (tmp_path / "tiny-1" / "CARD.md").read_text()
    with pytest.raises(BundleError, match=r"acoustic.tflite.* convert --to tflite.* export add-tflite"):
        create_engine("litert", bundle)


def test_a_graph_is_added_to_a_bundle(sound_run: Path, tmp_path: Path) -> None:
    _pack(sound_run, tmp_path)
    before = Bundle.load(tmp_path / "tiny-1")
    add = ["add-tflite", str(tmp_path / "tiny-1"), str(sound_run / INT8_TFLITE), "--out"]
    assert main([*add, str(tmp_path / "both")]) == 0
    after = Bundle.load(tmp_path / "both")
    changed = {name for name, value in after.config.files.items() if before.config.files.get(name) != value}
    assert changed == {INT8_TFLITE, "CARD.md"} and before.config.files.keys() < after.config.files.keys()
    assert create_engine("litert", after)
    card = (tmp_path / "both" / "CARD.md").read_text()
    # Again and in place: the same bundle.
    assert (
        main(
            [
                "add-tflite",
                str(tmp_path / "both"),
                str(sound_run / INT8_TFLITE),
                "--out",
                str(tmp_path / "both"),
            ]
        )
        == 0
    )
    assert Bundle.load(tmp_path / "both") == after
    assert (tmp_path / "both" / "CARD.md").read_text() == card and card.count("## TFLite graph") == 1


@pytest.mark.parametrize("command", ["pack", "add-tflite"])
def test_a_graph_that_answers_something_else_is_not_shipped(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    def thrice(model: Any) -> None:
        for tensor in model.subgraphs[0].tensors:
            if tensor.type == schema.TensorType.INT8:
                tensor.quantization.scale = 3 * tensor.quantization.scale

    _edit(run / INT8_TFLITE, thrice)
    _pack(run, tmp_path)
    graph, out = str(run / INT8_TFLITE), str(tmp_path / "both")
    if command == "pack":
        code = _pack(run, tmp_path, "--tflite")
    else:
        code = main(["add-tflite", str(tmp_path / "tiny-1"), graph, "--out", out])
    assert code == BundleError.exit_code
    assert f"{INT8_TFLITE}: lies too far from the float graph" in capsys.readouterr().err
    assert Bundle.load(tmp_path / "tiny-1").config.acoustic.tflite is None
    assert not (tmp_path / "both").exists()


def test_a_graph_for_other_chunks_is_not_shipped(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _pack(run, tmp_path)
    path = tmp_path / "tiny-1" / MODEL_JSON
    values = json.loads(path.read_text())
    values["acoustic"]["chunk_frames"] = 12
    path.write_text(json.dumps(values))
    (tmp_path / "tiny-1" / SEAL).unlink()
    bundle = str(tmp_path / "tiny-1")
    code = main(["add-tflite", bundle, str(run / INT8_TFLITE), "--out", str(tmp_path / "both")])
    assert code == BundleError.exit_code
    assert (
        "'features' should be tensor(float) of shape (12, 13), is tensor(float) of (6, 13)"
        in capsys.readouterr().err
    )


def test_a_file_that_is_not_there_names_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["add-tflite", "en-tiny", "absent.tflite", "--out", str(tmp_path)]) == UsageError.exit_code
    assert "convert --to tflite" in capsys.readouterr().err


def test_a_bundle_that_names_a_file_it_lacks_is_refused(sound_run: Path, tmp_path: Path) -> None:
    _pack(sound_run, tmp_path)
    path = tmp_path / "tiny-1" / MODEL_JSON
    values = json.loads(path.read_text())
    values["acoustic"]["tflite"] = INT8_TFLITE
    path.write_text(json.dumps(values))
    (tmp_path / "tiny-1" / SEAL).unlink()
    with pytest.raises(BundleError, match=f"has no file '{INT8_TFLITE}'"):
        Bundle.load(tmp_path / "tiny-1")
