"""``python -m export tflite-env``: the environment of its own that conversion to TFLite needs.

litert-torch brings compilers and pins its torch; with what trains and measures here it shares two gigabytes
and no version. So it lives beside, is made by one command, and is only ever run as a program. Two gigabytes
are with the torch for processors; where the registry gives the one for CUDA it is several more, and
``PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu`` chooses the small one.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from urllib.parse import unquote

from edge_asr.errors import EdgeAsrError, UsageError

ENVIRONMENT = Path(".venv-tflite")
"""Where the environment is made, and looked for."""

PINS = Path(__file__).with_name("tflite-constraints.txt")
"""Every package in it, with the version that was tested."""

NEEDED = ("torch", "litert-torch", "ai-edge-quantizer", "numpy")
"""What is asked of the registry; the rest follows from these."""

_DOWNLOAD = re.compile(r"\s*(?:Downloading|Using cached) (?P<file>\S+\.whl) \((?P<size>[\d.]+ [MG]B)\)")
"""What pip says of a wheel that is worth a word: those of less than a megabyte are counted in kB."""

_STAMP = "edge-asr-pins.sha256"
"""Holds the hash of the pins that were installed: an installation that broke off has none."""


def interpreter(directory: Path) -> Path:
    """The Python of a complete environment.

    Raises
    ------
    UsageError: there is none, or it was made with other pins.
    """
    stamp = directory / _STAMP
    command = "python -m export tflite-env" + _unless_usual(directory)
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
    try:
        venv.create(directory, with_pip=True)
    except (subprocess.CalledProcessError, ImportError) as error:
        raise EdgeAsrError(
            f"{directory}: this Python cannot make virtual environments ({error}): install its venv module "
            "(Debian, Ubuntu: apt install python3-venv)"
        ) from error
    if _install(directory / "bin" / "python"):
        raise EdgeAsrError(f"{directory}: pip failed, see above; mend that and run the command again")
    (directory / _STAMP).write_text(_pins_hash())
    flag = _unless_usual(directory, "--environment ")
    print(f"{directory}: ready; now: {Path(sys.executable).name} -m export convert --to tflite RUN_DIR{flag}")
    return 0


def _install(python: Path) -> int:
    """Install what is needed, naming what is large as it comes; pip's exit status."""
    command = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off"]
    with subprocess.Popen(
        [*command, "--constraint", str(PINS), *NEEDED],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,  # errors and warnings go to stderr, as they are
        text=True,
    ) as pip:
        assert pip.stdout is not None
        for line in pip.stdout:
            if said := progress(line):
                print(f"  {said}", flush=True)
    return pip.returncode


def progress(line: str) -> str | None:
    """What a line of pip's tells who waits; None where it is of no interest."""
    if found := _DOWNLOAD.match(line):
        name, version, *_ = unquote(found["file"]).rpartition("/")[2].split("-")
        return f"{name} {version}, {found['size']}"
    if line.startswith("Installing collected packages: "):
        return f"unpacking {line.count(',') + 1} packages"
    return None


def _unless_usual(directory: Path, flag: str = "") -> str:
    """The directory as an argument, where it must be named."""
    return "" if directory == ENVIRONMENT else f" {flag}{directory}"


def _pins_hash() -> str:
    return hashlib.sha256(PINS.read_bytes()).hexdigest()
