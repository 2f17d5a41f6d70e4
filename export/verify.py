"""``python -m export verify RUN_DIR``: do all forms of a network still say the same on real speech?

A graph can load, run and answer garbage. So each form that was exported is streamed over recordings of
several speakers and compared with the network as it was trained, over the whole file.
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

from edge_asr.acoustic import Engine
from edge_asr.acoustic.chunking import AcousticModel
from edge_asr.arrays import Float32Array
from edge_asr.audio.file import read_audio
from edge_asr.config import AcousticConfig
from edge_asr.errors import EdgeAsrError
from edge_asr.features.cmvn import cmvn
from edge_asr.features.mfcc import mfcc
from export.checkpoint import FrontEnd
from export.net.engine import TorchEngine, whole_file
from export.parity import QUANTIZED, SAME, Difference, compare
from export.recordings import find_recordings
from export.rundir import GRAPH, INT8_GRAPH, INT8_TFLITE, TFLITE, RunDir
from export.score import collapse


@dataclass(frozen=True, kw_only=True)
class Row:
    """One form of the network beside the reference."""

    form: str
    """What was run."""
    difference: Difference
    """How far it lies from the reference."""
    limit: Difference
    """How far it may."""
    agrees: bool
    """Whether it stays within the limit."""


def features_of(samples: Float32Array, front_end: FrontEnd) -> Float32Array:
    """Normalised features of a recording: (n,) samples -> (frames, bins)."""
    return cmvn(mfcc(samples, front_end.mfcc), front_end.cmvn)


def stream(engine: Engine, config: AcousticConfig, features: Float32Array) -> Float32Array:
    """Log-probabilities of one recording, chunk by chunk: (frames, bins) -> (m, outputs)."""
    model = AcousticModel(engine, config)
    return np.concatenate([model.push(features), model.flush()])


def verify(run_dir: RunDir, recordings: Sequence[Float32Array]) -> list[Row]:
    """Compare all forms of the network on normalised features, one (frames, bins) array a recording.

    Those are both graphs of ``convert``, and what ``quantize`` has made besides.

    Raises
    ------
    UsageError, BundleError: a graph is missing or does not fit the checkpoint.
    EdgeAsrError: the network hears no phone at all in these recordings, so agreement would mean nothing.
    """
    network, bins = run_dir.network, run_dir.checkpoint.front_end.bins
    reference = [whole_file(network, features) for features in recordings]
    if not any(collapse(answer.argmax(axis=1)) for answer in reference):
        raise EdgeAsrError(f"{run_dir.path}: the network hears nothing in these recordings: train it longer")
    graph, config = run_dir.engine(GRAPH)
    int8_graph, int8_config = run_dir.engine(INT8_GRAPH)
    forms: list[tuple[str, Engine, AcousticConfig, Difference]] = [
        ("torch, streamed", TorchEngine(network, config, bins=bins), config, SAME),
        (f"{GRAPH}, streamed", graph, config, SAME),
        (f"{INT8_GRAPH}, streamed", int8_graph, int8_config, QUANTIZED),
    ]
    others = sorted(path.name for path in run_dir.path.glob("acoustic.*.onnx") if path.name != INT8_GRAPH)
    forms += [(f"{name}, streamed", *run_dir.engine(name), QUANTIZED) for name in others]
    for name, limit in ((TFLITE, SAME), (INT8_TFLITE, QUANTIZED)):
        if (run_dir.path / name).is_file():
            forms.append((f"{name}, streamed", *run_dir.engine(name), limit))
    rows = []
    for form, engine, form_config, limit in forms:
        difference = compare(reference, [stream(engine, form_config, f) for f in recordings])
        rows.append(Row(form=form, difference=difference, limit=limit, agrees=difference.within(limit)))
    return rows


def render(rows: Sequence[Row]) -> str:
    """The rows as a table for people; limits stand in brackets."""
    lines = [
        f"{'beside torch, whole file':32}{'max |dp|':>18}{'mean |dlogp|':>20}{'argmax':>18}{'phones':>18}"
    ]
    for row in rows:
        d, m = row.difference, row.limit
        lines.append(
            f"{row.form:32}"
            f"{f'{d.max_probability:.1e} ({m.max_probability:.0e})':>18}"
            f"{f'{d.mean_log_prob:.1e} ({m.mean_log_prob:.1e})':>20}"
            f"{f'{d.argmax_agreement:.2%} ({m.argmax_agreement:.1%})':>18}"
            f"{f'{d.phone_difference:.2%} ({m.phone_difference:.1%})':>18}"
            f"  {'agrees' if row.agrees else 'DIFFERS'}"
        )
    return "\n".join(lines)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of ``python -m export verify``."""
    parser.add_argument(
        "run_dir", type=Path, metavar="RUN_DIR", help="directory with model.pt and its graphs"
    )
    parser.add_argument(
        "--manifest", type=Path, action="append", default=[], help="manifest.jsonl to listen to, repeatable"
    )
    parser.add_argument(
        "--corpora",
        type=Path,
        default=Path("../shared/data"),
        help="folder of sets, where no manifest is named (default %(default)s)",
    )
    parser.add_argument("--recordings", type=int, default=16, help="how many (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Print the table; 1 where a form disagrees."""
    run_dir = RunDir.load(args.run_dir)
    front_end = run_dir.checkpoint.front_end
    files = find_recordings(args.manifest, args.corpora, args.recordings)
    recordings = [features_of(read_audio(path, front_end.mfcc.sample_rate_hz), front_end) for path in files]
    recordings = [features for features in recordings if len(features)]
    rows = verify(run_dir, recordings)
    agrees = all(row.agrees for row in rows)
    if args.json:
        report: dict[str, Any] = {
            "agrees": agrees,
            "recordings": len(recordings),
            "frames": sum(map(len, recordings)),
            "rows": [dataclasses.asdict(row) for row in rows],
        }
        print(json.dumps(report, indent=2))
    else:
        seconds = sum(map(len, recordings)) * front_end.mfcc.frame_shift_ms / 1000
        print(f"{len(recordings)} recordings, {seconds:.0f} s")
        print(render(rows))
    return 0 if agrees else 1
