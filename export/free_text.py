"""``python -m export free-text BUNDLE``: other words and another language model for a bundle.

The network stays as it is, so no run and no corpus is needed: a text, ``lexicon`` and ``lm`` (or an ARPA file
of any other tool) make a bundle that writes down what one trade, one house or one game says. Rejection keeps
its background of phones, and with it its calibration.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
from collections.abc import Mapping
from pathlib import Path

from edge_asr.bundle import LEXICON, TOKENS, WORD_LOOP, Bundle
from edge_asr.decoder.g2p import G2p
from edge_asr.decoder.lexicon import Lexicon
from edge_asr.decoder.tokens import Tokens
from edge_asr.decoder.vocabulary import cover
from edge_asr.decoder.word_report import SpokenWord
from edge_asr.errors import UsageError
from export.lm.arpa import read_arpa
from export.lm.automaton import free_text_graph
from export.lm.model import SPECIAL, BackoffModel
from export.pack import CARD, check_name, decoder_with, write_bundle
from export.word_files import compress, graph_bytes, lexicon_text

_TITLE = "## Free text"
_NAMED = 10
"""Words that are named where many are left out."""


def with_free_text(
    bundle: Bundle,
    directory: Path,
    *,
    name: str,
    lexicon: Lexicon | None,
    lm: BackoffModel | None,
    decoder: Mapping[str, str] | None = None,
) -> tuple[Bundle, tuple[SpokenWord, ...], tuple[str, ...]]:
    """Write the bundle with other words or another language model into ``directory``, and load it.

    Parameters
    ----------
    name: of the new bundle.
    lexicon: takes the place of the bundle's; None keeps it.
    lm: of free text; its words that the lexicon lacks are guessed as the runtime does. None keeps the graph.
    decoder: settings of the search to change, such as ``lm_scale``, with their values as JSON.

    Returns
    -------
    The bundle, the guesses, and the words of ``lm`` that nobody can pronounce and that are left out.

    Raises
    ------
    GrammarError: the lexicon has no word of ``lm``, and none can be guessed.
    UsageError: ``directory`` holds something else, or the bundle has no lexicon.
    BundleError: the lexicon names phones that the bundle lacks.
    """
    if LEXICON not in bundle.config.files:
        raise UsageError(f"{bundle.directory}: has no {LEXICON}: its units are no phones, it needs no words")
    tokens = Tokens.load(bundle.path(TOKENS))
    known = lexicon or Lexicon.load(bundle.path(LEXICON), tokens)
    files = {file: bundle.path(file).read_bytes() for file in bundle.config.files}
    guessed: tuple[SpokenWord, ...] = ()
    left_out: tuple[str, ...] = ()
    if lm is not None:
        unknown = [word for word in lm.words if word not in known and word not in SPECIAL]
        g2p = G2p.of_bundle(bundle, tokens) if unknown else None
        if g2p is not None:
            known, guessed = cover(unknown, known, g2p)
        left_out = tuple(word for word in unknown if word not in known)
        files[WORD_LOOP] = graph_bytes(free_text_graph(lm, known))
    if lexicon or guessed:
        files[LEXICON] = compress(lexicon_text(known).encode())
    if CARD in files:
        card = files[CARD].decode().partition(f"\n{_TITLE}\n")[0]
        files[CARD] = f"{card}\n{_TITLE}\n\n{_says(bundle, known, lm, lexicon)}\n".encode()
    config = dataclasses.replace(
        bundle.config,
        name=name,
        decoder=decoder_with(dataclasses.asdict(bundle.config.decoder), decoder or {}),
        files={file: hashlib.sha256(data).hexdigest() for file, data in files.items()},
    )
    write_bundle(directory, files, config)
    return Bundle.load(directory), guessed, left_out


def _says(bundle: Bundle, known: Lexicon, lm: BackoffModel | None, lexicon: Lexicon | None) -> str:
    """For the card: what is no longer as it says above."""
    lines = [
        f"The figures above are those of `{bundle.config.name}`, whose network this is; other are here:",
        "",
    ]
    if lexicon is not None:
        lines.append(f"- the lexicon: {len(known):,} words")
    if lm is not None:
        lines.append(f"- the language model: {lm.ngrams:,} n-grams of order 1 to {lm.order}")
    return "\n".join(lines)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of ``python -m export free-text``."""
    parser.add_argument("bundle", help="name of a packaged model, or a bundle's directory")
    parser.add_argument(
        "--lm",
        type=Path,
        metavar="FILE",
        help="back-off language model of free text (lm.arpa of python -m export lm, or of any other tool); "
        "words of it that the lexicon lacks are guessed",
    )
    parser.add_argument(
        "--lexicon",
        type=Path,
        metavar="FILE",
        help="words that grammars may use, plain or .xz (lexicon.txt of python -m export lexicon), in the "
        "place of the bundle's",
    )
    parser.add_argument("--name", required=True, help="name of the model: lower-case letters, digits, '-'")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the bundle becomes DIR/NAME")
    parser.add_argument(
        "--decoder",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="setting of the search to change, such as lm_scale=1.0 or word_penalty=0.0",
    )


def run(args: argparse.Namespace) -> int:
    """Write the bundle ``DIR/NAME``."""
    check_name(args.name)
    if args.lm is None and args.lexicon is None:
        raise UsageError("nothing to change: give --lm FILE, --lexicon FILE or both")
    bundle = Bundle.load(args.bundle)
    lexicon = Lexicon.load(args.lexicon, Tokens.load(bundle.path(TOKENS))) if args.lexicon else None
    made, guessed, left_out = with_free_text(
        bundle,
        args.out / args.name,
        name=args.name,
        lexicon=lexicon,
        lm=read_arpa(args.lm) if args.lm else None,
        decoder=dict(setting.partition("=")[::2] for setting in args.decoder),
    )
    for way in guessed:
        print(way)
    if left_out:
        more = f" and {len(left_out) - _NAMED:,} more" if len(left_out) > _NAMED else ""
        print(f"left out, nobody can pronounce: {', '.join(left_out[:_NAMED])}{more}")
    print(f"{made.directory}: try edge-asr transcribe --model {made.directory} FILE")
    return 0
