"""``python -m benchmarks.quantization RUN_DIR``: what each way of quantizing a network costs and saves.

All graphs are made of ``acoustic.onnx`` in the run directory and compared with it on recordings of the dev
splits, streamed. Ranges of static graphs are measured on others. Times are of the processor, one thread, all
in one process: compare them with the first row.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import onnx

from benchmarks.corpus import DATA
from benchmarks.result import write_result
from edge_asr.audio.file import read_audio
from export.parity import compare
from export.quantize.effect import Judge, answers, cost_ms, divergence
from export.quantize.graph import forms_of, write_forms
from export.quantize.products import Form
from export.quantize.record import recording_names
from export.quantize.static import measure_ranges
from export.recordings import find_recordings
from export.rundir import GRAPH, RunDir
from export.verify import features_of

FRONT = ("first", "second")
_KEPT: tuple[tuple[str, ...], ...] = ((), ("first",), ("second",), FRONT, (*FRONT, "out"))
_CLIPS = (0.0, 0.001, 0.01, 0.05)


def main() -> int:
    """Measure and write ``results/quantization.json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run_dir", type=Path, metavar="RUN_DIR", help=f"directory with model.pt and {GRAPH}")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the corpora (default %(default)s)")
    parser.add_argument("--recordings", type=int, default=12, help="judged by (default %(default)s)")
    parser.add_argument("--calibration", type=int, default=24, help="for ranges (default %(default)s)")
    args = parser.parse_args()
    files = [u.audio for u in find_recordings([], args.data, args.recordings + args.calibration)]
    figures = measure(RunDir.load(args.run_dir), files[: args.recordings], files[args.recordings :] or files)
    path = write_result("quantization", figures)
    print(json.dumps(figures, indent=1))
    print(f"written to {path}")
    return 0


def measure(run_dir: RunDir, judged: list[Path], calibration: list[Path]) -> dict[str, Any]:
    """Rows of all variants, the float graph first."""
    front_end, graph = run_dir.checkpoint.front_end, run_dir.path / GRAPH
    _, config = run_dir.engine(GRAPH)
    heard, others = (
        [features_of(read_audio(path, front_end.mfcc.sample_rate_hz), front_end) for path in files]
        for files in (judged, calibration)
    )
    judge = Judge.of(graph, config, heard)
    seconds = sum(map(len, heard)) * front_end.mfcc.frame_shift_ms / 1000
    model = onnx.load(graph)
    rows = []
    with TemporaryDirectory() as scratch:
        made = Path(scratch) / "made.onnx"
        ranges = {
            clip: measure_ranges(graph, config, others, bins=front_end.bins, clip=clip) for clip in _CLIPS
        }
        for name, form, keep, settings, clip in variants():
            forms = forms_of(model, form, keep_float=keep)
            write_forms(graph, made, forms, ranges=None if clip is None else ranges[clip], **settings)
            got = answers(made, config, heard)
            rows.append(
                {
                    "variant": name,
                    "kept_in_float": list(keep),
                    "size_bytes": made.stat().st_size,
                    "ms_per_second": round(cost_ms(made, judge) / seconds, 3),
                    "divergence": round(divergence(judge.reference, got), 7),
                    **{k: round(v, 5) for k, v in dataclasses.asdict(compare(judge.reference, got)).items()},
                }
            )
    return {
        "model": run_dir.path.resolve().name,
        "float": {
            "size_bytes": graph.stat().st_size,
            "ms_per_second": round(cost_ms(graph, judge) / seconds, 3),
        },
        "chunk_frames": config.chunk_frames,
        "seconds": round(seconds, 1),
        "judged_by": list(recording_names(judged)),
        "rows": rows,
    }


def variants() -> Iterator[tuple[str, Form, tuple[str, ...], dict[str, Any], float | None]]:
    """Name, form of the products, what stays in float, further settings, and the clip of static ranges."""
    for bits in (7, 8):
        for keep in _KEPT:
            yield f"dynamic, {bits} bits", "int8", keep, {"weight_bits": bits}, None
        yield (
            f"dynamic, {bits} bits, per tensor",
            "int8",
            FRONT,
            {"weight_bits": bits, "per_channel": False},
            None,
        )
    for clip in _CLIPS:
        yield f"static, clip {clip:g}", "int8", FRONT, {}, clip
    yield "static, clip 0", "int8", (), {}, 0.0
    for keep in ((), FRONT, (*FRONT, "out")):
        yield "int4", "int4", keep, {}, None


if __name__ == "__main__":
    sys.exit(main())
