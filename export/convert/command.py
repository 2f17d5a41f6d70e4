"""``python -m export convert RUN_DIR``: inference graphs of a trained network, in the format asked for."""

from __future__ import annotations

import argparse

from export.convert import onnx, tflite

FORMATS = {"onnx": onnx.run, "tflite": tflite.run}
"""Name -> what writes graphs of that format into a run directory."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of ``python -m export convert``."""
    parser.add_argument("--to", choices=FORMATS, default="onnx", help="format (default %(default)s)")
    onnx.add_arguments(parser)
    tflite.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Write the graphs of one format."""
    return FORMATS[args.to](args)
