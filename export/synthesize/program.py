"""Engines that are programs: they read a text file and write a WAV file."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from edge_asr.arrays import Float32Array
from edge_asr.errors import AudioError, UsageError

_PATIENCE_S = 60


def find_program(name: str, packages: str) -> str:
    """Full path of a program.

    Raises
    ------
    UsageError: it is not installed; names the Debian packages that bring it.
    """
    path = shutil.which(name)
    if path is None:
        raise UsageError(f"{name} is not installed (Debian, Ubuntu: apt install {packages})")
    return path


def spoken_by(command: Callable[[Path, Path], list[str]], text: str) -> tuple[Float32Array, int]:
    """What a program says: (n,) samples and their rate.

    The text goes through a file, so that none of it is read as a flag.

    Parameters
    ----------
    command: gives the command line for the text file and the WAV file that shall be written.

    Raises
    ------
    AudioError: the program failed, took too long or wrote nothing that can be read.
    """
    import soundfile

    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "text.txt", Path(folder) / "speech.wav"
        source.write_text(text + "\n", encoding="utf-8")
        arguments = command(source, target)
        name = Path(arguments[0]).name
        try:
            subprocess.run(arguments, check=True, capture_output=True, timeout=_PATIENCE_S)
            samples, rate_hz = soundfile.read(target, dtype="float32")
        except subprocess.CalledProcessError as error:
            said = error.stderr.decode(errors="replace").strip().splitlines()
            raise AudioError(f"{name} failed on {text!r}: {said[-1] if said else error}") from error
        except (subprocess.TimeoutExpired, soundfile.LibsndfileError) as error:
            raise AudioError(f"{name} failed on {text!r}: {error}") from error
    return samples, int(rate_hz)
