"""``python -m export verify BUNDLE`` on a real trained model: sound files pass, broken ones are caught.

Every breakage loads and runs and has the right shapes; it is made by editing the packaged model's graph.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

pytest.importorskip("onnx", reason="needs onnx (the extra export)")
pytest.importorskip("torch", reason="needs torch (the extra train)")

import onnx

import edge_asr
from edge_asr.acoustic import ENGINES
from edge_asr.arrays import Float32Array
from edge_asr.audio.file import read_audio
from edge_asr.bundle import MODEL_JSON, SEAL, Bundle
from edge_asr.errors import MissingExtraError, UsageError
from edge_asr.recognizer import Recognizer
from export import forms
from export.__main__ import main
from export.checkpoint import MODEL_FILE, Checkpoint, save_checkpoint
from export.corpus import Utterance
from export.forms import RECIPES, of_bundle
from export.hearing import Allowance, Heard, Hearing
from export.unpack import unpack
from export.verify import features_of, golden_row, stream, verify

MODEL = "en-tiny"
SAMPLE = Path(edge_asr.__file__).parent / "samples" / "living-room-lights.flac"
SAID = "turn on the lights in the living room"
Break = Callable[[Any], None]


def _voices() -> list[Float32Array]:
    """The packaged recording, and the same spoken slower and by a higher voice."""
    samples = read_audio(SAMPLE)
    at = np.arange(samples.size)
    faster, slower = (np.interp(np.arange(0, samples.size - 1, step), at, samples) for step in (1.1, 0.92))
    return [samples, faster.astype(np.float32), slower.astype(np.float32)]


@pytest.fixture(scope="module")
def sound() -> Checkpoint:
    """The packaged model's network: what every broken file is held against."""
    return unpack(Bundle.load(MODEL), RECIPES / f"{MODEL}.toml")


@pytest.fixture(scope="module")
def recordings(sound: Checkpoint) -> list[Float32Array]:
    return [features_of(samples, sound.front_end) for samples in _voices()]


def _spoiled(folder: Path, spoil: Break) -> Bundle:
    """A copy of the packaged bundle whose graph was changed, and whose hashes say that this is right."""
    shutil.copytree(Bundle.load(MODEL).directory, folder)
    values = json.loads((folder / MODEL_JSON).read_bytes())
    path = folder / values["acoustic"]["graph"]
    model = onnx.load(path)
    spoil(model)
    onnx.save(model, path)
    values["files"][path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / MODEL_JSON).write_text(json.dumps(values))
    (folder / SEAL).unlink()
    return Bundle.load(folder)


def _products(model: Any) -> list[str]:
    """Names of the int8 weights, in the order of the graph: the second layer, the blocks', the last."""
    return [node.input[1] for node in model.graph.node if node.op_type == "MatMulInteger"]


def _front(model: Any) -> str:
    """Name of the one product that is left in float."""
    stored = {tensor.name for tensor in model.graph.initializer}
    return next(n.input[1] for n in model.graph.node if n.op_type == "MatMul" and n.input[1] in stored)


def _change(model: Any, name: str, change: Callable[[np.ndarray], np.ndarray]) -> None:
    tensor = next(t for t in model.graph.initializer if t.name == name)
    changed = np.ascontiguousarray(change(onnx.numpy_helper.to_array(tensor)))
    tensor.CopyFrom(onnx.numpy_helper.from_array(changed, name))


def _zero(layer: int) -> Break:
    return lambda model: _change(model, _products(model)[layer], np.zeros_like)


def _transpose(layer: int) -> Break:
    return lambda model: _change(model, _products(model)[layer], lambda w: w.T.reshape(w.shape))


def _double_scale(layer: int) -> Break:
    def spoil(model: Any) -> None:
        scale = _products(model)[layer].replace("_quantized", "_scale")
        _change(model, scale, lambda s: s * np.float32(2))

    return spoil


def _swap_bytes(model: Any) -> None:
    """The front's weights as a machine of the other endianness would write them."""
    _change(model, _front(model), lambda w: w.byteswap())


def _swap_bytes_of_a_scale(model: Any) -> None:
    scale = _products(model)[5].replace("_quantized", "_scale")
    _change(model, scale, lambda s: s.byteswap())


def _swap_states(model: Any) -> None:
    """What two neighbouring frames leave for the next chunk changes places."""
    rows = next(s for s in Bundle.load(MODEL).config.acoustic.states if s.name == "pasts").shape[0]
    order = np.arange(rows)
    order[: rows - rows % 2] = order[: rows - rows % 2].reshape(-1, 2)[:, ::-1].ravel()
    model.graph.initializer.append(onnx.numpy_helper.from_array(order, "order"))
    for node in model.graph.node:
        for i, name in enumerate(node.output):
            if name == "pasts_out":
                node.output[i] = "pasts_unordered"
    model.graph.node.append(
        onnx.helper.make_node("Gather", ["pasts_unordered", "order"], ["pasts_out"], axis=0)
    )


def _one_scale_a_tensor(model: Any) -> None:
    """Every weight at the scale of its tensor's largest, the front included, whose input is rounded too."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    stored = {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}
    for name in _products(model):
        scales = stored[scale := name.replace("_quantized", "_scale")]
        floats = stored[name] * scales
        step = np.float32(np.abs(floats).max() / 64)
        _change(model, name, lambda w, f=floats, s=step: np.round(f / s).astype(np.int8))
        _change(model, scale, lambda old, s=step: np.full_like(old, s))
    quantize_dynamic(
        model,
        out := "per-tensor.onnx",
        op_types_to_quantize=["MatMul"],
        weight_type=QuantType.QInt8,
        reduce_range=True,
    )
    model.CopyFrom(onnx.load(out))
    assert not any(node.op_type == "MatMul" and node.input[1] in stored for node in model.graph.node)


BREAKS = {
    "one scale a tensor, front and all": _one_scale_a_tensor,
    "states swapped": _swap_states,
    "float weights of the other endianness": _swap_bytes,
    "a scale of the other endianness": _swap_bytes_of_a_scale,
    # The layers that are least missed: a norm follows the second, little is added by the last block.
    **{
        f"layer {layer} {how}": make(layer)
        for layer in (0, 11, -2, -1)
        for how, make in (("zeroed", _zero), ("transposed", _transpose), ("doubled", _double_scale))
    },
}


def test_the_packaged_model_passes(sound: Checkpoint, recordings: list[Float32Array]) -> None:
    bundle = Bundle.load(MODEL)
    report = verify(of_bundle(bundle, sound), recordings)
    assert report.agrees and report.heard is None
    assert [row.form for row in report.rows][:2] == ["torch, streamed", "acoustic.int8.onnx, onnx"]
    assert golden_row(bundle, of_bundle(bundle, sound)).agrees


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_file_is_caught(
    name: str,
    sound: Checkpoint,
    recordings: list[Float32Array],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    bundle = _spoiled(tmp_path / "spoiled", BREAKS[name])
    with np.errstate(all="ignore"):
        report = verify(of_bundle(bundle, sound), recordings)
    torch_row, *rows = [row for row in report.rows if row.agrees is not None]
    assert torch_row.agrees and not any(row.agrees for row in rows), rows
    assert not report.agrees


@pytest.mark.parametrize("name", ["layer 11 zeroed", "layer -1 doubled", "layer 0 transposed"])
def test_without_a_checkpoint_the_golden_vectors_tell(name: str, tmp_path: Path) -> None:
    """The reference then has the same wrong weight, and agrees with the file."""
    bundle = _spoiled(tmp_path / "spoiled", BREAKS[name])
    subject = of_bundle(bundle, None, RECIPES / f"{MODEL}.toml")
    assert not golden_row(bundle, subject).agrees


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sets of the packaged recording: said freely, and as a command."""
    root = tmp_path_factory.mktemp("data")
    for corpus in ("free", "held"):
        (root / corpus).mkdir()
        soundfile.write(root / corpus / "0.wav", read_audio(SAMPLE), 16_000)
        line = {"audio": "0.wav", "text": SAID, "split": "dev", "seconds": 2.5}
        (root / corpus / "manifest.jsonl").write_text(json.dumps(line) + "\n")
    (root / "grammar.txt").write_text(f"{SAID}\nturn off the lights in the kitchen\n")
    return root


def test_the_command_counts_words_and_commands(spoken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--data", str(spoken), "--commands", f"held={spoken / 'grammar.txt'}"]
    assert main(["verify", MODEL, *flags, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["agrees"] is True and report["recordings"] == 2
    assert report["reference"]["words"] == len(SAID.split()) and report["reference"]["commands"] == 1
    forms_found = {row["form"]: row for row in report["rows"]}
    assert forms_found["golden.txt, weights"]["agrees"] is True
    heard = forms_found["acoustic.int8.onnx, onnx"]["heard"]
    assert heard["command_accuracy"] == 1.0 and 0 <= heard["wer"] <= 1
    assert main(["verify", MODEL, *flags]) == 0
    assert "100.00%" in capsys.readouterr().out


def test_the_command_takes_the_run_that_a_bundle_was_made_of(
    spoken: Path, sound: Checkpoint, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_checkpoint(tmp_path / MODEL_FILE, sound)
    flags = ["--data", str(spoken), "--checkpoint", str(tmp_path)]
    assert main(["verify", MODEL, *flags]) == 0
    assert "golden" not in capsys.readouterr().out
    other = dataclasses.replace(sound, tokens=(*sound.tokens[:-1], "XX"))
    save_checkpoint(tmp_path / MODEL_FILE, other)
    assert main(["verify", MODEL, *flags]) == UsageError.exit_code
    assert "another front-end or tokens" in capsys.readouterr().err


def test_a_recipe_that_is_not_known_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", MODEL, "--recipe", str(tmp_path / "none.toml")]) == UsageError.exit_code
    assert "--checkpoint" in capsys.readouterr().err


def test_an_engine_that_is_not_installed_is_said_and_fails_nothing(
    sound: Checkpoint, recordings: list[Float32Array], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str, bundle: Bundle) -> None:
        raise MissingExtraError(name, name, "The engine")

    monkeypatch.setattr(forms, "create_engine", missing)
    report = verify(of_bundle(Bundle.load(MODEL), sound), recordings[:1])
    assert report.rows[0].agrees is True
    assert {row.agrees for row in report.rows[1:]} == {None} and report.agrees
    assert len(report.rows) <= 1 + len(ENGINES)


def test_a_form_that_mishears_fails_although_its_answers_are_near(
    sound: Checkpoint, recordings: list[Float32Array]
) -> None:
    """The words are counted by themselves: here the search of the forms hears something else."""
    bundle = Bundle.load(MODEL)
    utterances = [
        Utterance(audio=SAMPLE, text=SAID, speaker=str(i), split="dev", seconds=2.4, corpus="a")
        for i in range(3)
    ]

    class Deaf(Hearing):
        counted = 0

        def count(self, utterances: Any, answers: Any) -> Heard:
            self.counted += 1
            heard = super().count(utterances, answers)
            return heard if self.counted == 1 else dataclasses.replace(heard, errors=heard.errors + 3)

    report = verify(of_bundle(bundle, sound), recordings, utterances, Deaf(Recognizer(bundle), {}))
    assert report.heard and report.heard.words == 3 * len(SAID.split())
    assert not any(row.agrees for row in report.rows if row.agrees is not None)


def test_what_an_allowance_covers() -> None:
    few, many = Heard(words=50, errors=10, commands=9, wrong=1), Heard(words=1000, errors=100)
    nearly = Allowance(share=0.01, least=2)
    assert nearly.covers(few, dataclasses.replace(few, errors=12, wrong=3))
    assert not nearly.covers(few, dataclasses.replace(few, errors=13))
    assert not nearly.covers(few, dataclasses.replace(few, wrong=4))
    assert nearly.covers(many, dataclasses.replace(many, errors=110))
    assert not nearly.covers(many, dataclasses.replace(many, errors=111))
    assert Allowance(share=0.0, least=0).covers(few, dataclasses.replace(few, errors=3))


def test_counts_of_what_is_heard() -> None:
    heard = Heard().plus("a b c", "a x", command=False).plus("on", "on", command=True)
    heard = heard.plus("off", "on", command=True)
    assert heard == Heard(words=3, errors=2, commands=2, wrong=1)
    assert (heard.wer, heard.command_accuracy) == (2 / 3, 0.5)
    assert (Heard().wer, Heard().command_accuracy) == (None, None)


def test_streaming_gives_one_answer_for_each_output(
    sound: Checkpoint, recordings: list[Float32Array]
) -> None:
    subject = of_bundle(Bundle.load(MODEL), sound)
    engine = subject.forms[0].engine
    assert engine is not None
    answer = stream(engine, subject.config, recordings[0])
    assert answer.shape == (-(-(len(recordings[0]) + 24) // 3), 40)
