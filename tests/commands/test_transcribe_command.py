"""``edge-asr transcribe`` as its user meets it: a process, its output and its exit code."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

SENTENCE = "turn on the lights in the living room"
FIELDS = {
    *("file", "text", "written", "intent", "slots", "confidence", "words", "nbest"),
    *("audio_s", "wall_s", "engine", "reason"),
}


@pytest.fixture
def sample(repository: Path) -> Path:
    return repository / "edge_asr" / "samples" / "living-room-lights.flac"


@pytest.fixture
def home(repository: Path) -> Path:
    return repository / "edge_asr" / "samples" / "home.yaml"


def edge_asr(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", "edge_asr.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def objects(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_json_has_the_promised_fields(sample: Path, home: Path) -> None:
    done = edge_asr("transcribe", "--json", "--grammar", home, sample)
    assert (done.returncode, done.stderr) == (0, "")
    [result] = objects(done)
    assert set(result) == FIELDS
    assert result["text"] == SENTENCE
    assert result["intent"] == "HassTurnOn"
    assert result["audio_s"] == pytest.approx(2.45, abs=0.05)
    assert result["reason"] == "end_of_audio"
    assert set(result["words"][0]) == {"word", "start_s", "end_s", "confidence"}


def in_noise(sample: Path, folder: Path) -> Path:
    """A file of the sample with rivals for its words."""
    samples, rate_hz = soundfile.read(sample)
    noisy = samples + 0.06 * np.random.default_rng(1).standard_normal(samples.size)
    soundfile.write(folder / "noisy.wav", noisy, rate_hz)
    return folder / "noisy.wav"


@pytest.mark.parametrize("with_grammar", [False, True])
def test_nbest_of_the_sample_in_noise_has_more_than_the_best(
    sample: Path, home: Path, tmp_path: Path, with_grammar: bool
) -> None:
    noisy = in_noise(sample, tmp_path)
    grammar = ["--grammar", home] if with_grammar else []
    [result] = objects(edge_asr("transcribe", "--json", "--nbest", "5", *grammar, noisy))
    texts = [other["text"] for other in result["nbest"]]
    scores = [other["score"] for other in result["nbest"]]
    assert 2 <= len(texts) <= 5 and texts[0] == result["text"]
    assert scores == sorted(scores, reverse=True)
    assert set(result["nbest"][0]) == {"text", "score", "confidence", "intent", "slots"}


@pytest.mark.parametrize("with_grammar", [False, True])
def test_partials_come_before_the_result_and_their_stable_words_stay(
    sample: Path, home: Path, with_grammar: bool
) -> None:
    grammar = ["--grammar", home] if with_grammar else []
    done = edge_asr("transcribe", "--json", "--partials", *grammar, sample)
    *partials, result = objects(done)
    assert set(result) == FIELDS and result["text"] == SENTENCE
    assert len(partials) > 3
    assert {tuple(partial) for partial in partials} == {("file", "type", "at_s", "text", "stable")}
    assert {partial["type"] for partial in partials} == {"Partial"}
    texts = [partial["text"].split() for partial in partials] + [SENTENCE.split()]
    for number, partial in enumerate(partials):
        stable = partial["stable"].split()
        assert all(text[: len(stable)] == stable for text in texts[number:])
    assert any(partial["stable"] for partial in partials)
    assert any(partial["text"] != partial["stable"] for partial in partials)


def test_without_rescoring_words_are_stable_sooner(sample: Path, tmp_path: Path) -> None:
    noisy = in_noise(sample, tmp_path)
    stable = []
    for flags in ([], ["--no-rescore"]):
        *partials, result = objects(edge_asr("transcribe", "--json", "--partials", *flags, noisy))
        assert result["text"]
        stable.append(sum(len(partial["stable"].split()) for partial in partials))
    assert stable[0] < stable[1]


def test_people_see_which_words_of_a_partial_may_change(sample: Path) -> None:
    done = edge_asr("transcribe", "--partials", sample)
    before, _, _ = done.stdout.partition(str(sample))
    lines = before.splitlines()
    assert lines and all(line.split()[1] == "s" for line in lines)
    assert any(line.endswith("]") and "[" in line for line in lines)
    assert any("turn on the" in line.partition("[")[0] for line in lines)


def test_people_get_text_intent_slots_confidence_and_speed(sample: Path, home: Path) -> None:
    done = edge_asr("transcribe", "--grammar", home, sample)
    assert done.returncode == 0
    for expected in (SENTENCE, "HassTurnOn", "living_room", "confidence", "real-time factor"):
        assert expected in done.stdout


def write(path: Path, kind: str, sample: Path) -> Path:
    """A file of the kind; returns its path."""
    rate = 16_000
    tone = 0.1 * np.sin(2 * np.pi * 300 * np.arange(rate) / rate)
    match kind:
        case "text":
            path.write_text("this is no audio")
        case "empty":
            path.write_bytes(b"")
        case "header only":
            soundfile.write(path, np.zeros(0), rate, format="WAV")
        case "truncated":
            soundfile.write(path, tone, rate, format="WAV")
            path.write_bytes(path.read_bytes()[:9000])
        case "nan":
            tone[rate // 2] = np.nan
            soundfile.write(path, tone, rate, format="WAV", subtype="FLOAT")
        case "truncated flac":
            path.write_bytes(sample.read_bytes()[:20_000])
        case "directory":
            path.mkdir()
    return path


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("text", "not an audio file"),
        ("empty", "empty"),
        ("header only", "no samples"),
        ("truncated", "truncated"),
        ("nan", "nan"),
        ("truncated flac", "truncated"),
        ("directory", "directory"),
        ("missing", "no such file"),
    ],
)
def test_a_bad_file_is_named_and_the_others_still_run(
    tmp_path: Path, sample: Path, kind: str, message: str
) -> None:
    bad = write(tmp_path / "bad.wav", kind, sample)
    done = edge_asr("transcribe", "--json", bad, sample)
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert str(bad) in line
    assert message in line
    refused, heard = objects(done)
    assert refused["reason"] == "unreadable"
    assert message in refused["error"]
    assert refused["text"] == ""
    assert heard["text"]


def test_192_khz_with_8_channels_is_heard(tmp_path: Path, sample: Path, home: Path) -> None:
    soxr = pytest.importorskip("soxr")
    samples, rate = soundfile.read(sample, dtype="float32")
    wide = np.repeat(soxr.resample(samples, rate, 192_000)[:, None], 8, axis=1)
    soundfile.write(tmp_path / "wide.wav", wide, 192_000)
    [result] = objects(edge_asr("transcribe", "--json", "--grammar", home, tmp_path / "wide.wav"))
    assert result["text"] == SENTENCE


def test_a_bundle_with_one_flipped_byte_is_refused_by_file(
    tmp_path: Path, repository: Path, sample: Path
) -> None:
    bundle = tmp_path / "bundle"
    shutil.copytree(repository / "edge_asr" / "models" / "en-small", bundle)
    for name in sorted(path.name for path in bundle.iterdir()):
        data = (bundle / name).read_bytes()
        flipped = bytearray(data)
        flipped[len(data) // 2] ^= 1
        (bundle / name).write_bytes(bytes(flipped))
        done = edge_asr("transcribe", "--model", bundle, sample)
        assert done.returncode == 3, name
        [line] = done.stderr.splitlines()
        assert name.removesuffix(".sha256") in line
        (bundle / name).write_bytes(data)


def test_a_grammar_mistake_names_the_line(tmp_path: Path, sample: Path) -> None:
    grammar = tmp_path / "bad.jsgf"
    grammar.write_text("#JSGF V1.0;\ngrammar bad;\npublic <a> = turn (on | off;\n")
    done = edge_asr("transcribe", "--grammar", grammar, sample)
    assert done.returncode == 2
    assert "bad.jsgf:3:" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_what_is_wrong_with_a_grammar_is_named_and_the_rest_is_heard(
    tmp_path: Path, sample: Path, home: Path
) -> None:
    grammar = tmp_path / "own.yaml"
    text = home.read_text().replace("- bedroom\n", "- bedroom\n      - 日本\n      - 2nd floor\n")
    line = text[: text.index("日本")].count("\n") + 1
    grammar.write_text(text, encoding="utf-8")
    done = edge_asr("transcribe", "--json", "--grammar", grammar, sample)
    assert done.returncode == 0
    assert objects(done)[0]["text"] == SENTENCE
    named = sorted(done.stderr.splitlines())
    assert [one.split(": ")[:2] for one in named] == [
        ["edge-asr", f"own.yaml:{line}"],
        ["edge-asr", f"own.yaml:{line + 1}"],
    ]
    assert named[0].endswith("unknown word '日本'")


def test_strict_refuses_a_grammar_with_a_mistake(tmp_path: Path, sample: Path) -> None:
    grammar = tmp_path / "own.txt"
    grammar.write_text("turn on the light\nturn on the flurbelizer\n")
    done = edge_asr("transcribe", "--strict", "--grammar", grammar, sample)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "edge-asr: own.txt:2: unknown word 'flurbelizer'\n"


def test_many_mistakes_are_not_all_named(tmp_path: Path, sample: Path) -> None:
    grammar = tmp_path / "own.txt"
    grammar.write_text(
        "turn on the light\n" + "".join(f"日{'本' * n}\n" for n in range(30)), encoding="utf-8"
    )
    lines = edge_asr("transcribe", "--grammar", grammar, sample).stderr.splitlines()
    assert len(lines) == 21
    assert lines[-1] == "edge-asr: 10 more: edge-asr grammar check names all"


def test_a_missing_grammar_is_wrong_usage(tmp_path: Path, sample: Path, home: Path) -> None:
    done = edge_asr("transcribe", "--grammar", home, "--grammar", tmp_path / "none.txt", sample)
    assert done.returncode == 2
    assert "none.txt: there is no such grammar" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["transcribe", "--frobnicate", "x.wav"],
        ["transcribe"],
        ["transcribe", "--threads", "0", "x.wav"],
        ["transcribe", "--nbest", "many", "x.wav"],
        ["transcribe", "--phrase", "living room=loud", "x.wav"],
        ["sing"],
        [],
    ],
)
def test_wrong_usage_says_so(arguments: list[str]) -> None:
    done = edge_asr(*arguments)
    assert done.returncode == 2
    assert "usage: edge-asr" in done.stderr
    assert "Traceback" not in done.stderr


def test_unknown_model_lists_the_known(sample: Path) -> None:
    done = edge_asr("transcribe", "--model", "en-nowhere", sample)
    assert done.returncode == 3
    assert "en-small" in done.stderr


def test_a_reader_that_leaves_is_no_error(sample: Path) -> None:
    command = f"{sys.executable} -m edge_asr.cli transcribe --json {sample} {sample} | head -c 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=60)
    assert "Traceback" not in done.stderr


def test_run_time_list_comes_from_a_file(tmp_path: Path, sample: Path) -> None:
    grammar = tmp_path / "rooms.jsgf"
    grammar.write_text("#JSGF V1.0; grammar g; public <On> = turn on the lights in the <lists.room>{room};")
    rooms = tmp_path / "rooms.txt"
    rooms.write_text("# where\nkitchen\nliving room\tlounge\n")
    done = edge_asr("transcribe", "--json", "--grammar", grammar, "--list", f"room={rooms}", sample)
    assert (done.returncode, done.stderr) == (0, "")
    [result] = objects(done)
    assert (result["text"], result["slots"]) == (SENTENCE, {"room": "lounge"})


def test_bad_entries_of_a_list_cost_no_more_than_themselves(tmp_path: Path, sample: Path) -> None:
    grammar, rooms = tmp_path / "rooms.jsgf", tmp_path / "rooms.txt"
    grammar.write_text("#JSGF V1.0; grammar g; public <On> = turn on the lights in the <lists.room>{room};")
    rooms.write_text("# where\nkitchen\n2nd floor\n日本\nliving room\n", encoding="utf-8")
    arguments = ("transcribe", "--json", "--grammar", grammar, "--list", f"room={rooms}", sample)
    done = edge_asr(*arguments)
    told = done.stderr.splitlines()
    assert done.returncode == 0 and len(told) == 2
    assert told[0].startswith("edge-asr: rooms.txt:3: write '2nd' in words")
    assert told[1].startswith("edge-asr: rooms.txt:4: unknown word '日本'")
    assert objects(done)[0]["slots"] == {"room": "living room"}
    strict = edge_asr(*arguments, "--strict")
    assert (strict.returncode, strict.stdout) == (2, "") and "rooms.txt:3" in strict.stderr


@pytest.mark.parametrize("content", [None, "", "# none yet\n"])
def test_list_without_entries_is_named(tmp_path: Path, sample: Path, content: str | None) -> None:
    grammar, rooms = tmp_path / "rooms.jsgf", tmp_path / "rooms.txt"
    grammar.write_text("#JSGF V1.0; grammar g; public <On> = turn on the lights in the <lists.room>{room};")
    given = []
    if content is not None:
        rooms.write_text(content)
        given = ["--list", f"room={rooms}"]
    done = edge_asr("transcribe", "--json", "--grammar", grammar, *given, sample)
    assert done.returncode == 0 and objects(done)[0]["reason"] == "out_of_grammar"
    assert "the list 'room' has no entries" in done.stderr and "--list room=FILE" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--list", "room"], "expected NAME=FILE"),
        (["--grammar", "HOME", "--list", "r=a.txt", "--list", "r=b.txt"], "--list r was given twice"),
        (["--list", "room=none.txt"], "--grammar FILE"),
        (["--grammar", "HOME", "--list", "room=none.txt"], "cannot read"),
        (["--grammar", "HOME", "--list", "room=HOME"], "no grammar has an empty run-time list 'room'"),
    ],
)
def test_list_without_its_grammar_or_file(
    sample: Path, home: Path, arguments: list[str], problem: str
) -> None:
    done = edge_asr("transcribe", *[a.replace("HOME", str(home)) for a in arguments], sample)
    assert done.returncode == 2
    assert problem in done.stderr
