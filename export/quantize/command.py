"""``python -m export quantize RUN_DIR``: fewer bits a weight, and what that costs.

Makes one more graph beside those of ``convert``, by kind or within a budget of bytes, or only reports which
products suffer most.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import onnx
from tqdm import tqdm

from edge_asr.arrays import Float32Array
from edge_asr.audio.file import read_audio
from edge_asr.errors import UsageError
from export.quantize.budget import choose_forms
from export.quantize.effect import Judge, cost_ms
from export.quantize.graph import forms_of, write_forms
from export.quantize.plot import draw
from export.quantize.products import Form, products
from export.quantize.record import (
    CalibrationSet,
    QuantizationRecord,
    recording_names,
    sha256_of,
    write_record,
)
from export.quantize.sensitivity import Sensitivity, measure_sensitivity, render
from export.quantize.static import measure_ranges
from export.recordings import find_recordings
from export.rundir import GRAPH, RunDir
from export.verify import features_of

KINDS = ("dynamic", "static", "int4")
_TRIES = 4
"""To meet a budget: the graph's own bytes besides the weights are first estimated, then known."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of ``python -m export quantize``."""
    parser.add_argument("run_dir", type=Path, metavar="RUN_DIR", help=f"directory with model.pt and {GRAPH}")
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--kind",
        choices=KINDS,
        default="dynamic",
        help="int8 with ranges found in every step, int8 with ranges measured beforehand on recordings, or "
        "weights of 4 bits (default %(default)s)",
    )
    what.add_argument(
        "--budget-bytes", type=int, metavar="N", help="mix float, int8 and int4 so that the graph fits"
    )
    what.add_argument(
        "--sensitivity", action="store_true", help="write no graph; report what each product suffers"
    )
    parser.add_argument("--out", metavar="NAME", help="file in RUN_DIR (default acoustic.KIND.onnx)")
    parser.add_argument(
        "--weight-bits",
        type=int,
        choices=(7, 8),
        default=7,
        help="of int8 (default %(default)s, see convert)",
    )
    parser.add_argument(
        "--per-tensor",
        action="store_true",
        help="one scale for an int8 product in the place of one an output",
    )
    parser.add_argument(
        "--keep-float",
        nargs="*",
        metavar="MODULE",
        help="modules that stay in float, by name or path like layers.3.wide (default: first second; none "
        "with --budget-bytes, which finds out)",
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
    parser.add_argument(
        "--recordings", type=int, default=12, help="how many to judge by (default %(default)s)"
    )
    parser.add_argument(
        "--calibration",
        type=int,
        default=24,
        help="how many others to measure ranges on (default %(default)s)",
    )
    parser.add_argument(
        "--clip",
        type=float,
        default=0.0,
        help="share of the steps whose extremes may lie outside the measured ranges (default %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--plot", type=Path, metavar="PNG", help="draw the sensitivity")


def run(args: argparse.Namespace) -> int:
    """Write a graph and say what it costs, or report the sensitivity."""
    if args.plot and not args.sensitivity:
        raise UsageError("--plot draws what --sensitivity measures: give both")
    if not 0 <= args.clip < 0.5:
        raise UsageError(f"--clip must lie in [0, 0.5), got {args.clip}")
    session = _Session(args)
    if args.sensitivity:
        return session.report_sensitivity()
    return session.write()


class _Session:
    """One call of the command."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self._run_dir = RunDir.load(args.run_dir)
        self._graph = self._run_dir.path / GRAPH
        _, self._config = self._run_dir.engine(GRAPH)
        chosen = find_recordings(args.manifest, args.corpora, args.recordings + args.calibration)
        files = [utterance.audio for utterance in chosen]
        judged = self._features(files[: args.recordings])
        self._judge = Judge.of(self._graph, self._config, judged)
        # Where there are few, ranges are measured on those that are judged.
        self._calibration_files = files[args.recordings :] or files

    def report_sensitivity(self) -> int:
        args = self._args
        rows = self._sensitivity(rest=True)
        if args.plot:
            draw(rows, args.plot)
        if args.json:
            print(json.dumps([dataclasses.asdict(row) for row in rows], indent=1))
        else:
            print(render(rows))
        return 0

    def write(self) -> int:
        args = self._args
        kind = "mixed" if args.budget_bytes else args.kind
        path = self._run_dir.path / (args.out or f"acoustic.{kind}.onnx")
        if path == self._graph:
            raise UsageError(f"--out {args.out}: that is the float graph that is quantized")
        calibration = None
        if args.budget_bytes:
            forms = self._within_budget(path)
        else:
            keep = ["first", "second"] if args.keep_float is None else args.keep_float
            form: Form = "int4" if kind == "int4" else "int8"
            forms = forms_of(onnx.load(self._graph), form, keep_float=keep)
            ranges = None
            if kind == "static":
                recordings = self._features(self._calibration_files)
                bins = self._run_dir.checkpoint.front_end.bins
                ranges = measure_ranges(self._graph, self._config, recordings, bins=bins, clip=args.clip)
                calibration = CalibrationSet(
                    recordings=recording_names(self._calibration_files),
                    seconds=round(self._seconds(recordings), 1),
                    clip=args.clip,
                )
            write_forms(
                self._graph,
                path,
                forms,
                weight_bits=args.weight_bits,
                per_channel=not args.per_tensor,
                ranges=ranges,
            )
        record = QuantizationRecord(
            graph_sha256=sha256_of(path),
            kind=kind,
            weight_bits=args.weight_bits,
            per_channel=not args.per_tensor,
            forms=dict(forms),
            calibration=calibration,
        )
        write_record(path, record)
        self._say(path, record)
        return 0

    def _sensitivity(self, *, rest: bool) -> list[Sensitivity]:
        args = self._args
        return measure_sensitivity(
            self._graph,
            self._judge,
            weight_bits=args.weight_bits,
            per_channel=not args.per_tensor,
            rest=rest,
            progress=lambda jobs: iter(tqdm(jobs, desc="sensitivity", disable=None)),
        )

    def _within_budget(self, path: Path) -> Mapping[str, Form]:
        args = self._args
        model = onnx.load(self._graph)
        parts = products(model)
        kept = {
            m
            for m, form in forms_of(model, "int8", keep_float=args.keep_float or ()).items()
            if form == "float"
        }
        harms = {
            (row.module, row.form): row.alone.divergence
            for row in self._sensitivity(rest=False)
            if row.module not in kept
        }
        other = self._graph.stat().st_size - sum(part.size_bytes("float") for part in parts)
        for _ in range(_TRIES):
            forms = choose_forms(parts, harms, other_bytes=other, budget_bytes=args.budget_bytes)
            with TemporaryDirectory() as scratch:
                tried = Path(scratch) / "tried.onnx"
                write_forms(
                    self._graph,
                    tried,
                    forms,
                    weight_bits=args.weight_bits,
                    per_channel=not args.per_tensor,
                )
                size = tried.stat().st_size
                if size <= args.budget_bytes:
                    path.write_bytes(tried.read_bytes())
                    return forms
            other = size - sum(part.size_bytes(forms[part.module]) for part in parts)
        raise UsageError(f"no mixture fits {args.budget_bytes:,} bytes: the nearest has {size:,}; allow more")

    def _features(self, files: Sequence[Path]) -> list[Float32Array]:
        front_end = self._run_dir.checkpoint.front_end
        made = [features_of(read_audio(path, front_end.mfcc.sample_rate_hz), front_end) for path in files]
        return [features for features in made if len(features)]

    def _seconds(self, recordings: Sequence[Float32Array]) -> float:
        shift_ms = self._run_dir.checkpoint.front_end.mfcc.frame_shift_ms
        return sum(map(len, recordings)) * shift_ms / 1000

    def _say(self, path: Path, record: QuantizationRecord) -> None:
        effect = self._judge.effect(path)
        seconds = self._seconds(self._judge.recordings)
        cost = {
            name: cost_ms(file, self._judge) / seconds
            for name, file in (("float", self._graph), ("quantized", path))
        }
        report = {
            "graph": str(path),
            "size_bytes": path.stat().st_size,
            "float_size_bytes": self._graph.stat().st_size,
            "ms_per_second": round(cost["quantized"], 3),
            "float_ms_per_second": round(cost["float"], 3),
            **dataclasses.asdict(effect),
            "recordings": len(self._judge.recordings),
            "record": dataclasses.asdict(record),
        }
        if self._args.json:
            print(json.dumps(report, indent=1))
            return
        print(f"{path}: {record.says()}")
        print(
            f"{report['size_bytes'] / 1e6:.2f} MB (float {report['float_size_bytes'] / 1e6:.2f}), "
            f"{cost['quantized']:.1f} ms of one thread per second of audio (float {cost['float']:.1f})"
        )
        print(
            f"on {len(self._judge.recordings)} recordings: divergence {1e3 * effect.divergence:.2f} mnat, "
            f"argmax {effect.argmax_agreement:.2%}, phones {effect.phone_difference:.2%}"
        )
