"""What measurements are made of: commands, conditions, spoken forms, counts, music."""

from __future__ import annotations

import dataclasses
import json
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("jiwer", reason="benchmarks need jiwer (the extra evaluate)")
pytest.importorskip("pyroomacoustics", reason="rooms need pyroomacoustics (the extra train)")
pytest.importorskip("num2words", reason="spoken forms need num2words (it comes with gruut, the extra train)")

import soundfile

from benchmarks.accuracy import COMMANDS, TASKS, measure
from benchmarks.accuracy_plot import draw
from benchmarks.conditions import CLEAN, NOISES, NOISY, Condition, Scene
from benchmarks.corpus import RECIPE
from benchmarks.music import music
from benchmarks.nothing_said import sounds
from benchmarks.spoken_commands import GRAMMAR
from benchmarks.systems import as_words
from benchmarks.tally import Tally
from edge_asr.decoder.grammar import load_grammar
from edge_asr.decoder.grammar.census import count_sentences, enumerate_sentences
from edge_asr.errors import UsageError
from export.corpus import Utterance, read_set
from export.recipe import read_recipe


def test_there_are_300_commands() -> None:
    network = load_grammar(GRAMMAR)
    assert count_sentences(network) == len(enumerate_sentences(network, 1000)) == 300


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Turn on the lights.", "turn on the lights"),
        ("Set it to 21, please!", "set it to twenty one please"),
        ("Dim to 50%", "dim to fifty percent"),
        ("Tune to 98.1", "tune to ninety eight point one"),
        ("the 3rd of May", "the third of may"),
        ("I\u2019m well-known", "i'm well known"),
    ],
)
def test_spoken_form(written: str, spoken: str) -> None:
    assert as_words(written) == spoken


def test_tally_counts_words_sentences_and_time() -> None:
    tally = Tally()
    tally.add("turn on the light", 2.0, lambda: "turn on the light")
    tally.add("stop", 1.0, lambda: str(sum(range(300_000)))[:0] + "stop it")
    report = tally.report()
    assert report["wer"] == 0.2 and report["right"] == 0.5 and report["utterances"] == 2
    assert report["cpu_s_per_audio_s"] > 0


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    rng = np.random.default_rng(0)
    names = [f"moodist_{n}" for recordings in NOISES.values() for n in recordings]
    for folder, split, files in [
        ("noise", "train", names),
        ("librispeech", "dev", "ab"),
        ("commonvoice", "dev", "c"),
    ]:
        (tmp_path / folder).mkdir()
        lines = []
        for name in files:
            soundfile.write(tmp_path / folder / f"{name}.wav", rng.normal(0, 0.05, 32_000), 16_000)
            lines.append(json.dumps({"audio": f"{name}.wav", "text": "a", "split": split, "seconds": 2.0}))
        (tmp_path / folder / "manifest.jsonl").write_text("\n".join(lines))
    return Scene(tmp_path, tmp_path / "cache")


def _utterance(tmp_path: Path) -> Utterance:
    return read_set(tmp_path, "librispeech", "dev")[0]


@pytest.mark.parametrize("condition", [CLEAN, *NOISY, Condition("mixed", 10.0)])
def test_noise_is_as_loud_as_said(tmp_path: Path, scene: Scene, condition: Condition) -> None:
    utterance = _utterance(tmp_path)
    clean, heard = scene.hear(utterance, CLEAN), scene.hear(utterance, condition)
    assert heard.shape == clean.shape
    gain = float(heard @ clean / (clean @ clean)) if condition.noise else 1.0
    noise = heard - gain * clean
    if condition is CLEAN:
        assert not noise.any()
    else:
        snr_db = 10 * np.log10((gain * clean).var() / noise.var())
        assert snr_db == pytest.approx(condition.snr_db, abs=1.5)


def test_conditions_are_the_same_each_time(tmp_path: Path, scene: Scene) -> None:
    utterance, condition = _utterance(tmp_path), Condition("babble", 5.0)
    np.testing.assert_array_equal(scene.hear(utterance, condition), scene.hear(utterance, condition))
    assert condition.name == "babble 5 dB" and Condition("car", 0.0, room=True).name == "room, car 0 dB"


@pytest.mark.parametrize("name", [name for names in NOISES.values() for name in names])
@pytest.mark.parametrize("recipe", [RECIPE, RECIPE.with_name("ablation.toml")], ids=lambda path: path.stem)
def test_no_noise_that_is_measured_is_learned(recipe: Path, name: str) -> None:
    patterns = read_recipe(recipe).corpus.held_out
    assert any(fnmatchcase(f"moodist_{name}", pattern) for pattern in patterns)


def test_recorded_noise_is_unheard_and_nobody_speaks_in_it(tmp_path: Path) -> None:
    """Of five recordings two are held out, and in one of those people may be heard."""
    (tmp_path / "noise").mkdir()
    lines = []
    names = ("esc10_4-1", "moodist_office", "moodist_crowd", "moodist_busy-street", "esc10_5-1")
    for i, name in enumerate(names):
        level = np.full(16_000, (i + 1) / 10, dtype=np.float32)
        soundfile.write(tmp_path / "noise" / f"{name}.wav", level, 16_000, subtype="FLOAT")
        lines.append(json.dumps({"audio": f"{name}.wav", "text": "", "seconds": 1.0}))
    (tmp_path / "noise" / "manifest.jsonl").write_text("\n".join(lines))
    pieces = list(sounds("recorded noise", 2.0, tmp_path))
    assert len(pieces) == 4
    assert {float(piece.max()) for piece in pieces} == {float(np.float32(0.5))}
    (tmp_path / "noise" / "manifest.jsonl").write_text(lines[0])
    with pytest.raises(UsageError, match=r"holds none of what en-small\.toml holds out"):
        next(sounds("recorded noise", 2.0, tmp_path))


def test_music_is_bounded_and_seeded() -> None:
    one, same, other = (
        music(np.random.default_rng(s), seconds=2.0, sample_rate_hz=16_000) for s in (1, 1, 2)
    )
    assert one.dtype == np.float32 and one.shape == (32_000,) and 0.01 < np.abs(one).max() <= 1.0
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


class _Parrot:
    """Says the same whatever it hears, or what the grammar's file is called."""

    def __init__(self, *, grammars: bool) -> None:
        self.grammars = grammars
        self.ready: set[Path | None] = set()

    def prepare(self, grammar: Path | None) -> None:
        self.ready.add(grammar)

    def hear(self, samples: np.ndarray, grammar: Path | None) -> str:
        assert grammar in self.ready, "nothing is compiled on the clock"
        return grammar.stem if grammar else "a"


def test_systems_hear_the_same_and_only_some_a_grammar(tmp_path: Path, scene: Scene) -> None:
    systems = {"held": _Parrot(grammars=True), "free": _Parrot(grammars=False)}
    utterances = read_set(tmp_path, "librispeech", "dev")
    free = measure(systems, scene, "librispeech", utterances, CLEAN)
    assert free["held"]["all"]["wer"] == free["free"]["all"]["wer"] == 0.0
    held = measure(systems, scene, "grid", utterances, CLEAN)
    assert held["held"]["all"]["right"] == 0.0 and held["free"]["all"]["right"] == 1.0
    assert held["free"]["all"]["utterances"] == len(utterances) == 2


def test_commands_are_counted_by_the_engine_that_spoke_them_and_in_all(tmp_path: Path, scene: Scene) -> None:
    one, other = read_set(tmp_path, "librispeech", "dev")
    spoken = [
        dataclasses.replace(one, speaker="flite:slt"),
        dataclasses.replace(one, speaker="flite:awb"),
        dataclasses.replace(other, speaker="espeak-ng:en-gb", text="b"),
    ]
    found = measure({"free": _Parrot(grammars=False)}, scene, COMMANDS, spoken, CLEAN, voices=True)["free"]
    assert {name: (group["utterances"], group["right"]) for name, group in found.items()} == {
        "flite": (2, 1.0),
        "espeak-ng": (1, 0.0),
        "all": (3, 0.6667),
    }


def test_curves_are_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="pictures need matplotlib (the extra train)")
    groups = {"all": {"wer": 0.2, "right": 0.8, "utterances": 3}}
    conditions = {c.name: {"ours": groups, "theirs": groups} for c in (CLEAN, *NOISY)}
    draw({"noise": {name: conditions for name in TASKS}}, tmp_path / "curves.png")
    assert _size(tmp_path / "curves.png") == (960, 560)


def _size(path: Path) -> tuple[int, int]:
    """Width and height of a PNG, from its header."""
    header = path.read_bytes()[16:24]
    return int.from_bytes(header[:4], "big"), int.from_bytes(header[4:], "big")
