"""``python -m export pack RUN_DIR``: everything a device needs of a model, in one directory with hashes.

The same input gives the same bytes: no dates, sorted keys, fixed compression.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edge_asr import golden
from edge_asr.bundle import (
    G2P,
    GOLDEN,
    LEXICON,
    MODEL_JSON,
    NEURAL_LM,
    PHONE_LOOP,
    SCHEMA,
    SEAL,
    TOKENS,
    WORD_LOOP,
    Bundle,
)
from edge_asr.config import BundleConfig, DecoderConfig, RescoringConfig, from_dict
from edge_asr.decoder.g2p import G2p
from edge_asr.decoder.lexicon import Lexicon
from edge_asr.decoder.neural_lm import NeuralLm
from edge_asr.decoder.tokens import Tokens
from edge_asr.errors import BundleError, UsageError
from export.card import render_card
from export.checkpoint import Checkpoint
from export.g2p.convert import held_out_errors
from export.g2p.score import Errors
from export.golden import COMMENT, golden_vectors
from export.lm.arpa import read_arpa
from export.lm.automaton import free_text_graph
from export.net.engine import whole_file
from export.parity import SAME, compare
from export.phone_loop import phone_loop
from export.quantize.record import read_record
from export.rundir import GRAPH, INT8_GRAPH, INT8_TFLITE, RunDir
from export.tflite_answer import FAR, check_tflite
from export.word_files import compress, graph_bytes, lexicon_text, read_bytes, unigrams, word_loop

CARD = "CARD.md"

_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")


def write_model_json(directory: Path, config: BundleConfig) -> None:
    """Write ``model.json`` and its seal; ``config.files`` already holds the hashes of the other files."""
    content = json.dumps(dataclasses.asdict(config), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    data = content.encode()
    (directory / MODEL_JSON).write_bytes(data)
    (directory / SEAL).write_bytes(f"{hashlib.sha256(data).hexdigest()}  {MODEL_JSON}\n".encode())


def pack(
    run_dir: RunDir,
    directory: Path,
    *,
    name: str,
    lexicon: Lexicon,
    language: str = "en",
    decoder: DecoderConfig | None = None,
    delay_frames: int = 0,
    extras: Mapping[str, bytes] | None = None,
    tflite: bool = False,
    text_sources: tuple[str, ...] = (),
    guessing: Errors | None = None,
    notes: str = "",
) -> Bundle:
    """Write a bundle into ``directory``, replacing one that is there, and load it.

    Parameters
    ----------
    run_dir: a checkpoint with both graphs.
    lexicon: words and pronunciations in the checkpoint's tokens.
    decoder: search defaults that suit the model; None for the runtime's own.
    delay_frames: the model's usual lateness, taken off word times.
    extras: further files by name.
    tflite: whether the run's int8 TFLite graph goes in besides.
    text_sources, guessing, notes: for the card.

    Raises
    ------
    BundleError: a graph does not answer what the checkpoint answers, the record of its quantization is of
        another graph, or a word of the lexicon uses an unknown token.
    UsageError: a graph is missing, or the licence of a set is not known.
    """
    checkpoint = run_dir.checkpoint
    vectors = golden_vectors(run_dir)
    float_answer = [vectors["log_probs_float"]]
    trained = [whole_file(run_dir.network, vectors["features"])]
    if not compare(trained, float_answer).within(SAME):
        raise BundleError(f"{run_dir.path / GRAPH}: does not answer what model.pt answers: convert again")
    difference = compare(float_answer, [vectors["log_probs"]])
    if difference.mean_log_prob > FAR:
        raise BundleError(f"{run_dir.path / INT8_GRAPH}: lies too far from {GRAPH}: {difference}")
    record = read_record(run_dir.path / INT8_GRAPH)
    files: dict[str, bytes] = {
        **(extras or {}),
        INT8_GRAPH: (run_dir.path / INT8_GRAPH).read_bytes(),
        TOKENS: "".join(f"{token}\n" for token in checkpoint.tokens).encode(),
        LEXICON: compress(lexicon_text(lexicon).encode()),
        GOLDEN: golden.render(vectors, comment=COMMENT).encode(),
    }
    acoustic = dataclasses.replace(run_dir.engine(INT8_GRAPH)[1], delay_frames=delay_frames)
    tflite_difference = None
    if tflite:
        run_dir.engine(INT8_TFLITE)
        path = run_dir.path / INT8_TFLITE
        tflite_difference = check_tflite(path, acoustic, vectors["features"], *float_answer)
        files[INT8_TFLITE] = path.read_bytes()
        acoustic = dataclasses.replace(acoustic, tflite=INT8_TFLITE)
    config = BundleConfig(
        schema=SCHEMA,
        name=name,
        language=language,
        mfcc=checkpoint.front_end.mfcc,
        cmvn=checkpoint.front_end.cmvn,
        acoustic=acoustic,
        decoder=decoder or DecoderConfig(),
        files={},
    )
    card = render_card(
        config,
        checkpoint,
        difference=difference,
        tflite=tflite_difference,
        words=len(lexicon),
        sizes={file: len(data) for file, data in files.items()},
        text_sources=text_sources,
        guessing=guessing,
        quantization=record.says() if record else "",
        notes=notes,
    )
    files[CARD] = card.encode()
    hashes = {file: hashlib.sha256(data).hexdigest() for file, data in files.items()}
    write_bundle(directory, files, dataclasses.replace(config, files=hashes))
    return Bundle.load(directory)


def token_offsets(checkpoint: Checkpoint, scale: float) -> tuple[float, ...]:
    """Minus ``scale`` times the log prior of each token, the most usual phone's taken as zero.

    Raises
    ------
    UsageError: the run did not record the priors.
    """
    if not scale:
        return ()
    priors = checkpoint.history[-1].get("priors") if checkpoint.history else None
    if not priors:
        raise UsageError("--prior-scale: the checkpoint's history has no priors: train it with this version")
    log_priors = np.log(np.maximum(priors, 1e-5))
    return tuple(round(float(v), 4) for v in -scale * (log_priors - log_priors[1:].max()))


def write_bundle(directory: Path, files: Mapping[str, bytes], config: BundleConfig) -> None:
    """Put a bundle in its place only when it is whole."""
    if directory.exists() and not (directory / MODEL_JSON).is_file():
        raise UsageError(f"{directory}: exists and is no bundle; choose another --out or --name")
    partial = directory.with_name(f".{directory.name}.part")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for file, data in files.items():
        (partial / file).write_bytes(data)
    write_model_json(partial, config)
    if directory.exists():
        shutil.rmtree(directory)
    os.replace(partial, directory)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of ``python -m export pack``."""
    parser.add_argument(
        "run_dir", type=Path, metavar="RUN_DIR", help="directory with model.pt and its graphs"
    )
    parser.add_argument(
        "--lexicon", type=Path, required=True, metavar="FILE", help="lexicon.txt, plain or .xz"
    )
    free_text = parser.add_mutually_exclusive_group()
    free_text.add_argument(
        "--unigram",
        type=Path,
        metavar="FILE",
        help="words of free text with their log-probabilities (unigram.txt of python -m export lexicon)",
    )
    free_text.add_argument(
        "--lm",
        type=Path,
        metavar="FILE",
        help="back-off language model of free text (lm.arpa of python -m export lm, or of any other tool)",
    )
    parser.add_argument(
        "--neural-lm",
        type=Path,
        metavar="FILE",
        help="what re-scores the sentences that --lm found (neural-lm.npz of python -m export "
        "neural-lm-convert); --decoder 'rescoring={\"share\": 0.5}' sets how",
    )
    parser.add_argument(
        "--g2p",
        type=Path,
        metavar="FILE",
        help="what guesses the pronunciation of unknown words (g2p.onnx of python -m export g2p-convert)",
    )
    parser.add_argument("--name", required=True, help="name of the model: lower-case letters, digits, '-'")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the bundle becomes DIR/NAME")
    parser.add_argument("--language", default="en", help="BCP 47 tag (default %(default)s)")
    parser.add_argument(
        "--decoder",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="search default that suits the model, such as beam=12",
    )
    parser.add_argument(
        "--calibration",
        type=Path,
        metavar="FILE",
        help="calibrations and rejection presets (python -m benchmarks.confidence --fit FILE)",
    )
    parser.add_argument(
        "--delay-frames",
        type=int,
        default=0,
        metavar="N",
        help="feature frames by which words come late (python -m benchmarks.word_times), default %(default)s",
    )
    parser.add_argument(
        "--prior-scale",
        type=float,
        default=0.0,
        metavar="S",
        help="take S times the log prior of each token off its log-probability in free text (default "
        "%(default)s)",
    )
    parser.add_argument(
        "--grammar-prior-scale",
        type=float,
        default=0.0,
        metavar="S",
        help="the same with a grammar (default %(default)s)",
    )
    parser.add_argument(
        "--extra", type=Path, action="append", default=[], metavar="FILE", help="further file, repeatable"
    )
    parser.add_argument(
        "--text-source",
        action="append",
        metavar="NAME",
        help="what the lexicon was made of (default: assistant-commands, books, cmudict)",
    )
    parser.add_argument(
        "--tflite",
        action="store_true",
        help="put the int8 graph for the engine litert in besides (python -m export convert --to tflite)",
    )
    parser.add_argument("--notes", type=Path, metavar="FILE", help="Markdown to end the card with")


def check_name(name: str) -> None:
    """Refuse a name that is none of a bundle.

    Raises
    ------
    UsageError: it has other signs than lower-case letters, digits and ``-``.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"--name: expected lower-case letters, digits and '-', got {name!r}")


def run(args: argparse.Namespace) -> int:
    """Write the bundle ``DIR/NAME``."""
    check_name(args.name)
    if args.neural_lm and not args.lm:
        raise UsageError("--neural-lm: re-scores what n-grams found: give --lm too")
    run_dir = RunDir.load(args.run_dir)
    lexicon = Lexicon.load(args.lexicon, Tokens(run_dir.checkpoint.tokens))
    decoder = dataclasses.replace(
        _decoder(args.decoder, args.calibration),
        token_offsets=token_offsets(run_dir.checkpoint, args.prior_scale),
        grammar_token_offsets=token_offsets(run_dir.checkpoint, args.grammar_prior_scale),
    )
    extras = {path.name: read_bytes(path) for path in args.extra}
    usual = [(word, 0.0) for word in lexicon.words()]
    guessing = None
    if args.unigram:
        usual = unigrams(args.unigram)
        extras[WORD_LOOP] = word_loop(args.unigram, lexicon, decoder)
    if args.lm:
        graph = free_text_graph(read_arpa(args.lm), lexicon)
        assert graph.lm
        usual = [(said.word, float(p)) for said, p in zip(graph.outputs, graph.lm.unigrams, strict=False)]
        extras[WORD_LOOP] = graph_bytes(graph)
    extras[PHONE_LOOP] = graph_bytes(phone_loop(usual, lexicon))
    if args.neural_lm:
        NeuralLm.load(args.neural_lm)
        extras[NEURAL_LM] = read_bytes(args.neural_lm)
        decoder = dataclasses.replace(decoder, rescoring=decoder.rescoring or RescoringConfig())
    if args.g2p:
        extras[G2P] = read_bytes(args.g2p)
        guessing = held_out_errors(G2p(args.g2p, Tokens(run_dir.checkpoint.tokens)))
    bundle = pack(
        run_dir,
        args.out / args.name,
        name=args.name,
        lexicon=lexicon,
        language=args.language,
        decoder=decoder,
        delay_frames=args.delay_frames,
        extras=extras,
        tflite=args.tflite,
        text_sources=tuple(args.text_source or ("assistant-commands", "books", "cmudict")),
        guessing=guessing,
        notes=read_bytes(args.notes).decode() if args.notes else "",
    )
    for file in sorted(bundle.config.files):
        print(f"{bundle.path(file).stat().st_size:>10} {bundle.path(file)}")
    return 0


def _decoder(settings: list[str], calibration: Path | None) -> DecoderConfig:
    """Search defaults from ``KEY=VALUE`` words and a file with more of them."""
    values = dict(setting.partition("=")[::2] for setting in settings)
    where = f"--decoder, {calibration}" if calibration else "--decoder"
    try:
        more = json.loads(read_bytes(calibration)) if calibration else {}
    except ValueError as error:
        raise UsageError(f"{where}: expected KEY=NUMBER: {error}") from error
    return decoder_with(more, values, where=where)


def decoder_with(before: Any, values: Mapping[str, str], *, where: str = "--decoder") -> DecoderConfig:
    """Search defaults, some of them changed.

    Parameters
    ----------
    before: the defaults as they are in a model.json; those that are absent are the runtime's own.
    values: setting -> its value as JSON.

    Raises
    ------
    UsageError: an unknown setting, or a value that it cannot have; ``where`` says where it stands.
    """
    try:
        parsed = {key: json.loads(value) for key, value in values.items()}
        return from_dict(DecoderConfig, {**before, **parsed}, where=where)
    except (ValueError, TypeError, BundleError) as error:
        raise UsageError(f"{where}: expected KEY=NUMBER: {error}") from error
