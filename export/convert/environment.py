"""``python -m export tflite-env``: the environment of its own that conversion to TFLite needs.

litert-torch brings compilers and pins its torch; with what trains and measures here it shares two gigabytes
and no version. So it lives beside, is made by one command, and is only ever run as a program.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from edge_asr.errors import EdgeAsrError, UsageError

ENVIRONMENT = Path(".venv-tflite")
"""Where the environment is made, and looked for."""

PINS = Path(__file__).with_name("tflite-constraints.txt")
"""Every package in it, with the version that was tested."""

NEEDED = ("torch", "litert-torch", "ai-edge-quantizer", "numpy")
"""What is asked of the registry; the rest follows from these."""

_STAMP = "edge-asr-pins.sha256"
"""Holds the hash of the pins that were installed: an installation that broke off has none."""


def interpreter(directory: Path) -> Path:
    """The Python of a complete environment.

    Raises
    ------
    UsageError: there is none, or it was made with other pins.
    """
    stamp = directory / _STAMP
    command = "python -m export tflite-env" + ("" if directory == ENVIRONMENT else f" {directory}")
    if not stamp.is_file():
        raise UsageError(
            f"{directory}: conversion to TFLite needs this environment; make it (2 GB, minutes): {command}"
        )
    if stamp.read_text() != _pins_hash():
        raise UsageError(f"{directory}: was made with other versions than {PINS.name} names; run: {command}")
    return directory / "bin" / "python"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of ``python -m export tflite-env``."""
    parser.add_argument(
        "directory",
        type=Path,
        nargs="?",
        default=ENVIRONMENT,
        metavar="DIR",
        help="where to make it (default %(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Make the environment anew; one that broke off or has other versions is removed first."""
    directory: Path = args.directory
    if directory.exists():
        if not (directory / "pyvenv.cfg").is_file():
            raise UsageError(f"{directory}: exists and is no virtual environment; choose another DIR")
        shutil.rmtree(directory)
    print(f"{directory}: installing {', '.join(NEEDED)} and what they need (2 GB, some minutes)", flush=True)
    venv.create(directory, with_pip=True)
    install = [str(directory / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check"]
    quiet = ["--quiet", "--progress-bar", "off", "--constraint", str(PINS)]
    if subprocess.run([*install, *quiet, *NEEDED]).returncode:
        raise EdgeAsrError(f"{directory}: pip failed, see above; mend that and run the command again")
    (directory / _STAMP).write_text(_pins_hash())
    print(f"{directory}: ready; now: {Path(sys.executable).name} -m export convert --to tflite RUN_DIR")
    return 0


def _pins_hash() -> str:
    return hashlib.sha256(PINS.read_bytes()).hexdigest()
