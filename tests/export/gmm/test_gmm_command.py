"""``python -m export gmm`` on a corpus of tones, and a network that learns from its result."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

pytest.importorskip("pocketsphinx", reason="the dictionary needs pocketsphinx (the extra train)")

import export
from export.__main__ import main
from export.gmm.alignment import load_alignments
from export.gmm.config import GmmConfig
from export.gmm.model import GMM_FILE, Gmm
from export.recipe import read_recipe

RATE_HZ = 16_000
# Each phone sounds as one steady pitch; the words are such as the dictionary has.
PITCHES = {"AY": 300, "K": 700, "AE": 1200, "T": 2200, "S": 3500, "OW": 5000, "N": 450, "IY": 1700}
WORDS = {"i": ["AY"], "cat": ["K", "AE", "T"], "so": ["S", "OW"], "see": ["S", "IY"], "no": ["N", "OW"]}


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("gmm")
    folder = root / "data" / "pitches"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    lines = []
    for i in range(28):
        words = rng.choice(list(WORDS), size=3).tolist()
        tones = [np.zeros(1600)]
        for word in words:
            for phone in WORDS[word]:
                t = np.arange(int(rng.integers(1200, 2000))) / RATE_HZ
                tones.append(0.3 * np.sin(2 * np.pi * PITCHES[phone] * t))
            tones.append(np.zeros(int(rng.integers(0, 1600))))
        samples = np.concatenate([*tones, np.zeros(1600)])
        soundfile.write(folder / f"{i:02}.wav", samples + 0.003 * rng.standard_normal(len(samples)), RATE_HZ)
        line = {"audio": f"{i:02}.wav", "text": " ".join(words), "split": "dev" if i >= 24 else "train"}
        # The last one claims to be too long and is left out, which is said, but not on standard output.
        lines.append(json.dumps({**line, "seconds": 99 if i == 23 else len(samples) / RATE_HZ}))
    (folder / "manifest.jsonl").write_text("\n".join(lines) + "\n")
    (root / "r.toml").write_text(f"""
name = "tones"
[corpus]
root = "{root / "data"}"
dev = ["pitches"]
train = [ {{ name = "pitches" }} ]
speeds = [1.0]
nonspeech = 2
[gmm]
lm_scale = 1.0
[gmm.monophone]
passes = 6
grow_until = 2
gaussians = 140
[gmm.triphone]
passes = 1
grow_until = 0
min_frames = 20
[network]
name = "lstm"
options = {{ hidden = 32, layers = 1, channels = 16, dropout = 0.0, lookahead_frames = 9 }}
[training]
epochs = 4
batch_seconds = 4.0
peak_rate = 0.01
warmup_steps = 5
average_decay = 0.9
bf16 = false
[training.teacher]
checkpoint = "{root / "run" / "gmm.npz"}"
until_epoch = 4
late_outputs = 2
""")
    return root


def _gmm(root: Path, *flags: str) -> int:
    return main(
        ["gmm", str(root / "r.toml"), "--out", str(root / "run"), "--cache", str(root / "cache"), *flags]
    )


@pytest.fixture(scope="module")
def summary(workplace: Path) -> dict[str, Any]:
    """What the first run printed."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert _gmm(workplace, "--json") == 0
    result: dict[str, Any] = json.loads(printed.getvalue())
    return result


def test_summary_is_one_object(summary: dict[str, Any]) -> None:
    assert [entry["stage"] for entry in summary["systems"]] == ["monophone", "triphone"]
    assert all(entry["per_pitches"] < 0.25 for entry in summary["systems"]), summary["systems"]
    assert (summary["utterances"], summary["left_out"]) == (23, 0)
    model, found = Gmm.load(Path(summary["model"])), load_alignments(Path(summary["alignments"]))
    assert model.finished and len(model.tokens) == 40
    assert set(found) == {f"pitches/{i:02}.wav/0" for i in range(23)}


def test_finished_run_is_not_made_again(
    workplace: Path, summary: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    before = Path(summary["model"]).stat().st_mtime_ns
    assert _gmm(workplace) == 0
    out = capsys.readouterr()
    assert Path(summary["model"]).stat().st_mtime_ns == before
    assert "resuming after" in out.err and "phone error rate, triphone: pitches" in out.out


def test_other_features_are_refused(
    workplace: Path, summary: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    changed = workplace / "changed.toml"
    changed.write_text((workplace / "r.toml").read_text().replace("[gmm]", "[gmm]\ncepstra = 12"))
    flags = ["--out", str(workplace / "run"), "--cache", str(workplace / "cache")]
    assert main(["gmm", str(changed), *flags]) == 2
    assert "made with other settings or features" in capsys.readouterr().err


def test_unknown_setting_is_named(
    tmp_path: Path, workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "r.toml"
    path.write_text((workplace / "r.toml").read_text().replace("[gmm]", "[gmm]\nstates = 5"))
    assert main(["gmm", str(path)]) == 2
    assert "unknown key 'states'" in capsys.readouterr().err


def test_a_network_learns_from_it(workplace: Path, summary: dict[str, Any]) -> None:
    pytest.importorskip("torch", reason="training needs torch (the extra train)")
    from export.checkpoint import load_checkpoint

    out = workplace / "network"
    assert (
        main(["train", str(workplace / "r.toml"), "--out", str(out), "--cache", str(workplace / "cache")])
        == 0
    )
    checkpoint = load_checkpoint(out / "model.pt")
    losses = [entry["loss"] for entry in checkpoint.history]
    assert losses[-1] < 0.6 * losses[0]
    assert checkpoint.front_end == Gmm.load(Path(summary["model"])).front_end


def test_recipe_has_the_whole_chain() -> None:
    recipe = read_recipe(Path(export.__file__).parent / "recipes" / "gmm.toml")
    assert recipe.gmm == GmmConfig(), "the numbers of the recipe are the defaults"
    assert recipe.training.teacher is not None
    assert recipe.training.teacher.checkpoint == f"runs/{recipe.name}/{GMM_FILE}"
