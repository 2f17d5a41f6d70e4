"""The picture of a batch: every panel a real utterance, the same for the same seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge_asr.errors import UsageError

pytest.importorskip("torch", reason="masks need torch (the extra train)")
pytest.importorskip("matplotlib", reason="pictures need matplotlib (the extra train)")

from export.__main__ import main
from export.recipe import read_recipe
from export.show_batch import draw_examples, normalised_mels


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """A recipe with one chain on two sets of a few sweeps each."""
    for name, text in (("sweeps", "up $1 and down"), ("hiss", "")):
        folder = tmp_path / name
        folder.mkdir()
        lines = []
        for i in range(3):
            t = np.arange(16_000) / 16_000
            wave = 0.3 * np.sin(2 * np.pi * (300 + 1000 * (i + 1) * t) * t)
            soundfile.write(folder / f"{i}.wav", wave, 16_000)
            lines.append(f'{{"audio": "{i}.wav", "text": "{text}", "seconds": 1.0}}')
        (folder / "manifest.jsonl").write_text("\n".join(lines) + "\n")
    path = tmp_path / "sweeps.toml"
    path.write_text(f"""
name = "sweeps"
[corpus]
root = "{tmp_path}"
dev = []
speeds = [1.0]
train = [ {{ name = "sweeps" }}, {{ name = "hiss" }} ]
[[corpus.distortions]]
name = "rough"
copies = 3
speed = {{}}
level = {{}}
noise = {{ set = "hiss", probability = 1.0 }}
[network]
name = "lstm"
options = {{ hidden = 8 }}
[training]
epochs = 1
""")
    return path


def test_writes_a_picture(recipe: Path, tmp_path: Path) -> None:
    out = tmp_path / "pictures" / "batch.png"
    flags = ["--out", str(out), "--cache", str(tmp_path / "cache"), "--count", "5"]
    assert main(["show-batch", str(recipe), *flags]) == 0
    assert out.read_bytes().startswith(b"\x89PNG")
    assert out.stat().st_size > 20_000


def test_examples_are_drawn_by_turns_and_from_a_seed(recipe: Path, tmp_path: Path) -> None:
    one, again, other = (draw_examples(read_recipe(recipe), 8, seed, tmp_path) for seed in (1, 1, 2))
    assert [e.utterance.corpus for e in one] == ["sweeps", "hiss"] * 4
    assert [e.notes for e in one] == [e.notes for e in again] != [e.notes for e in other]
    for a, b in zip(one, again, strict=True):
        np.testing.assert_array_equal(a.features, b.features)
    assert any(e.notes[0] == "[rough]" and len(e.notes) == 4 for e in one)


def test_mels_are_those_of_the_sound(recipe: Path, tmp_path: Path) -> None:
    """Without masks, the loudest mel filter follows the sweep."""
    settings = read_recipe(recipe)
    masks = type(settings.training.spec_augment)(band_masks=0, time_masks_per_second=0.0, time_width=0)
    examples = [e for e in draw_examples(settings, 30, 0, tmp_path) if e.notes == ("speed 1", "+0 dB")]
    mels = normalised_mels(examples, settings.mfcc, masks, 0)
    assert len(mels) == len(examples) > 2
    for mel in mels:
        assert mel.shape[1] == settings.mfcc.mel_bins
        assert mel[80:].argmax(axis=1).mean() > mel[:20].argmax(axis=1).mean()


@pytest.mark.parametrize("count", ["0", "-3"])
def test_count_is_checked(recipe: Path, count: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show-batch", str(recipe), "--count", count]) == UsageError.exit_code
    assert "expected at least 1" in capsys.readouterr().err


def test_a_set_with_nothing_to_show_is_named(recipe: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "hiss" / "manifest.jsonl"
    manifest.write_text(manifest.read_text().replace("1.0", "100.0"))
    with pytest.raises(UsageError, match=r"hiss: no training utterance of 0\.6 to 8 s"):
        draw_examples(read_recipe(recipe), 2, 0, tmp_path)
