"""Copies of the packaged models with a TFLite graph beside, for the engine litert.

The package brings none. They are made by::

    python -m export tflite-env
    python -m export convert --to tflite RUN_DIR
    python -m export add-tflite NAME RUN_DIR/acoustic.int8.tflite --out DIR/NAME
"""

from __future__ import annotations

from pathlib import Path

from edge_asr.bundle import Bundle
from edge_asr.errors import UsageError
from export.pack import CARD


def with_tflite(model: str, directory: Path | None) -> str:
    """The copy of a model in ``directory``; the model itself where no directory is given.

    Raises
    ------
    UsageError: there is no such copy, it has no TFLite graph, or it is one of another model.
    """
    if directory is None:
        return model
    bundle = Bundle.load(model)
    place = directory / bundle.config.name
    command = f"python -m export add-tflite {model} RUN_DIR/acoustic.int8.tflite --out {place}"
    if not place.is_dir():
        raise UsageError(f"{place}: expected a bundle with a TFLite graph; make it: {command}")
    copy = Bundle.load(place)
    if copy.config.acoustic.tflite is None:
        raise UsageError(f"{place}: the bundle has no TFLite graph; make it again: {command}")
    expected = _kept(bundle)
    got = _kept(copy)
    changed = sorted(file for file in expected | got if expected.get(file) != got.get(file))
    if changed:
        raise UsageError(
            f"{place}: is a copy of another {model} ({changed[0]} differs); make it again: {command}"
        )
    return str(place)


def _kept(bundle: Bundle) -> dict[str, str]:
    """Hashes of all files that ``add-tflite`` leaves as they are."""
    config = bundle.config
    return {file: sha for file, sha in config.files.items() if file not in (CARD, config.acoustic.tflite)}
