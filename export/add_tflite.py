"""``python -m export add-tflite BUNDLE FILE``: a TFLite graph for a bundle that has none.

Where the run that made the bundle is gone, ``unpack`` makes a checkpoint of it again, and ``convert --to
tflite`` a graph of that.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
from pathlib import Path

from edge_asr.bundle import Bundle
from edge_asr.errors import UsageError
from export.pack import CARD, write_bundle
from export.rundir import INT8_TFLITE
from export.tflite_answer import check_tflite, figure


def add_tflite(bundle: Bundle, graph: Path, directory: Path) -> Bundle:
    """Write the bundle with ``graph`` into ``directory``, which may be its own, and load it.

    Raises
    ------
    BundleError: the graph does not fit the bundle, or does not answer what its network answers.
    UsageError: ``directory`` holds something else.
    """
    golden, acoustic = bundle.golden(), bundle.config.acoustic
    difference = check_tflite(graph, acoustic, golden["features"], golden["log_probs_float"])
    files = {file: bundle.path(file).read_bytes() for file in bundle.config.files if file != acoustic.tflite}
    files[INT8_TFLITE] = graph.read_bytes()
    if CARD in files:
        title = "## TFLite graph"
        card = files[CARD].decode().partition(f"\n{title}\n")[0]
        size = len(files[INT8_TFLITE])
        files[CARD] = f"{card}\n{title}\n\n- `{INT8_TFLITE}`, {size} bytes\n{figure(difference)}\n".encode()
    config = dataclasses.replace(
        bundle.config,
        acoustic=dataclasses.replace(acoustic, tflite=INT8_TFLITE),
        files={file: hashlib.sha256(data).hexdigest() for file, data in files.items()},
    )
    write_bundle(directory, files, config)
    return Bundle.load(directory)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of ``python -m export add-tflite``."""
    parser.add_argument("bundle", help="name of a packaged model, or a bundle's directory")
    parser.add_argument("graph", type=Path, metavar="FILE", help=f"{INT8_TFLITE} of a run directory")
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="bundle to write; may be BUNDLE itself",
    )


def run(args: argparse.Namespace) -> int:
    """Write the bundle ``DIR``."""
    if not args.graph.is_file():
        raise UsageError(f"{args.graph}: no such file; make it: python -m export convert --to tflite RUN_DIR")
    bundle = add_tflite(Bundle.load(args.bundle), args.graph, args.out)
    print(f"{bundle.path(INT8_TFLITE)}: {args.graph.stat().st_size} bytes")
    return 0
