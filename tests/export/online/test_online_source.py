"""Batches that are distorted anew each time."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from pitch_corpus import write_pitch_corpus

torch = pytest.importorskip("torch", reason="training needs torch")

from export.checkpoint import FrontEnd  # noqa: E402
from export.online.draws import draw  # noqa: E402
from export.online.sound import Sound  # noqa: E402
from export.online.source import Online, measured_front_end  # noqa: E402
from export.recipe import Recipe, read_recipe  # noqa: E402

RECIPE = """
name = "fresh"
[corpus]
root = "{root}"
dev = ["pitches"]
train = [ {{ name = "pitches", weight = 1.5 }} ]
speeds = [0.9, 1.0, 1.1]
nonspeech = 3
fresh = true
[[corpus.distortions]]
name = "anything"
vocoder = {{ probability = 0.5 }}
room = {{ probability = 0.7, rooms = 2, t60_s = [0.1, 0.2], distance_m = [0.3, 1.0] }}
babble = {{ probability = 0.5 }}
noise = {{ probability = 0.5, set = "pitches" }}
band = {{ probability = 0.5 }}
level = {{ clip_probability = 0.5 }}
codec = {{ probability = 0.5 }}
[network]
name = "lstm"
options = {{ hidden = 8, layers = 1, channels = 8, dropout = 0.0, lookahead_frames = 9 }}
[training]
epochs = 1
batch_seconds = 8.0
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Recipe, Path, FrontEnd]:
    """A recipe, a cache and the front-end."""
    pytest.importorskip("pyroomacoustics", reason="simulates the rooms")
    root = tmp_path_factory.mktemp("online")
    write_pitch_corpus(root / "data" / "pitches", utterances=24, train=20)
    path = root / "fresh.toml"
    path.write_text(RECIPE.format(root=root / "data"))
    recipe = read_recipe(path)
    return recipe, root / "cache", measured_front_end(recipe, root / "cache", torch.device("cpu"))


def source(made: tuple[Recipe, Path, FrontEnd]) -> Online:
    recipe, cache, front_end = made
    return Online(recipe, cache, front_end, torch.device("cpu"))


def test_every_utterance_has_its_turns(made: tuple[Recipe, Path, FrontEnd]) -> None:
    online = source(made)
    plan = online.plan(0, 2)
    assert len(plan) % 2 == 0
    times = np.bincount(np.concatenate(plan), minlength=23)
    assert times[:20].min() >= 0 and times[:20].max() <= 2 and 20 <= times[:20].sum() <= 40
    assert [len(row) > 0 for row in online.labels] == [True] * 20 + [False] * 3
    assert all(online.seconds(chosen) <= 8.0 or len(chosen) == 1 for chosen in plan)
    same, other = source(made).plan(0, 2), online.plan(1, 2)
    assert all(np.array_equal(a, b) for a, b in zip(plan, same, strict=True))
    assert len(plan) != len(other) or any(not np.array_equal(a, b) for a, b in zip(plan, other, strict=False))


def test_a_batch_is_another_each_time(made: tuple[Recipe, Path, FrontEnd]) -> None:
    online, chosen = source(made), np.array([0, 3, 21])
    batches = [
        online.batch(chosen, lookahead_frames=9, subsampling=3, rng=np.random.default_rng(seed))
        for seed in (1, 2, 1)
    ]
    first, second, again = batches
    assert torch.equal(first.features, again.features)
    assert first.features.shape != second.features.shape or not torch.equal(first.features, second.features)
    for batch in batches:
        rows, frames, cepstra = batch.features.shape
        assert (rows, frames % 3, cepstra) == (3, 0, 40)
        assert frames >= int(batch.lengths.max()) + 9
        assert torch.isfinite(batch.features).all()
        for row, length in zip(batch.features, batch.lengths.tolist(), strict=True):
            assert row[:length].abs().sum(dim=1).min() > 0 and not row[length:].any()
        assert batch.label_lengths.tolist() == [len(online.labels[i]) for i in chosen]


def test_undistorted_features_are_the_recording_s(made: tuple[Recipe, Path, FrontEnd]) -> None:
    from edge_asr.audio.file import read_audio
    from edge_asr.features.cmvn import cmvn
    from edge_asr.features.mfcc import mfcc
    from export.corpus import read_set

    recipe, cache, front_end = made
    plain = dataclasses.replace(
        recipe.corpus, distortions=(), speeds=(1.0,), level_db=(0.0, 0.0), nonspeech=0
    )
    online = Online(dataclasses.replace(recipe, corpus=plain), cache, front_end, torch.device("cpu"))
    rng = np.random.default_rng(4)
    batch = online.batch(np.array([5]), lookahead_frames=0, subsampling=1, rng=rng)
    samples = read_audio(read_set(Path(recipe.corpus.root), "pitches", "train")[5].audio, 16_000)
    found = batch.features[0, : int(batch.lengths[0])].numpy()
    errors = []
    for late in range(160):
        expected = cmvn(mfcc(samples[late:], front_end.mfcc), front_end.cmvn)
        n = min(len(found), len(expected))
        errors.append(float(np.abs(found[:n] - expected[:n]).max()))
    assert min(errors) < 0.02


def test_what_happens_is_drawn_as_often_as_asked(made: tuple[Recipe, Path, FrontEnd]) -> None:
    recipe, _, _ = made
    chains = [None, *recipe.corpus.distortions]
    rng = np.random.default_rng(0)
    draws = draw(4000, chains, [(0, 1), (5, 7)], rng, level_db=(-14.0, 6.0), most_lead=100)
    share = lambda happened: float(np.mean(happened)) / 0.5  # noqa: E731  # half of them meet the chain
    assert share(draws.room >= 0) == pytest.approx(0.7, abs=0.05)
    assert set(draws.room.tolist()) == {-1, 5, 6}
    assert share(draws.pitch_hz > 0) == pytest.approx(0.5, abs=0.05)
    assert (draws.formants[draws.pitch_hz == 0] == 1).all() and draws.formants.std() > 0.01
    assert share(draws.voices > 0) == pytest.approx(0.5, abs=0.05)
    assert share(~np.isnan(draws.noise_db)) == pytest.approx(0.5, abs=0.05)
    assert share(draws.lead > 0) == pytest.approx(0.5, abs=0.05)
    assert share(draws.overdrive_db > 0) == pytest.approx(0.5, abs=0.05)
    assert 0 < draws.line.mean() < 0.25


def test_other_voices_are_heard_where_they_are_drawn(
    made: tuple[Recipe, Path, FrontEnd], monkeypatch: pytest.MonkeyPatch
) -> None:
    online, chosen = source(made), np.array([0, 3, 5, 8, 9, 12])
    asked = {"lookahead_frames": 9, "subsampling": 3}
    heard = online.batch(chosen, **asked, rng=np.random.default_rng(4)).features
    rows: list[int] = []

    def unchanged(waves: torch.Tensor, *drawn: object) -> torch.Tensor:
        rows.append(len(waves))
        return waves

    monkeypatch.setattr("export.online.source.revoiced", unchanged)
    own = online.batch(chosen, **asked, rng=np.random.default_rng(4)).features
    changed = (heard - own).abs().amax(dim=(1, 2)) > 0.1
    assert rows and 0 < rows[0] < len(chosen)
    assert int(changed.sum()) == rows[0]


def test_long_recordings_are_cut() -> None:
    sound = Sound.of([np.zeros(5, np.int16), np.zeros(12, np.int16), np.zeros(3, np.int16)])
    assert sound.pieces(5).lengths.tolist() == [5, 5, 5, 2, 3]


def test_statistics_make_what_is_heard_about_normal(made: tuple[Recipe, Path, FrontEnd]) -> None:
    online = source(made)
    batch = online.batch(np.arange(20), lookahead_frames=0, subsampling=1, rng=np.random.default_rng(8))
    real = torch.arange(batch.features.shape[1]) < batch.lengths[:, None]
    assert 0.3 < batch.features[real].std(dim=0).median().item() < 1.5
    recipe, cache, front_end = made
    assert measured_front_end(recipe, cache, torch.device("cpu")) == front_end
