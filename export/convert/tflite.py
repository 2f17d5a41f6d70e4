"""``python -m export convert --to tflite RUN_DIR``: the network's ``step`` for LiteRT.

The work is done by export/convert/tflite_graph.py in an environment of its own, see environment.py; what
comes back is loaded here as on a device.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

import export
from edge_asr.errors import EdgeAsrError, UsageError
from export.convert.environment import ENVIRONMENT, interpreter
from export.convert.onnx import chunk_frames_of
from export.net.network import Network
from export.rundir import INT8_TFLITE, TFLITE, RunDir

_ROOT = Path(export.__file__).resolve().parent.parent
# At the end of the path: there may be packages beside ours, and those of the environment come first.
_PROGRAM = """
import sys
sys.path.append(sys.argv.pop(1))
from export.convert.tflite_graph import main
sys.exit(main(sys.argv[1:]))
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags that only TFLite has; the rest it shares with ONNX."""
    parser.add_argument(
        "--granularity",
        choices=("channel", "tensor"),
        default="channel",
        help="TFLite: a scale for each channel or tensor of int8 weights; 'tensor' is coarser, and for "
        "tflite-runtime 2.14 (armv7), which answers garbage to the other (default %(default)s)",
    )
    parser.add_argument(
        "--environment",
        type=Path,
        default=ENVIRONMENT,
        metavar="DIR",
        help="TFLite: made by python -m export tflite-env (default %(default)s)",
    )


def convert(
    run_dir: Path, *, environment: Path, chunk_frames: int, keep_float: Collection[str], granularity: str
) -> None:
    """Run the conversion in its environment.

    Raises
    ------
    UsageError: the environment has not been made.
    EdgeAsrError: the conversion failed; the reason stands above on stderr.
    """
    command = [str(interpreter(environment)), "-I", "-c", _PROGRAM, str(_ROOT), str(run_dir.resolve())]
    command += ["--chunk-frames", str(chunk_frames), "--granularity", granularity]
    command += ["--keep-float", *keep_float]
    print(f"{run_dir}: converting in {environment}, a minute or two", flush=True)
    ran = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if ran.returncode:  # otherwise nobody wants to read it: the converters say a lot
        print(ran.stdout, file=sys.stderr)
        raise EdgeAsrError(f"{run_dir}: the conversion in {environment} failed, see above")


def _check_kept(network: Network, keep_float: Collection[str]) -> None:
    modules = {name.partition(".")[0] for name in network.state_dict()}
    for module in keep_float:
        if module not in modules:
            raise UsageError(
                f"--keep-float: the network has no module {module!r}; it has {', '.join(sorted(modules))}"
            )


def run(args: argparse.Namespace) -> int:
    """Write ``acoustic.tflite`` and ``acoustic.int8.tflite`` into the run directory."""
    run_dir = RunDir.load(args.run_dir)
    _check_kept(run_dir.network, args.keep_float)
    convert(
        run_dir.path,
        environment=args.environment,
        chunk_frames=chunk_frames_of(run_dir.network, args.chunk_frames),
        keep_float=args.keep_float,
        granularity=args.granularity,
    )
    for name in (TFLITE, INT8_TFLITE):
        run_dir.engine(name)
        print(f"{run_dir.path / name}: {(run_dir.path / name).stat().st_size / 1e6:.2f} MB")
    return 0
