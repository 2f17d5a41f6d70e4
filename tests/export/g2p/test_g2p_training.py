from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from spelling_rules import write_recipe

torch = pytest.importorskip("torch", reason="training needs torch")

from export.__main__ import main  # noqa: E402
from export.dictionary import Dictionary  # noqa: E402
from export.g2p.checkpoint import G2P_FILE, TOKENS, load_g2p  # noqa: E402
from export.g2p.guess import answers, read_off  # noqa: E402
from export.g2p.lessons import Lessons, frames_of  # noqa: E402
from export.g2p.network import G2pNetworkConfig, LetterNetwork  # noqa: E402
from export.g2p.recipe import read_g2p_recipe  # noqa: E402
from export.g2p.words import LETTERS, DictionaryWord, split_words  # noqa: E402


def test_it_learns_to_say_words_that_it_never_saw(tiny_run: Path) -> None:
    checkpoint = load_g2p(tiny_run)
    assert len(checkpoint.history) == checkpoint.recipe.training.epochs
    first, last = checkpoint.history[0], checkpoint.history[-1]
    assert last["loss"] < first["loss"]
    assert last["word_error"] < 0.15
    assert last["phone_error"] < 0.05
    network = checkpoint.restore()
    [said] = read_off(answers(network, ["cibox"], LETTERS), TOKENS)
    assert said == ("S", "IH", "B", "AA", "K", "S")


def test_a_stopped_run_goes_on_as_if_it_had_not_stopped(
    tmp_path: Path, tiny_dictionary: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = write_recipe(tmp_path / "tiny.toml", tiny_dictionary, epochs=2)
    assert main(["g2p", str(recipe), "--out", str(tmp_path / "whole")]) == 0
    from export.g2p.training import G2pTraining

    save = G2pTraining._save

    def save_and_stop(training: G2pTraining) -> None:
        save(training)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(G2pTraining, "_save", save_and_stop)
        assert main(["g2p", str(recipe), "--out", str(tmp_path / "stopped")]) == 130
    assert len(load_g2p(tmp_path / "stopped").history) == 1
    capsys.readouterr()
    assert main(["g2p", str(recipe), "--out", str(tmp_path / "stopped")]) == 0
    assert "resuming after epoch 1" in capsys.readouterr().out
    whole, stopped = load_g2p(tmp_path / "whole"), load_g2p(tmp_path / "stopped")
    assert [entry["loss"] for entry in whole.history] == [entry["loss"] for entry in stopped.history]
    for name, weight in whole.weights.items():
        assert torch.equal(weight, stopped.weights[name])


def test_a_run_of_another_recipe_is_not_resumed(
    tmp_path: Path, tiny_dictionary: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = write_recipe(tmp_path / "one.toml", tiny_dictionary, epochs=1)
    other = tmp_path / "other.toml"
    other.write_text(one.read_text().replace("held_out = 0.1", "held_out = 0.2"))
    assert main(["g2p", str(one), "--out", str(tmp_path / "run")]) == 0
    assert main(["g2p", str(other), "--out", str(tmp_path / "run")]) == 2
    assert "a run of another recipe" in capsys.readouterr().err
    assert main(["g2p", str(other), "--out", str(tmp_path / "run"), "--restart"]) == 0


def test_every_word_is_learned_once_an_epoch_in_one_of_its_ways() -> None:
    words = [
        DictionaryWord(word="ab", ways=(("AA", "B"), ("AE", "B"))),
        DictionaryWord(word="abc", ways=(("AA", "B", "K"),)),
        DictionaryWord(word="bcd", ways=(("B", "K", "D"),)),
        DictionaryWord(word="w", ways=(("D", "AH", "B", "AH", "L", "Y", "UW"),)),
    ]
    lessons = Lessons(words, letters=LETTERS, tokens=TOKENS, frames_per_letter=2)
    assert (len(lessons), lessons.left_out) == (3, 1)
    seen = set()
    for number in range(8):
        learned = {}
        for lesson in lessons.epoch(number, seed=1, batch_letters=100):
            phones = iter(lesson.phones.tolist())
            for letters, length in zip(lesson.letters.tolist(), lesson.lengths.tolist(), strict=True):
                learned["".join(LETTERS[n] for n in letters)] = [TOKENS[next(phones)] for _ in range(length)]
        assert sorted(learned) == ["ab", "abc", "bcd"]
        assert learned["bcd"] == ["B", "K", "D"]
        seen.add(learned["ab"][0])
    assert seen == {"AA", "AE"}
    assert lessons.batches(100) == 2
    assert lessons.batches(3) == 3


def test_equal_phones_need_a_frame_between_them() -> None:
    assert frames_of(("B", "UH", "K", "K", "IY")) == 6


def test_words_of_a_batch_do_not_see_each_other() -> None:
    torch.manual_seed(0)
    network = LetterNetwork(G2pNetworkConfig(hidden=8), letters=len(LETTERS), tokens=len(TOKENS)).eval()
    together = answers(network, ["lamp", "tree", "road"], LETTERS)
    for word, answer in zip(("lamp", "tree", "road"), together, strict=True):
        assert answer.shape == (8, len(TOKENS))
        [alone] = answers(network, [word], LETTERS)
        assert abs(answer - alone).max() < 1e-5


def test_the_packaged_recipe_is_valid(repository: Path) -> None:
    assert read_g2p_recipe(repository / "export" / "recipes" / "g2p.toml").name == "g2p"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("hidden = 24", "hiden = 24"), "unknown key 'hiden'"),
        (("hidden = 24", "hidden = 0"), "must be at least 1"),
        (("dropout = 0.0", "dropout = 1.0"), "below 1, got 1.0"),
        (("[network]", "[network"), "tiny.toml"),
    ],
)
def test_mistakes_of_a_recipe_are_named(
    tmp_path: Path,
    tiny_dictionary: Path,
    capsys: pytest.CaptureFixture[str],
    change: tuple[str, str],
    message: str,
) -> None:
    recipe = write_recipe(tmp_path / "tiny.toml", tiny_dictionary)
    recipe.write_text(recipe.read_text().replace(*change))
    assert main(["g2p", str(recipe), "--out", str(tmp_path / "run")]) == 2
    assert message in capsys.readouterr().err


def test_a_dictionary_without_words_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dictionary = tmp_path / "small.dict"
    dictionary.write_text("lamp L AE M P\n")
    recipe = write_recipe(tmp_path / "tiny.toml", dictionary)
    assert main(["g2p", str(recipe), "--out", str(tmp_path / "run")]) == 2
    assert "words to learn and words held out" in capsys.readouterr().err


def test_a_damaged_checkpoint_is_named(tmp_path: Path, tiny_run: Path) -> None:
    from edge_asr.errors import BundleError, UsageError

    with pytest.raises(UsageError, match="no such checkpoint"):
        load_g2p(tmp_path)
    (tmp_path / G2P_FILE).write_bytes(b"nothing")
    with pytest.raises(BundleError, match="not a checkpoint"):
        load_g2p(tmp_path)
    checkpoint = load_g2p(tiny_run)
    smaller = dataclasses.replace(checkpoint.recipe, network=G2pNetworkConfig(hidden=8))
    with pytest.raises(BundleError, match="do not fit"):
        dataclasses.replace(checkpoint, recipe=smaller).restore()
    assert split_words(Dictionary.load(Path(checkpoint.recipe.dictionary or "")), share=0.1, seed=1)[1]
