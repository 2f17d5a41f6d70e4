"""Sets that are made one utterance after the other: a run that was ended is gone on with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from edge_asr.errors import UsageError
from export.corpus import MANIFEST


def keep_settings(folder: Path, name: str, settings: dict[str, Any], *, made: str) -> None:
    """Write down what a set is made with, or hold it to what was written: only with the same it goes on.

    Parameters
    ----------
    name: of the file in ``folder``.
    made: how such a set comes to be, for the error: ``synthesized``.

    Raises
    ------
    UsageError: the folder holds a set that was made otherwise.
    """
    path = folder / name
    if path.is_file():
        made_with = json.loads(path.read_text(encoding="utf-8"))
        other = sorted(k for k in {*settings, *made_with} if settings.get(k) != made_with.get(k))
        if other:
            raise UsageError(f"{folder} was made with another {', '.join(other)}: choose another --out")
    elif (folder / MANIFEST).exists():
        raise UsageError(f"{folder} holds a set that was not {made} here: choose another --out")
    path.write_text(json.dumps(settings, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def whole_rows(path: Path) -> list[dict[str, Any]]:
    """Objects of a file with one a line, none where it is missing; drops a last line that was cut off."""
    if not path.is_file():
        return []
    written = path.read_bytes()
    whole = written[: written.rfind(b"\n") + 1]
    if len(whole) < len(written):
        path.write_bytes(whole)
    return [json.loads(line) for line in whole.splitlines()]
