from __future__ import annotations

from pathlib import Path

import pytest

from export.dictionary import Dictionary
from export.g2p.score import count_errors
from export.g2p.words import LETTERS, DictionaryWord, family, split_words


@pytest.mark.parametrize(
    ("word", "base"),
    [
        ("zebra", "zebra"),
        ("zebras", "zebra"),
        ("zebra's", "zebra"),
        ("zebras'", "zebra"),
        ("boxes", "box"),
        ("cities", "city"),
        ("city's", "city"),
        ("glass", "glass"),
        ("lens", "lens"),
        ("'s", "'s"),
        ("s", "s"),
        ("em'", "em"),
    ],
)
def test_possessives_and_plurals_belong_to_their_word(word: str, base: str) -> None:
    assert family(word, {"zebra", "zebras", "box", "city", "cities", "glass", "lens"}) == base


def test_words_are_split_by_family(tiny_dictionary: Path) -> None:
    dictionary = Dictionary.load(tiny_dictionary)
    learned, held_out = split_words(dictionary, share=0.1, seed=1)
    names = [word.word for word in learned], [word.word for word in held_out]
    assert not set(names[0]) & set(names[1])
    assert sorted(names[0] + names[1]) == [w for w in dictionary.words() if set(w) <= set(LETTERS)]
    families = [{family(word, dictionary.words()) for word in side} for side in names]
    assert not families[0] & families[1]
    assert 0.07 < len(names[1]) / len(names[0] + names[1]) < 0.13
    by_word = {word.word: word for word in learned + held_out}
    two_ways = next(word for word in by_word.values() if len(word.ways) == 2)
    assert list(two_ways.ways) == dictionary.pronunciations(two_ways.word)


def test_the_seed_decides_what_is_held_out(tiny_dictionary: Path) -> None:
    dictionary = Dictionary.load(tiny_dictionary)
    first, again, other = (
        {word.word for word in split_words(dictionary, share=0.1, seed=seed)[1]} for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_a_guess_is_right_if_it_is_any_of_the_pronunciations() -> None:
    words = [
        DictionaryWord(word="route", ways=(("R", "UW", "T"), ("R", "AW", "T"))),
        DictionaryWord(word="lamp", ways=(("L", "AE", "M", "P"),)),
        DictionaryWord(word="tomato", ways=(("T", "AH", "M", "EY", "T", "OW"), ("T", "M", "AA"))),
    ]
    errors = count_errors(words, [("R", "AW", "T"), ("L", "EH", "M", "P", "S"), ("T", "M", "AE")])
    assert (errors.words, errors.wrong, errors.edits, errors.phones) == (3, 2, 3, 10)
    assert errors.word_error == pytest.approx(2 / 3)
    assert errors.phone_error == pytest.approx(0.3)
