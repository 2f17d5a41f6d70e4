"""Chains of distortions: read strictly from a recipe, drawn the same for the same seed, cached by content."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

pytest.importorskip("scipy", reason="filters need scipy (the extra train)")

from edge_asr.arrays import Float32Array
from edge_asr.config import MfccConfig
from edge_asr.errors import UsageError
from export.augment.band import Band
from export.augment.chain import Chain, surroundings
from export.augment.level import Level
from export.augment.noise import Babble, Noise
from export.augment.speed import Speed
from export.augment.surroundings import Surroundings
from export.cache import Variant, cached_features, distorted
from export.corpus import read_set
from export.recipe import read_recipe

AROUND = Surroundings()
RECIPE = """
name = "tiny"
[corpus]
root = "data"
dev = []
train = [ { name = "a" } ]
[[corpus.distortions]]
name = "far"
copies = 2
room = { distance_m = [1, 4], rooms = 7 }
noise = { probability = 1.0, snr_db = [0, 20] }
[[corpus.distortions]]
name = "phone"
codec = { codecs = ["gsm", "ulaw"] }
[network]
name = "lstm"
options = { hidden = 8 }
[training]
epochs = 1
"""


@pytest.fixture
def corpora(tmp_path: Path) -> Path:
    """Two sets, ``a`` with three utterances and ``noise`` with two."""
    rng = np.random.default_rng(0)
    for name, count in (("a", 3), ("noise", 2)):
        folder = tmp_path / "data" / name
        folder.mkdir(parents=True)
        lines = []
        for i in range(count):
            soundfile.write(folder / f"{i}.wav", rng.normal(0, 0.05, 8000), 16_000)
            line = {"audio": f"{i}.wav", "text": "" if name == "noise" else "a word", "seconds": 0.5}
            lines.append(json.dumps(line))
        (folder / "manifest.jsonl").write_text("\n".join(lines) + "\n")
    return tmp_path / "data"


def test_recipe_names_its_chains(tmp_path: Path) -> None:
    path = tmp_path / "tiny.toml"
    path.write_text(RECIPE)
    far, phone = read_recipe(path).corpus.distortions
    assert far.copies == 2 and far.room is not None and far.room.distance_m == (1.0, 4.0)
    assert [name for name, _ in far.steps()] == ["room", "noise"]
    assert [name for name, _ in phone.steps()] == ["codec"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ("[0, 20]", "[20, 0]"),
            r"distortions\[0\]\.noise: snr_db must be \[lowest, highest\] within -30..60",
        ),
        (("[0, 20]", "[0, 10, 20]"), r"noise: snr_db must be"),
        (("snr_db", "snr"), r"noise: unknown key 'snr'"),
        (("probability = 1.0", "probability = 1.5"), r"noise: probability must be in 0..1, got 1.5"),
        (("[1, 4]", "[1, 40]"), r"room: distance_m"),
        (("rooms = 7", "rooms = 0"), r"room: rooms must be at least 1"),
        (('"gsm"', '"amr"'), r"distortions\[1\]\.codec: codecs must be some of opus, .*got amr"),
        (('["gsm", "ulaw"]', "[]"), r"codec: codecs .*got none"),
        (('"phone"', '"far"'), r"corpus: two distortions are called 'far'"),
        (('"phone"', '"a phone"'), r"name must be lower-case"),
        (("copies = 2", "copies = 0"), r"copies must be at least 1"),
        (('codec = { codecs = ["gsm", "ulaw"] }', ""), r"phone distorts nothing"),
        (("codec =", "vinyl ="), r"unknown key 'vinyl'; known keys: name, copies, speed"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    path = tmp_path / "tiny.toml"
    assert change[0] in RECIPE
    path.write_text(RECIPE.replace(*change))
    with pytest.raises(UsageError, match=message):
        read_recipe(path)


def test_same_seed_same_samples(speech: Float32Array) -> None:
    chain = Chain(name="x", speed=Speed(), band=Band(probability=0.5), level=Level())
    one, notes = chain(speech, np.random.default_rng(5), AROUND)
    other, again = chain(speech, np.random.default_rng(5), AROUND)
    np.testing.assert_array_equal(one, other)
    assert notes == again and notes[0].startswith("speed")
    assert not np.array_equal(one[:100], chain(speech, np.random.default_rng(6), AROUND)[0][:100])


def test_a_step_more_leaves_the_draws_of_the_others_alone(speech: Float32Array) -> None:
    short = Chain(name="x", level=Level())
    longer = Chain(name="x", speed=Speed(), band=Band(probability=1.0), level=Level())
    for seed in range(3):
        [note] = short(speech, np.random.default_rng(seed), AROUND)[1]
        assert longer(speech, np.random.default_rng(seed), AROUND)[1][-1] == note


def test_steps_happen_as_often_as_asked(speech: Float32Array) -> None:
    chain = Chain(name="x", level=Level(probability=0.3))
    times = sum(len(chain(speech[:400], np.random.default_rng(i), AROUND)[1]) for i in range(400))
    assert 80 < times < 160


def test_surroundings_hold_what_the_chain_needs(corpora: Path, tmp_path: Path) -> None:
    chain = Chain(name="x", noise=Noise(), babble=Babble())
    voices = [u.audio for u in read_set(corpora, "a", "train")]
    around = surroundings(chain, root=corpora, voices=voices, cache=tmp_path, sample_rate_hz=16_000)
    assert around.noises is not None and around.voices is not None and around.rooms is None
    assert around.noises.fingerprint != around.voices.fingerprint
    chain = Chain(name="x", noise=Noise(set="nothing"))
    with pytest.raises(UsageError, match="no such manifest"):
        surroundings(chain, root=corpora, voices=(), cache=tmp_path, sample_rate_hz=16_000)
    chain = Chain(name="x", babble=Babble())
    with pytest.raises(UsageError, match="recordings to mix in"):
        surroundings(chain, root=corpora, voices=(), cache=tmp_path, sample_rate_hz=16_000)


def test_held_out_noises_are_not_mixed_in(corpora: Path, tmp_path: Path) -> None:
    def names(*held_out: str) -> set[str]:
        around = surroundings(
            Chain(name="x", noise=Noise()),
            root=corpora,
            voices=(),
            cache=tmp_path,
            sample_rate_hz=16_000,
            held_out=held_out,
        )
        assert around.noises is not None
        return {around.noises.excerpt(10, np.random.default_rng(seed))[1] for seed in range(20)}

    assert names() == names("2", "a*") == {"0", "1"}
    assert names("1") == names("[1-9]*") == {"0"}
    with pytest.raises(UsageError, match="recordings to mix in"):
        names("?")


def test_an_utterance_is_distorted_the_same_in_any_company(corpora: Path, tmp_path: Path) -> None:
    chain = Chain(name="x", noise=Noise(probability=1.0), level=Level())
    utterances = read_set(corpora, "a", "train")
    around = surroundings(chain, root=corpora, voices=(), cache=tmp_path, sample_rate_hz=16_000)
    variant, config = Variant(seed=3, chain=chain), MfccConfig()
    every = cached_features(tmp_path, "a", utterances, config, variant, around)
    last = cached_features(tmp_path, "a", utterances[2:], config, variant, around)
    np.testing.assert_array_equal(every[2], last[0])
    other = cached_features(tmp_path, "a", utterances, config, Variant(seed=4, chain=chain), around)
    assert not np.array_equal(every[2], other[2])
    assert distorted(utterances[0], chain, 3, around)[1] != distorted(utterances[1], chain, 3, around)[1]


def test_cache_knows_the_noises_but_not_the_copies(corpora: Path, tmp_path: Path) -> None:
    utterances, config = read_set(corpora, "a", "train"), MfccConfig()

    def folders(chain: Chain) -> set[str]:
        around = surroundings(chain, root=corpora, voices=(), cache=tmp_path, sample_rate_hz=16_000)
        cached_features(tmp_path / "cache", "a", utterances, config, Variant(chain=chain), around)
        return {path.name for path in (tmp_path / "cache").iterdir()}

    first = folders(Chain(name="x", noise=Noise()))
    assert len(first) == 1
    assert folders(Chain(name="x", noise=Noise(), copies=3)) == first
    soundfile.write(corpora / "noise" / "0.wav", np.zeros(9000), 16_000)
    assert len(folders(Chain(name="x", noise=Noise()))) == 2


def test_features_without_distortions_keep_their_place_in_the_cache(corpora: Path, tmp_path: Path) -> None:
    """The key of a plain variant is that of the time before there were chains."""
    import hashlib
    from dataclasses import asdict

    utterances, config = read_set(corpora, "a", "train"), MfccConfig()
    files = [[str(u.audio), u.audio.stat().st_size] for u in utterances]
    what = [asdict(config), {"speed": 0.9, "level_db": [-14.0, 6.0], "seed": 100}, files]
    key = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:12]
    cached_features(tmp_path, "a", utterances, config, Variant(speed=0.9, level_db=(-14.0, 6.0), seed=100))
    assert (tmp_path / f"a-0.9-{key}" / "offsets.npy").is_file()


def test_the_card_names_noises_that_were_mixed_in(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the card reads a checkpoint")
    from dataclasses import asdict

    from export.card import mixed_in

    path = tmp_path / "tiny.toml"
    path.write_text(RECIPE)
    assert mixed_in(asdict(read_recipe(path))["corpus"]) == ["noise"]
    assert mixed_in({"train": []}) == []
