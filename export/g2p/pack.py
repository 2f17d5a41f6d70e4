"""``python -m export g2p-pack RUN_DIR``: the letter-to-phone model that the package brings for a language.

It serves every bundle of the language with these phones, so that none has to carry it.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import shutil
from pathlib import Path

from edge_asr.bundle import G2P
from edge_asr.decoder.g2p import G2p
from edge_asr.decoder.tokens import Tokens
from edge_asr.errors import UsageError
from export.g2p.checkpoint import G2pCheckpoint, load_g2p
from export.g2p.convert import held_out_errors
from export.g2p.score import Errors
from export.sources import sources_of

_SOURCE = "cmudict"


def pack_g2p(run_dir: Path, directory: Path, language: str) -> Errors:
    """Write the model, its checksum and its card; return what the model gets wrong.

    Raises
    ------
    UsageError: the run has no converted model.
    BundleError: the file is no letter-to-phone model, or does not say how it was measured.
    """
    checkpoint, graph = load_g2p(run_dir), run_dir / G2P
    if not graph.is_file():
        raise UsageError(f"{graph}: is missing; make it with: python -m export g2p-convert {run_dir}")
    errors = held_out_errors(G2p(graph, Tokens(checkpoint.tokens)))
    directory.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(graph, directory / G2P)
    checksum = hashlib.sha256(graph.read_bytes()).hexdigest()
    (directory / f"{G2P}.sha256").write_text(f"{checksum}  {G2P}\n", encoding="ascii")
    card = render(checkpoint, errors, language=language, size=graph.stat().st_size)
    (directory / "CARD.md").write_text(card, encoding="utf-8")
    return errors


def render(checkpoint: G2pCheckpoint, errors: Errors, *, language: str, size: int) -> str:
    """The card as Markdown."""
    weights = sum(tensor.numel() for tensor in checkpoint.weights.values())
    [(_, source)] = sources_of([_SOURCE])
    recipe = json.dumps(dataclasses.asdict(checkpoint.recipe), indent=1)
    return f"""# Pronunciations from letters, language {language}

Guesses how words are said that no lexicon has, for every model of the language with these phones. A
bidirectional LSTM with {weights / 1e6:.2f} million weights, int8, two frames for each letter: {size} bytes.

Learned from {source.title}, {source.licence}. On {errors.words} of its words that were held out
with all their forms: word error {errors.word_error:.1%}, phone error {errors.phone_error:.1%}
(`python -m export g2p-verify runs/g2p`).

```
python -m export g2p export/recipes/g2p.toml
python -m export g2p-convert runs/g2p
python -m export g2p-verify runs/g2p
python -m export g2p-pack runs/g2p --language {language}
```

Phones: {" ".join(checkpoint.tokens[1:])}

The recipe as it was run:

```json
{recipe}
```
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of ``python -m export g2p-pack``."""
    parser.add_argument(
        "run_dir", type=Path, metavar="RUN_DIR", help="directory that holds g2p.pt and g2p.onnx"
    )
    parser.add_argument(
        "--language", default="en", help="first subtag of the BCP 47 tag (default %(default)s)"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("edge_asr/models"),
        metavar="DIR",
        help="the model becomes DIR/g2p-LANGUAGE (default %(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Write the model's directory."""
    if not args.language.isalpha() or not args.language.islower():
        raise UsageError(f"--language: expected lower-case letters such as 'en', got {args.language!r}")
    directory = args.out / f"g2p-{args.language}"
    errors = pack_g2p(args.run_dir, directory, args.language)
    print(f"{directory}: {errors}")
    return 0
