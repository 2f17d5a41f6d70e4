"""A model of one's own: tokens that are characters or pieces of words, no lexicon, no graph."""

from __future__ import annotations

import hashlib
import itertools
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import edge_asr as edge_asr_package
from edge_asr import Final, Partial, Recognizer
from edge_asr.acoustic import create_engine
from edge_asr.acoustic.chunking import AcousticModel
from edge_asr.arrays import Float32Array
from edge_asr.audio.file import read_audio
from edge_asr.bundle import MODEL_JSON, TOKENS, Bundle
from edge_asr.errors import BundleError, UsageError
from edge_asr.events import Event
from edge_asr.features.cmvn import Cmvn
from edge_asr.features.mfcc import Mfcc
from edge_asr.stage import Chain

SAMPLE = Path(edge_asr_package.__file__).parent / "samples" / "living-room-lights.flac"


def heard_phones() -> str:
    """What the packaged network hears in the sample, token by token: CTC's rule on its best tokens."""
    packaged = Bundle.load("en-small")
    config = packaged.config
    network = AcousticModel(create_engine("onnx", packaged), config.acoustic)
    stages = Chain([Mfcc(config.mfcc), Cmvn(config.cmvn), network])
    log_probs = np.concatenate([stages.push(read_audio(SAMPLE)), stages.flush()])
    names = packaged.path(TOKENS).read_text().split()
    best = [names[token] for token, _ in itertools.groupby(log_probs.argmax(axis=1).tolist())]
    return " ".join(name for name in best if name != names[0])


PHONES = heard_phones()


def piece(phone: str) -> str:
    """The packaged network's phones under the names of a BPE model: some begin words."""
    return ("\u2581" if phone in ("T", "DH", "L", "R") else "") + phone.lower()


def letter(phone: str) -> str:
    """The same as letters; N and DH stand between words."""
    return {"N": "|", "DH": " "}.get(phone) or chr(ord("a") + sorted(set(PHONES.split())).index(phone))


def described(directory: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    """Write model.json anew after a change; nobody seals it."""
    values = json.loads((directory / MODEL_JSON).read_text())
    change(values)
    (directory / MODEL_JSON).write_text(json.dumps(values))
    return directory


def bundle(directory: Path, units: str, kind: str) -> Path:
    """The packaged network with other tokens, and nothing else of its bundle."""
    packaged = Bundle.load("en-small")
    names = packaged.path(TOKENS).read_text().split()
    rename = {"bpe": piece, "characters": letter, "phones": str}[units]
    heard = {phone: rename(phone) for phone in PHONES.split()}
    directory.mkdir()
    graph = packaged.config.acoustic.graph
    content = {
        graph: packaged.path(graph).read_bytes(),
        TOKENS: "".join(f"{heard.get(name, name)}\n" for name in names).encode(),
    }
    for file, data in content.items():
        (directory / file).write_bytes(data)
    values = json.loads((packaged.directory / MODEL_JSON).read_text())
    values["files"] = {file: hashlib.sha256(data).hexdigest() for file, data in content.items()}
    values["decoder"] = {"kind": kind, "units": units}
    values["name"] = "own"
    (directory / MODEL_JSON).write_text(json.dumps(values))
    return directory


@pytest.fixture(scope="module")
def sample(repository: Path) -> Float32Array:
    return read_audio(repository / "edge_asr" / "samples" / "living-room-lights.flac")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundle(tmp_path_factory.mktemp("own") / "pieces", "bpe", "prefix_beam")


@pytest.fixture(scope="module")
def recognizer(own: Path) -> Recognizer:
    return Recognizer.load(own)


def run(recognizer: Recognizer, blocks: Sequence[Float32Array]) -> list[Event]:
    stream = recognizer.stream()
    events = [event for block in blocks for event in stream.accept_waveform(block)]
    return [*events, *stream.finish()]


@pytest.mark.parametrize("kind", ["greedy", "prefix_beam"])
@pytest.mark.parametrize(
    ("units", "expected"),
    [
        ("phones", PHONES),
        ("bpe", "".join(piece(phone) for phone in PHONES.split()).replace("\u2581", " ")),
        ("characters", "".join(letter(phone) for phone in PHONES.split()).replace("|", " ")),
    ],
)
def test_tokens_become_words(
    tmp_path: Path, sample: Float32Array, units: str, kind: str, expected: str
) -> None:
    recognizer = Recognizer.load(bundle(tmp_path / "own", units, kind))
    assert recognizer.search == kind
    *partials, final = run(recognizer, np.array_split(sample, 20))
    assert isinstance(final, Final)
    assert final.text.split() == expected.split() == [word.word for word in final.words]
    assert 0.5 < final.confidence < 1
    assert all(0 < word.confidence <= 1 for word in final.words)
    times = [at_s for word in final.words for at_s in (word.start_s, word.end_s)]
    assert times == sorted(times) and times[0] > 0 and times[-1] <= len(sample) / 16_000
    assert all(isinstance(event, Partial) for event in partials)
    assert len(partials) > 5


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(0, 45_000), max_size=8))
def test_any_split_of_the_audio_gives_the_same_final(
    recognizer: Recognizer, sample: Float32Array, cuts: list[int]
) -> None:
    blocks = np.split(sample, sorted(min(cut, sample.size) for cut in cuts))
    assert run(recognizer, blocks)[-1] == run(recognizer, [sample])[-1]


def test_silence_is_rejected(recognizer: Recognizer) -> None:
    [event] = run(recognizer, [np.zeros(32_000, dtype=np.float32)])
    assert event.to_dict()["type"] == "Rejected" and event.to_dict()["reason"] == "silence"


def test_a_grammar_needs_a_lexicon(recognizer: Recognizer, repository: Path) -> None:
    with pytest.raises(UsageError, match=r"this bundle has no lexicon\.txt\.xz, only tokens \(bpe\)"):
        recognizer.compile([repository / "edge_asr" / "samples" / "home.yaml"])


def test_words_need_a_lexicon_and_phrases_a_language_model(recognizer: Recognizer) -> None:
    with pytest.raises(UsageError, match="as added words do, and this bundle has no lexicon"):
        recognizer.add_words(["lumen"])
    with pytest.raises(UsageError, match="phrases need a language model, which it does not bring"):
        recognizer.phrases({"lumen": 1.0})


def test_free_text_by_graph_needs_a_graph(own: Path) -> None:
    with pytest.raises(BundleError, match=r"no file 'graph\.npz'"):
        Recognizer.load(own, search="graph").stream()


def test_a_grammar_is_searched_as_a_graph_whatever_free_text_is(
    repository: Path, sample: Float32Array
) -> None:
    recognizer = Recognizer.load("en-small", search="greedy")
    stream = recognizer.stream(graph=recognizer.compile([repository / "edge_asr" / "samples" / "home.yaml"]))
    stream.accept_waveform(sample)
    assert [event.text for event in stream.finish() if isinstance(event, Final)] == [
        "turn on the lights in the living room"
    ]
    final = run(recognizer, [sample])[-1]
    assert isinstance(final, Final) and final.text == PHONES


def test_searches_that_do_not_exist_are_named(own: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no search 'beam': expected one of graph, greedy, prefix_beam"):
        Recognizer.load(own, search="beam")
    other = described(bundle(tmp_path / "own", "bpe", "greedy"), lambda v: v["decoder"].update(kind="best"))
    with pytest.raises(BundleError, match=r"decoder\.kind: no search 'best'"):
        Recognizer.load(other)
    described(other, lambda v: v["decoder"].update(kind="greedy", units="words"))
    with pytest.raises(BundleError, match="units must be one of phones, characters, bpe, got 'words'"):
        Recognizer.load(other)


def test_as_many_tokens_as_the_network_answers(tmp_path: Path) -> None:
    directory = bundle(tmp_path / "own", "bpe", "greedy")
    short = b"<blk>\na\nb\n"
    (directory / TOKENS).write_bytes(short)
    described(directory, lambda v: v["files"].update({TOKENS: hashlib.sha256(short).hexdigest()}))
    with pytest.raises(BundleError, match="expected 40 tokens, one for each output of"):
        Recognizer.load(directory)


def edge_asr(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", "edge_asr.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_transcribe_hears_with_it(own: Path, repository: Path) -> None:
    file = repository / "edge_asr" / "samples" / "living-room-lights.flac"
    done = edge_asr("transcribe", "--json", "--model", own, file)
    assert (done.returncode, done.stderr) == (0, "")
    result = json.loads(done.stdout)
    assert result["text"].split() == "".join(map(piece, PHONES.split())).replace("\u2581", " ").split()
    assert result["reason"] == "end_of_audio"
    done = edge_asr("transcribe", "--model", own, "--grammar", file.with_name("home.yaml"), file)
    assert done.returncode == 2
    assert "a grammar needs the pronunciations of its words" in done.stderr


def test_transcribe_tries_any_search_on_any_bundle(repository: Path) -> None:
    file = repository / "edge_asr" / "samples" / "living-room-lights.flac"
    done = edge_asr("transcribe", "--json", "--search", "greedy", file)
    assert json.loads(done.stdout)["text"] == PHONES
    done = edge_asr("transcribe", "--search", "greedy", "--grammar", file.with_name("home.yaml"), file)
    assert done.returncode == 2
    assert "--search greedy follows no grammar" in done.stderr
