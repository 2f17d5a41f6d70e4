"""How words are said: as the user says, else as the lexicon says, else as the letters suggest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from edge_asr.decoder.g2p import G2p
from edge_asr.decoder.lexicon import Lexicon, Pronunciation
from edge_asr.decoder.spelling import plain_parts
from edge_asr.decoder.word_report import Source, SpokenWord, WordReport
from edge_asr.errors import UsageError

Ways = str | Iterable[str] | None
"""Pronunciations that a user gives: one ("F UW"), several, or None for none."""


def wanted_words(words: Iterable[str] | Mapping[str, Ways]) -> dict[str, tuple[str, ...]]:
    """Each word with the pronunciations that the user gives, in order, if any.

    Raises
    ------
    UsageError: a text in the place of words, a word that is empty or several, or a pronunciation
        without phones.
    """
    if isinstance(words, str):
        raise UsageError(f"expected words, got one text: write [{words[:20]!r}]")
    given = words if isinstance(words, Mapping) else dict.fromkeys(words)
    wanted: dict[str, tuple[str, ...]] = {}
    for word, ways in given.items():
        if not isinstance(word, str) or len(word.split()) != 1 or word != word.strip():
            raise UsageError(
                f"expected one word without spaces, got {word!r}: add the words of a name one by one"
            )
        phones = (ways,) if isinstance(ways, str) else tuple(ways or ())
        wanted[word] = tuple(" ".join(way.split()) for way in phones)
        if not all(wanted[word]):
            raise UsageError(f"{word!r}: expected a pronunciation such as 'W ER D', got an empty one")
    return wanted


def find_ways(
    wanted: Mapping[str, tuple[str, ...]], lexicon: Lexicon, g2p: Callable[[], G2p | None]
) -> WordReport:
    """All ways to say each of the words: the user's first, then the lexicon's; a guess where there is none.

    The lexicon is also asked for the plain writing of a word ("berlin" for "Berlin").

    Parameters
    ----------
    g2p: gives what guesses, and is called only when there is something to guess. None can guess nothing:
        then every word must be known.

    Raises
    ------
    UsageError: a phone that the model does not have, or words of which no pronunciation is to be had, all
        in one message.
    """
    names = lexicon.tokens.names
    ways: dict[str, dict[str, Source]] = {}
    for word, given in wanted.items():
        for phones in given:
            _check_phones(word, phones, lexicon)
        ways[word] = dict.fromkeys(given, "user")
        for way in lexicon.pronunciations(word) or _of_plain_writing(word, lexicon):
            ways[word].setdefault(_phones(way, names), "lexicon")
    unknown = [word for word, found in ways.items() if not found]
    if unknown:
        refused = [reason for word in unknown if (reason := _unspeakable(word))]
        if refused:
            raise UsageError("; ".join(refused))
        guesser = g2p()
        if guesser is None:
            named = ", ".join(map(repr, unknown))
            raise UsageError(
                f"unknown words {named}: the model brings nothing to guess with, so give their phones"
            )
        for word, way in zip(unknown, guesser.pronounce_all(unknown, lexicon), strict=True):
            ways[word][_phones(way, names)] = "guessed"
    return WordReport(
        spoken=tuple(
            SpokenWord(word=word, phones=phones, source=source)
            for word, found in ways.items()
            for phones, source in found.items()
        )
    )


def cover(unknown: Sequence[str], lexicon: Lexicon, g2p: G2p) -> tuple[Lexicon, tuple[SpokenWord, ...]]:
    """A lexicon that also knows those of ``unknown`` that can be guessed, and the guesses.

    The others stay unknown, for whoever knows the line they stand on.
    """
    report = find_ways({word: () for word in unknown if not _unspeakable(word)}, lexicon, lambda: g2p)
    return with_ways(lexicon, report), report.guessed


def with_ways(lexicon: Lexicon, report: WordReport) -> Lexicon:
    """The lexicon with all that the report says put first."""
    lines = "\n".join(f"{way.word} {way.phones}" for way in report.spoken)
    return lexicon.extended(lines, source="added words")


def _unspeakable(word: str) -> str:
    """Why nothing can be guessed for a word; empty where something can."""
    try:
        plain_parts(word)
    except UsageError as error:
        return str(error)
    return ""


def _check_phones(word: str, phones: str, lexicon: Lexicon) -> None:
    for phone in phones.split():
        if lexicon.tokens.index.get(phone, 0) == 0:
            known = " ".join(lexicon.tokens.names[1:])
            raise UsageError(f"{word!r}: {phone!r} is no phone of this model; its phones are {known}")


def _of_plain_writing(word: str, lexicon: Lexicon) -> tuple[Pronunciation, ...]:
    parts = () if _unspeakable(word) else plain_parts(word)
    return lexicon.pronunciations(parts[0]) if len(parts) == 1 else ()


def _phones(way: Pronunciation, names: tuple[str, ...]) -> str:
    return " ".join(names[token] for token in way)
