"""``python -m export verify RUN_DIR`` or ``BUNDLE``: do all forms of a network still say the same?

A graph can load, run and answer garbage. So each form that was exported is streamed through each engine that
is installed, over recordings of several speakers, and compared with the network as it was trained, over the
whole file: first its log-probabilities, then, where a bundle says which words there are, what it mishears.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from edge_asr.acoustic import Engine
from edge_asr.acoustic.chunking import AcousticModel
from edge_asr.arrays import Float32Array
from edge_asr.audio.file import read_audio
from edge_asr.bundle import GOLDEN, Bundle
from edge_asr.commands.model import named_file, positive
from edge_asr.config import AcousticConfig
from edge_asr.errors import EdgeAsrError, UsageError
from edge_asr.features.cmvn import cmvn
from edge_asr.features.mfcc import mfcc
from edge_asr.recognizer import Recognizer
from export.checkpoint import MODEL_FILE, FrontEnd, load_checkpoint
from export.corpus import Utterance
from export.forms import Subject, of_bundle, of_run
from export.hearing import Allowance, Heard, Hearing
from export.net.engine import whole_file
from export.parity import DECODED, Difference, compare
from export.recordings import find_recordings
from export.rundir import RunDir
from export.score import collapse


@dataclass(frozen=True, kw_only=True)
class Row:
    """One form of the network beside the reference."""

    form: str
    """What was run."""
    difference: Difference | None
    """How far it lies from the reference; None where its engine is not installed."""
    limit: Difference
    """How far it may."""
    heard: Heard | None
    """What it mishears; None where nobody asked."""
    allowance: Allowance
    """How much more than the reference it may."""
    agrees: bool | None
    """Whether it stays within both; None where its engine is not installed."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """All forms of a network beside the reference."""

    heard: Heard | None
    """What the reference itself mishears."""
    rows: tuple[Row, ...]
    """One a form."""

    @property
    def agrees(self) -> bool:
        """Whether no form disagrees."""
        return all(row.agrees is not False for row in self.rows)


def features_of(samples: Float32Array, front_end: FrontEnd) -> Float32Array:
    """Normalised features of a recording: (n,) samples -> (frames, bins)."""
    return cmvn(mfcc(samples, front_end.mfcc), front_end.cmvn)


def stream(engine: Engine, config: AcousticConfig, features: Float32Array) -> Float32Array:
    """Log-probabilities of one recording, chunk by chunk: (frames, bins) -> (m, outputs)."""
    model = AcousticModel(engine, config)
    return np.concatenate([model.push(features), model.flush()])


def verify(
    subject: Subject,
    recordings: Sequence[Float32Array],
    utterances: Sequence[Utterance] = (),
    hearing: Hearing | None = None,
) -> Report:
    """Compare all forms of a network on normalised features, one (frames, bins) array a recording.

    Parameters
    ----------
    utterances: what was said in each recording; only for ``hearing``.
    hearing: searches that make words of the answers; None compares the answers alone.

    Raises
    ------
    EdgeAsrError: the network hears no phone at all in these recordings, so agreement would mean nothing.
    """
    reference = [whole_file(subject.network, features) for features in recordings]
    if not any(collapse(answer.argmax(axis=1)) for answer in reference):
        raise EdgeAsrError(f"{subject.name}: the network hears nothing in these recordings: train it longer")
    expected = hearing.count(utterances, reference) if hearing else None
    rows = []
    for form in tqdm(subject.forms, desc="forms", leave=False, disable=None):
        row = Row(
            form=form.name,
            difference=None,
            limit=form.limit,
            heard=None,
            allowance=form.allowance,
            agrees=None,
        )
        if form.engine is not None:
            answers = [
                stream(form.engine, subject.config, features)
                for features in tqdm(recordings, desc=form.name, leave=False, disable=None)
            ]
            difference = compare(reference, answers)
            agrees, heard = difference.within(form.limit), None
            if hearing and expected:
                heard = hearing.count(utterances, answers)
                agrees = agrees and form.allowance.covers(expected, heard)
            row = dataclasses.replace(row, difference=difference, heard=heard, agrees=agrees)
        rows.append(row)
    return Report(heard=expected, rows=tuple(rows))


def golden_row(bundle: Bundle, subject: Subject) -> Row:
    """The weights that a bundle stores, in float, beside what the trained network answered to the golden
    signal when the bundle was packed: tells whether the reference itself can be believed.

    Raises
    ------
    BundleError: the bundle brings no golden vectors, or older ones without the float network's answer.
    """
    vectors = bundle.golden()
    answer = whole_file(subject.network, vectors["features"])
    difference = compare([vectors["log_probs_float"]], [answer])
    return Row(
        form=f"{GOLDEN}, weights",
        difference=difference,
        limit=DECODED,
        heard=None,
        allowance=Allowance(share=0.0, least=0),
        agrees=difference.within(DECODED),
    )


def render(report: Report) -> str:
    """The report as a table for people; limits stand in brackets."""
    heads = ("max |dp|", "max |dlogp|", "mean |dlogp|", "argmax", "phones", "WER", "commands")
    width = 2 + max(len(row.form) for row in report.rows)
    line = "".join(f"{head:>19}" for head in heads)
    nothing = ("",) * 5
    lines = [
        f"{'beside torch, whole file':{width}}{line}",
        _line("", width, (*nothing, *_words(report.heard))),
    ]
    for row in report.rows:
        d, m = row.difference, row.limit
        if d is None:
            lines.append(f"{row.form:{width}}  engine not installed")
            continue
        cells = (
            f"{d.max_probability:.1e} ({m.max_probability:.0e})",
            f"{d.max_log_prob:.1e} ({m.max_log_prob:.0e})",
            f"{d.mean_log_prob:.1e} ({m.mean_log_prob:.1e})",
            f"{d.argmax_agreement:.2%} ({m.argmax_agreement:.1%})",
            f"{d.phone_difference:.2%} ({m.phone_difference:.1%})",
            *_words(row.heard),
        )
        lines.append(_line(row.form, width, cells) + ("  agrees" if row.agrees else "  DIFFERS"))
    return "\n".join(lines)


def _line(form: str, width: int, cells: Sequence[str]) -> str:
    return f"{form:{width}}" + "".join(f"{cell:>19}" for cell in cells)


def _words(heard: Heard | None) -> tuple[str, str]:
    wer, right = (heard.wer, heard.command_accuracy) if heard else (None, None)
    return ("-" if wer is None else f"{wer:.2%}", "-" if right is None else f"{right:.2%}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of ``python -m export verify``."""
    parser.add_argument(
        "subject",
        metavar="RUN_DIR|BUNDLE",
        help="directory with model.pt and its graphs, or a bundle's directory or packaged name",
    )
    parser.add_argument(
        "--checkpoint",
        type=Path,
        metavar="RUN_DIR",
        help="of a bundle: the run that it was packed from. Without it, the bundle's own weights in float "
        "are the reference, and its golden vectors must vouch for these",
    )
    parser.add_argument(
        "--recipe",
        type=Path,
        metavar="FILE",
        help="of a bundle without --checkpoint: what its network is (default: export/recipes/NAME.toml)",
    )
    parser.add_argument(
        "--words",
        metavar="BUNDLE",
        help="of a run: bundle with the lexicon and the language model to count misheard words with",
    )
    parser.add_argument(
        "--commands",
        type=named_file,
        action="append",
        default=[],
        metavar="SET=GRAMMAR",
        help="a set whose speakers keep to a grammar, repeatable; all others are free text",
    )
    parser.add_argument(
        "--manifest", type=Path, action="append", default=[], help="manifest.jsonl to listen to, repeatable"
    )
    parser.add_argument(
        "--data",
        "--corpora",
        type=Path,
        default=Path("../shared/data"),
        help="folder of sets, where no manifest is named (default %(default)s)",
    )
    parser.add_argument(
        "--limit",
        "--recordings",
        type=positive,
        default=48,
        metavar="N",
        help="recordings, of sets and speakers in turn (default %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Print the table; 1 where a form disagrees."""
    subject, bundle = _subject(args)
    if args.commands and bundle is None:
        raise UsageError("--commands: which words are there? Name a bundle with --words")
    files = find_recordings(args.manifest, args.data, args.limit)
    rate = subject.front_end.mfcc.sample_rate_hz
    both = [(u, features_of(read_audio(u.audio, rate), subject.front_end)) for u in files]
    utterances, recordings = zip(*((u, x) for u, x in both if len(x)), strict=True)
    spoken = bundle is not None and any(u.text for u in utterances)
    hearing = Hearing(Recognizer(bundle), dict(args.commands)) if bundle and spoken else None
    report = verify(subject, recordings, utterances, hearing)
    if not (Path(args.subject) / MODEL_FILE).is_file() and args.checkpoint is None and bundle:
        report = dataclasses.replace(report, rows=(golden_row(bundle, subject), *report.rows))
    if args.json:
        print(json.dumps(_as_json(report, recordings), indent=2))
    else:
        seconds = sum(map(len, recordings)) * subject.front_end.mfcc.frame_shift_ms / 1000
        print(f"{len(recordings)} recordings, {seconds:.0f} s")
        print(render(report))
    return 0 if report.agrees else 1


def _subject(args: argparse.Namespace) -> tuple[Subject, Bundle | None]:
    """What is verified, and the bundle that knows its words, if any."""
    path = Path(args.subject)
    if (path / MODEL_FILE).is_file():
        if args.checkpoint or args.recipe:
            raise UsageError(f"{path}: is a run; --checkpoint and --recipe are for bundles")
        return of_run(RunDir.load(path)), Bundle.load(args.words) if args.words else None
    if args.words:
        raise UsageError("--words is for runs; a bundle has its own")
    bundle = Bundle.load(args.subject)
    checkpoint = load_checkpoint(args.checkpoint / MODEL_FILE) if args.checkpoint else None
    return of_bundle(bundle, checkpoint, args.recipe), bundle


def _as_json(report: Report, recordings: Sequence[Float32Array]) -> dict[str, Any]:
    def heard(found: Heard | None) -> dict[str, Any] | None:
        rates = {"wer": found.wer, "command_accuracy": found.command_accuracy} if found else {}
        return {**dataclasses.asdict(found), **rates} if found else None

    return {
        "agrees": report.agrees,
        "recordings": len(recordings),
        "frames": sum(map(len, recordings)),
        "reference": heard(report.heard),
        "rows": [{**dataclasses.asdict(row), "heard": heard(row.heard)} for row in report.rows],
    }
