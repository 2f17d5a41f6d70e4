"""``python -m export lexicon``: the words a model knows, how they are spoken and how often they occur."""

from __future__ import annotations

import argparse
import collections
import lzma
import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from edge_asr.errors import UsageError
from export.dictionary import Dictionary
from export.lm.counts import words_of
from export.variants import merge, read_variants, variants_file

_PLAIN = re.compile(r"[a-z']+")
_GUESSED = re.compile(r"[a-z]{2,}('[a-z]+)?")


def read_text(path: Path) -> Iterator[str]:
    """Lines of a text file, plain or ``.xz``.

    Raises
    ------
    UsageError: there is no such file, or it is no UTF-8 or damaged.
    """
    if not path.is_file():
        raise UsageError(f"{path}: no such text file")
    opener = lzma.open if path.suffix == ".xz" else open
    number = 0
    try:
        with opener(path, "rb") as lines:
            for number, line in enumerate(lines, start=1):  # noqa: B007
                yield line.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        what = f"expected UTF-8 text, got byte 0x{error.object[error.start]:02x}: save the file as UTF-8"
        raise UsageError(f"{path}:{number}: {what}") from error
    except (EOFError, lzma.LZMAError) as error:
        raise UsageError(f"{path}: cannot be unpacked: {error}") from error


def count_words(lines: Iterable[str]) -> collections.Counter[str]:
    """How often each lower-case word occurs."""
    counts: collections.Counter[str] = collections.Counter()
    for line in lines:
        counts.update(words_of(line))
    return counts


def frequent_words(texts: Iterable[collections.Counter[str]], least: int) -> list[str]:
    """Words of letters, and of parts with an apostrophe between them, that come ``least`` times or more."""
    total: collections.Counter[str] = collections.Counter()
    for counts in texts:
        total.update(counts)
    return sorted(word for word, n in total.items() if n >= least and _GUESSED.fullmatch(word))


def choose_words(
    texts: list[tuple[collections.Counter[str], float]], dictionary: Dictionary, size: int
) -> dict[str, float]:
    """The ``size`` most probable words that the dictionary holds, with natural-log probabilities.

    Each text is a Counter with its share of the mixture. Single letters count as seen once per million
    words at least, so that anything can be spelled.
    """
    probability: collections.defaultdict[str, float] = collections.defaultdict(float)
    shares = sum(share for _, share in texts)
    for counts, share in texts:
        total = sum(n for word, n in counts.items() if word in dictionary)
        for word, n in counts.items():
            if word in dictionary:
                probability[word] += share / shares * n / total
    for letter in "abcdefghijklmnopqrstuvwxyz":
        if letter in dictionary:
            probability[letter] = max(probability[letter], 1e-6)
    # Ties are broken by spelling: the same text gives the same lexicon on every machine.
    best = sorted(probability.items(), key=lambda item: (-item[1], item[0]))[:size]
    norm = sum(p for _, p in best)
    return {word: math.log(p / norm) for word, p in sorted(best)}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of ``python -m export lexicon``."""
    parser.add_argument(
        "--text",
        action="append",
        required=True,
        metavar="FILE[=SHARE]",
        help="text to count words in, plain or .xz; SHARE is its part of the mixture (default 1)",
    )
    parser.add_argument("--size", type=int, default=30_000, help="words to keep (default %(default)s)")
    parser.add_argument(
        "--dictionary", type=Path, help="dictionary in CMU's format (default: the packaged one)"
    )
    parser.add_argument(
        "--guess",
        type=int,
        metavar="COUNT",
        help="take words, too, that the dictionary lacks and the texts hold at least COUNT times; how "
        "they are said is guessed",
    )
    parser.add_argument(
        "--rest",
        action="store_true",
        help="add the dictionary's other words to lexicon.txt: for grammars, not for free text",
    )
    parser.add_argument(
        "--variants",
        action="append",
        default=[],
        metavar="FILE",
        help="further ways to say the words, after the dictionary's: a file of 'word PH PH ...', or the name "
        "of a packaged one (british, british-bath, weak); may be given several times",
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="gets lexicon.txt and unigram.txt"
    )


def run(args: argparse.Namespace) -> int:
    """Write ``lexicon.txt`` (``word PH PH``) and ``unigram.txt`` (``word ln-probability``)."""
    dictionary = Dictionary.load(args.dictionary)
    variants = merge([read_variants(variants_file(name)) for name in args.variants])
    texts = []
    for value in args.text:
        name, _, share = value.partition("=")
        texts.append((count_words(read_text(Path(name))), float(share or 1)))
    known = len(dictionary.words())
    if args.guess is not None:
        dictionary = dictionary.with_guesses(frequent_words((counts for counts, _ in texts), args.guess))
    words = choose_words(texts, dictionary, args.size)
    args.out.mkdir(parents=True, exist_ok=True)
    with (args.out / "lexicon.txt").open("w", encoding="utf-8") as out:
        rest = [w for w in dictionary.words() if args.rest and _PLAIN.fullmatch(w)]
        chosen = {*words, *rest}
        for word in sorted(chosen):
            for phones in dict.fromkeys([*dictionary.pronunciations(word), *variants.get(word, [])]):
                out.write(f"{word} {' '.join(phones)}\n")
    with (args.out / "unigram.txt").open("w", encoding="utf-8") as out:
        out.writelines(f"{word} {logprob:.4f}\n" for word, logprob in words.items())
    others = f" and the {len({*rest} - {*words})} others" if args.rest else ""
    if args.guess is not None:
        print(f"{len(dictionary.words()) - known} words that the dictionary lacks are guessed")
    print(f"{len(words)} words{others} -> {args.out / 'lexicon.txt'}, {args.out / 'unigram.txt'}")
    if args.variants:
        heard = variants.keys() & chosen
        print(f"variants of {len(heard)} words; {len(variants) - len(heard)} others are not in the lexicon")
    return 0
