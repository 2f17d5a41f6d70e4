"""Synthesis with a plug-in engine that hums: plans from a seed, sets that can be continued."""

from __future__ import annotations

import json
import sys
import threading
import time
import types
from pathlib import Path

import numpy as np
import pytest

from edge_asr.arrays import Float32Array
from edge_asr.audio.file import read_audio
from edge_asr.errors import AudioError, MissingExtraError, UsageError
from export.__main__ import main
from export.corpus import read_set
from export.sources import SOURCES, sources_of
from export.synthesize import ENGINES
from export.synthesize.engine import open_engine
from export.synthesize.plan import draw_lines
from export.synthesize.prompt import prompt
from export.synthesize.spoken_set import SpokenSet

TEXTS = ["turn on the light", "k t z", "i'm at home", "seven", "stop"]


class Hummer:
    """Hums a tone whose pitch is the voice's; counts what it says, and can be told to fail."""

    blends = True
    voices = ("high", "low", "mid")
    said: list[str] = []  # noqa: RUF012  # shared on purpose: the test looks at it
    refuses = ""
    stops_after = 10**9

    def __init__(self, model: Path | None) -> None:
        pass

    def speak(self, text: str, voice: str, speed: float) -> tuple[Float32Array, int]:
        if len(Hummer.said) >= Hummer.stops_after:
            raise KeyboardInterrupt
        Hummer.said.append(text)
        if text == Hummer.refuses:
            raise AudioError(f"cannot say {text}")
        t = np.arange(int(8000 / speed)) / 22_050
        return (1.5 * np.sin(2 * np.pi * 100 * len(voice) * t)).astype(np.float32), 22_050


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("hummer")
    module.Hummer = Hummer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "hummer", module)
    monkeypatch.setitem(ENGINES, "hummer", "hummer:Hummer")
    monkeypatch.setitem(SOURCES, "synth_hummer", SOURCES["synth_flite"])
    monkeypatch.setattr(Hummer, "said", [])
    monkeypatch.setattr(Hummer, "refuses", "")
    monkeypatch.setattr(Hummer, "stops_after", 10**9)


def speak(folder: Path, *flags: str, texts: list[str] | None = None) -> int:
    path = folder / "texts.txt"
    path.write_text("\n".join(TEXTS if texts is None else texts) + "\n")
    return main(
        ["synthesize", str(path), "--engine", "hummer", "--out", str(folder / "synth_hummer"), *flags]
    )


def lines(folder: Path) -> list[dict[str, object]]:
    manifest = (folder / "synth_hummer" / "manifest.jsonl").read_text()
    return [json.loads(line) for line in manifest.splitlines()]


def test_a_set_can_be_read_as_a_corpus(tmp_path: Path) -> None:
    assert speak(tmp_path, "--count", "7") == 0
    utterances = read_set(tmp_path, "synth_hummer", "train")
    assert len(utterances) == 7 and {u.text for u in utterances} == set(TEXTS)
    for u in utterances:
        wave = read_audio(u.audio, 16_000)
        assert wave.size / 16_000 == pytest.approx(u.seconds, abs=0.001)
        assert 0.7 < np.abs(wave).max() <= 1.0, "too loud speech is turned down, not clipped"
        assert u.speaker == f"hummer:{u.extra['voice']}" and 0.85 <= u.extra["speed"] <= 1.2
    assert len({u.speaker for u in utterances}) > 2
    assert Hummer.said[:7].count("K, T, Z.") in (1, 2)


def test_an_interrupted_set_is_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "whole").mkdir()
    assert speak(tmp_path / "whole") == 0
    whole = lines(tmp_path / "whole")
    Hummer.said.clear()
    monkeypatch.setattr(Hummer, "stops_after", 2)
    assert speak(tmp_path) == 130
    manifest = tmp_path / "synth_hummer" / "manifest.jsonl"
    manifest.write_text(manifest.read_text() + '{"audio": "audio/0000')  # the power went
    monkeypatch.setattr(Hummer, "stops_after", 10**9)
    Hummer.said.clear()
    assert speak(tmp_path) == 0
    assert len(Hummer.said) == 3, "what was there is not said again"
    assert lines(tmp_path) == whole


def test_two_that_speak_into_one_set_take_turns(tmp_path: Path) -> None:
    """The second one waits, and finds all that the first one said."""
    folder, settings = tmp_path / "synth_hum", {"engine": "hum"}
    [line] = draw_lines(["stop"], ["mid"], count=1, seed=1, blends=False, speeds=(1.0, 1.0))
    tone = np.sin(np.arange(8_000) / 10).astype(np.float32)
    found: list[set[int]] = []

    def second() -> None:
        with SpokenSet(folder, settings) as spoken:
            found.append(set(spoken.done))

    with SpokenSet(folder, settings) as first:
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.2)
        assert found == []
        first.add(0, line, tone, 16_000)
    thread.join(timeout=10)
    assert found == [{0}]


def test_a_set_can_grow(tmp_path: Path) -> None:
    speak(tmp_path, "--count", "3")
    first = lines(tmp_path)
    speak(tmp_path, "--count", "12")
    assert lines(tmp_path)[:3] == first and len(lines(tmp_path)) == 12


@pytest.mark.parametrize("flags", [["--seed", "2"], ["--speeds", "1", "1"], ["--voices", "low"]])
def test_a_set_is_not_continued_in_another_way(
    tmp_path: Path, flags: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    speak(tmp_path)
    assert speak(tmp_path, *flags) == UsageError.exit_code
    assert f"made with another {flags[0].strip('-')}" in capsys.readouterr().err


def test_a_real_set_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "synth_hummer").mkdir()
    (tmp_path / "synth_hummer" / "manifest.jsonl").write_text('{"audio": "a.wav", "text": ""}\n')
    assert speak(tmp_path) == UsageError.exit_code
    assert "was not synthesized here" in capsys.readouterr().err


def test_what_cannot_be_said_is_left_out_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Hummer, "refuses", "seven.")
    assert speak(tmp_path) == 0
    assert "4 utterances" in capsys.readouterr().out
    assert "seven" not in {line["text"] for line in lines(tmp_path)}
    monkeypatch.setattr(Hummer, "refuses", "")
    speak(tmp_path)
    assert len(lines(tmp_path)) == 5


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--voices", "bass"], "no voice bass; there are: high, low, mid"),
        (["--speeds", "1.2", "0.9"], "--speeds within 0.5 to 2"),
        (["--count", "0"], "positive --count"),
    ],
)
def test_mistakes_are_named(
    tmp_path: Path, flags: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert speak(tmp_path, *flags) == UsageError.exit_code
    assert message in capsys.readouterr().err


def test_the_name_of_a_set_tells_its_licence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "t.txt").write_text("a text\n")
    for out in ("mine", "synth_flite", "synth_hummers"):
        args = ["synthesize", str(tmp_path / "t.txt"), "--engine", "hummer", "--out", str(tmp_path / out)]
        assert main(args) == UsageError.exit_code
        assert "call the set synth_hummer or synth_hummer_SOMETHING" in capsys.readouterr().err
    [(name, source)] = sources_of(["synth_hummer_letters"])
    assert name == "synth_hummer_letters" and source is SOURCES["synth_flite"]


def test_every_engine_has_a_source() -> None:
    assert all(sources_of([f"synth_{engine}"]) for engine in ENGINES)


def test_plan_says_every_text_before_any_twice() -> None:
    plan = list(draw_lines(TEXTS, ["a", "b"], count=12, seed=3, blends=False, speeds=(0.9, 1.1)))
    assert sorted(line.text for line in plan[:5]) == sorted(line.text for line in plan[5:10]) == sorted(TEXTS)
    assert [line.text for line in plan[:5]] != [line.text for line in plan[5:10]]
    assert {line.voice for line in plan} == {"a", "b"}
    longer = list(draw_lines(TEXTS, ["a", "b"], count=20, seed=3, blends=False, speeds=(0.9, 1.1)))
    assert longer[:12] == plan
    other = list(draw_lines(TEXTS, ["a", "b"], count=12, seed=4, blends=False, speeds=(0.9, 1.1)))
    assert other != plan


def test_blends_are_of_two_voices() -> None:
    plan = draw_lines(TEXTS, ["a", "b", "c"], count=200, seed=0, blends=True, speeds=(1.0, 1.0))
    blends = [line.voice for line in plan if "+" in line.voice]
    assert 70 < len(blends) < 130
    for voice in blends:
        one, share, other = voice[0], float(voice[2:6]), voice[7:]
        assert one != other and 0.3 <= share <= 0.7


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("k t z", "K, T, Z."),
        ("a b", "A, B."),
        ("a", "A."),
        ("turn on a light", "turn on a light."),
        ("i think i'm in room b", "I think I'm in room B."),
    ],
)
def test_prompts(text: str, written: str) -> None:
    assert prompt(text) == written


def test_missing_engines_say_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for name, package in (
        ("flite", "flite"),
        ("festival", "festvox-"),
        ("pico", "libttspico-utils"),
        ("espeak-ng", "espeak-ng"),
    ):
        with pytest.raises(UsageError, match=rf"apt install .*{package}"):
            open_engine(name, None)
    for name in ("kokoro", "piper"):
        with pytest.raises(UsageError, match="--model"):
            open_engine(name, None)
    for file in ("kokoro.onnx", "voices.bin", "x.onnx"):
        (tmp_path / file).touch()
    for name, package in (("kokoro", "kokoro_onnx"), ("piper", "piper")):
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(MissingExtraError, match=r"edge-asr\[synthesize\]"):
            open_engine(name, tmp_path)
    for unknown in ("parrot", "no_such_module:Parrot", "json:Parrot"):
        with pytest.raises(UsageError, match=r"[pP]arrot|no_such_module"):
            open_engine(unknown, None)


def test_pico_is_told_pitch_speed_and_a_text_without_tags(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Debian has the program in non-free: what it is called with is tested where it is not installed too."""
    program = tmp_path / "pico2wave"
    program.write_text(
        f"""#!{sys.executable}
import sys, wave
_, l, language, w, out, said = sys.argv
assert (l, w) == ("-l", "-w"), sys.argv
with wave.open(out, "wb") as file:
    file.setparams((1, 2, 16000, 0, "NONE", ""))
    file.writeframes(bytes(2 * len(said)))
with open({str(tmp_path / "said")!r}, "w") as file:
    file.write(language + said)
"""
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    engine = open_engine("pico", None)
    assert len(engine.voices) == len({*engine.voices}) == 22
    samples, rate_hz = engine.speak("-h <b> & c", "en-GB+70", 1.25)
    said = '<speed level="125"><pitch level="70">-h &lt;b&gt; &amp; c</pitch></speed>'
    assert (tmp_path / "said").read_text() == "en-GB" + said
    assert (samples.size, rate_hz) == (len(said), 16000)


@pytest.mark.parametrize("name", ["flite", "festival", "pico", "espeak-ng"])
def test_installed_programs_speak(name: str) -> None:
    try:
        engine = open_engine(name, None)
    except UsageError as error:
        pytest.skip(str(error))
    assert engine.voices == tuple(sorted(engine.voices))
    voice = engine.voices[0]
    usual, rate_hz = engine.speak("turn on the light.", voice, 1.0)
    slow, _ = engine.speak("turn on the light.", voice, 0.7)
    assert 0.5 < usual.size / rate_hz < 4 and np.abs(usual).max() > 0.05
    assert slow.size > 1.15 * usual.size
    # A text is a text, whatever it looks like.
    assert engine.speak("-h", voice, 1.0)[0].size > 0
