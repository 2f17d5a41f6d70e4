from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from grammar_text import RECIPE

torch = pytest.importorskip("torch", reason="needs torch (the extra train)")

from edge_asr.errors import BundleError  # noqa: E402
from export.__main__ import main  # noqa: E402
from export.neural_lm.batches import Sentences  # noqa: E402
from export.neural_lm.checkpoint import load_pieces  # noqa: E402
from export.neural_lm.perplexity import piece_costs, word_perplexities  # noqa: E402
from export.neural_lm.recipe import read_piece_recipe  # noqa: E402
from export.neural_lm.token_file import read_token_file  # noqa: E402

CPU = torch.device("cpu")


def test_it_remembers_what_trigrams_forget(lm_run: Path, lm_texts: Path) -> None:
    checkpoint = load_pieces(lm_run)
    [found] = word_perplexities(checkpoint.restore(), read_token_file(lm_texts), CPU).values()
    # Room: one of 4 (1.39 nats), "very" or not: at most 3 times one of 2; all else follows, the colour too,
    # in sentences of 8 to 12 words and their end.
    assert found.known < math.exp((math.log(4) + 1.1) / 8) * 1.1
    assert str(found) == checkpoint.history[-1]["perplexity"]["text.txt"]


def test_unknown_words_are_not_counted(lm_run: Path, lm_texts: Path) -> None:
    content = read_token_file(lm_texts)
    [found] = word_perplexities(load_pieces(lm_run).restore(), content, CPU).values()
    words = int(content.begins_word[content.texts[0].held_out].sum())
    hallways = int((~content.texts[0].counted & content.begins_word[content.texts[0].held_out]).sum())
    assert hallways > 0
    assert found.words == words - hallways


def test_packed_sentences_cost_what_each_costs_alone(lm_run: Path, lm_texts: Path) -> None:
    network = load_pieces(lm_run).restore()
    tokens = read_token_file(lm_texts).texts[0].held_out
    together = piece_costs(network, tokens, CPU)
    ends = np.flatnonzero(tokens == 0) + 1
    alone = [piece_costs(network, sentence, CPU) for sentence in np.split(tokens, ends)[:-1]]
    np.testing.assert_allclose(together, np.concatenate(alone), atol=1e-5)


@pytest.mark.parametrize("longest", [None, 3])
def test_every_token_is_learned_once_an_epoch(longest: int | None) -> None:
    rng = np.random.default_rng(0)
    sentences = [[*rng.integers(1, 50, rng.integers(1, 9)), 0] for _ in range(40)]
    text = np.concatenate(sentences).astype(np.uint16)
    learned = Sentences([text], CPU, longest=longest)
    expected = sorted(
        (int(before), int(token))
        for sentence in sentences
        for before, token in list(zip([0, *sentence], sentence, strict=False))[:longest]
    )
    found = []
    for batch in learned.batches(rng.permutation(len(learned)), 30):
        assert int(batch.sentences.sum()) == batch.places.shape[0]
        assert (batch.sentences.diff() <= 0).all()
        read, foretold = learned.tokens[batch.places], learned.tokens[batch.places + 1]
        assert (read[: int(batch.sentences[0])] == 0).all()
        found += list(zip(read.tolist(), foretold.tolist(), strict=True))
    assert sorted(found) == expected


def test_texts_are_mixed_by_their_shares() -> None:
    long, short = np.tile([1, 2, 3, 0], 400).astype(np.uint16), np.tile([4, 0], 50).astype(np.uint16)
    learned = Sentences([long, short], CPU)
    order = learned.mixed([0.8, 0.2], np.random.default_rng(1))
    assert np.count_nonzero(order < 400) == 400
    assert np.count_nonzero(order >= 400) == 200
    again = learned.mixed([0.8, 0.2], np.random.default_rng(1))
    assert order.tolist() == again.tolist()


def test_the_same_seed_gives_the_same_model(lm_run: Path, lm_texts: Path, tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(RECIPE)
    command = ["neural-lm", str(tmp_path / "tiny.toml"), "--texts", str(lm_texts), "--out", str(tmp_path)]
    assert main(command) == 0
    first, second = load_pieces(lm_run), load_pieces(tmp_path)
    assert first.weights.keys() == second.weights.keys()
    assert all(torch.equal(first.weights[name], second.weights[name]) for name in first.weights)


def test_the_clock_ends_a_run(lm_texts: Path, tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(RECIPE.replace("epochs = 8", "epochs = 100000"))
    command = ["neural-lm", str(tmp_path / "tiny.toml"), "--texts", str(lm_texts), "--out", str(tmp_path)]
    assert main([*command, "--minutes", "0.01"]) == 0
    assert load_pieces(tmp_path).history[-1]["seconds"] < 20
    assert main([*command, "--minutes", "0"]) != 0


def test_damaged_files_are_refused(lm_texts: Path, lm_run: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "texts.npz"
    damaged.write_bytes(lm_texts.read_bytes()[:500])
    with pytest.raises(BundleError, match="no file of neural-lm-texts"):
        read_token_file(damaged)
    (tmp_path / "neural-lm.pt").write_bytes((lm_run / "neural-lm.pt").read_bytes()[:500])
    with pytest.raises(BundleError, match="not a checkpoint"):
        load_pieces(tmp_path)


def test_the_packaged_recipe_is_valid(repository: Path) -> None:
    assert read_piece_recipe(repository / "export" / "recipes" / "neural-lm.toml").name == "neural-lm"
