"""What a bundle holds, in words and numbers, and which of its files can be trusted."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from edge_asr.bundle import LEXICON, NEURAL_LM, TOKENS, WORD_LOOP, Bundle, Description
from edge_asr.decoder.g2p import G2p
from edge_asr.decoder.graph import Graph
from edge_asr.decoder.lexicon import Lexicon
from edge_asr.decoder.lm import LanguageModel
from edge_asr.decoder.neural_lm import NeuralLm
from edge_asr.decoder.tokens import Tokens
from edge_asr.errors import BundleError
from edge_asr.signature import SIGNATURE, Signature, require_signature
from edge_asr.trust import TrustedKeys, show_key

CARD = "CARD.md"
"""Where pack writes what a model learned from and under which terms."""

_LICENCES = "## Data and licences"

State = Literal["right", "wrong", "surplus"]


@dataclass(frozen=True, kw_only=True)
class FileState:
    """One file of a bundle, compared with its hash."""

    file: str
    """Its name."""
    state: State
    """``right``; ``wrong`` is missing, changed or not within the bundle; ``surplus`` is one that the bundle
    does not name."""
    problem: str = ""
    """What is wrong."""


@dataclass(frozen=True, kw_only=True)
class SignatureState:
    """A bundle's signature."""

    state: Literal["unsigned", "not checked", "valid", "refused"]
    """``not checked`` is one that nobody asked about."""
    key: str | None = None
    """Public key in base64 of who claims to have signed."""
    signer: str | None = None
    """Name of that key in the trust file; only of a valid signature."""
    problem: str = ""
    """Why it was refused."""


def file_states(found: Description) -> list[FileState]:
    """Each file that the bundle names, and each that lies there unnamed, by name."""
    states = []
    for file in sorted(found.config.files):
        try:
            found.verify(file)
            states.append(FileState(file=file, state="right"))
        except BundleError as error:
            states.append(FileState(file=file, state="wrong", problem=str(error)))
    return [*states, *(FileState(file=file, state="surplus") for file in found.surplus())]


def signature_state(found: Description, trusted: TrustedKeys | None, *, check: bool) -> SignatureState:
    """What the signature is worth.

    Parameters
    ----------
    trusted: keys of which one must have signed. None takes an unsigned bundle as it is, but no signature on
        its own word.
    check: False only says whether there is one; then the package cryptography is not needed.

    Raises
    ------
    MissingExtraError: a signature is to be checked, and that package is not installed.
    """
    try:
        signature = Signature.read(found.directory / SIGNATURE)
    except BundleError as error:
        return SignatureState(state="refused", problem=str(error))
    key = show_key(signature.key) if signature else None
    if not check or (signature is None and trusted is None):
        return SignatureState(state="not checked" if signature else "unsigned", key=key)
    try:
        keys = trusted or TrustedKeys(source="any trust file here", names={})
        signer = require_signature(found.directory, found.checksums(), keys)
    except BundleError as error:
        return SignatureState(state="refused", key=key, problem=str(error))
    return SignatureState(state="valid", key=key, signer=signer)


def bundle_facts(bundle: Bundle, fingerprint: str) -> dict[str, Any]:
    """What a verified bundle is, as the JSON of ``edge-asr inspect``.

    Parameters
    ----------
    fingerprint: sha256 of model.json, which stands for all files.

    Raises
    ------
    BundleError: the tokens, the lexicon, the search graph or the language model cannot be read.
    """
    config = bundle.config
    sizes = {file: bundle.path(file).stat().st_size for file in sorted(config.files)}
    return {
        "name": config.name,
        "version": fingerprint,
        "schema": config.schema,
        "language": config.language,
        "directory": str(bundle.directory),
        "size_bytes": sum(sizes.values()),
        "files": sizes,
        # By the key of model.json that names each; every engine reads one of them.
        "graphs": {
            key: file for key, file in dataclasses.asdict(config.acoustic).items() if file in (*sizes,)
        },
        "acoustic": {
            "sample_rate_hz": config.mfcc.sample_rate_hz,
            "outputs": config.acoustic.outputs,
            "step_ms": config.acoustic.chunk_frames * config.mfcc.frame_shift_ms,
            "lookahead_ms": config.acoustic.lookahead_frames * config.mfcc.frame_shift_ms,
        },
        "vocabulary": _vocabulary(bundle),
        "licences": _licences(bundle),
    }


def _vocabulary(bundle: Bundle) -> dict[str, Any]:
    """Units, words that have pronunciations, words of free text and what weighs them."""
    tokens = Tokens.load(bundle.path(TOKENS))
    files, units = bundle.config.files, bundle.config.decoder.units
    graph = Graph.load(bundle.path(WORD_LOOP)) if WORD_LOOP in files else None
    return {
        "units": units,
        "tokens": len(tokens),
        "lexicon_words": len(Lexicon.load(bundle.path(LEXICON), tokens)) if LEXICON in files else 0,
        "free_text_words": len(graph.outputs) if graph else 0,
        "language_model": _language_model(graph.lm) if graph and graph.lm else None,
        "neural_language_model": _neural(bundle),
        "guesses_pronunciations": G2p.of_bundle(bundle, tokens) is not None,
    }


def _language_model(lm: LanguageModel) -> dict[str, int]:
    """Order, and n-grams of all orders."""
    order, histories = 1, np.arange(lm.states, dtype=np.int32)
    while histories.any():
        order, histories = order + 1, lm.backoff_states.take(histories)
    return {"order": order, "words": lm.words, "n_grams": int(lm.unigrams.size + lm.keys.size)}


def _neural(bundle: Bundle) -> dict[str, int] | None:
    """What re-scores free text, if anything does."""
    rescoring = bundle.config.decoder.rescoring
    if rescoring is None:
        return None
    path = bundle.path(NEURAL_LM)
    model = NeuralLm.load(path)
    return {
        "pieces": len(model.pieces),
        "size_bytes": path.stat().st_size,
        "memory_bytes": model.nbytes,
        "sentences": rescoring.sentences,
    }


def _licences(bundle: Bundle) -> list[dict[str, str]]:
    """The card's table of sets and terms; empty where the bundle brings no card, or another kind."""
    if CARD not in bundle.config.files:
        return []
    text = bundle.path(CARD).read_text(encoding="utf-8", errors="replace")
    rows = []
    for line in text.partition(_LICENCES)[2].partition("\n## ")[0].splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == 4 and not set(cells[0]) <= {"-"}:
            rows.append(dict(zip(("set", "use", "source", "licence"), cells, strict=True)))
    return rows[1:]
