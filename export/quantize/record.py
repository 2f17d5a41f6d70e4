"""What was done to a quantized graph, as a small file beside it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_asr.config import from_dict
from edge_asr.errors import BundleError


@dataclass(frozen=True, kw_only=True)
class CalibrationSet:
    """The recordings that fixed ranges were measured on."""

    recordings: tuple[str, ...]
    """``SET/FILE`` each."""
    seconds: float
    """How long they are together."""
    clip: float
    """Share of the steps whose extremes may lie outside the ranges."""


@dataclass(frozen=True, kw_only=True)
class QuantizationRecord:
    """How a graph was quantized."""

    graph_sha256: str
    """Of the graph that this is about."""
    kind: str
    """dynamic, static, int4 or mixed."""
    weight_bits: int
    """Of int8 weights."""
    per_channel: bool
    """One scale for each output of an int8 product."""
    forms: dict[str, str]
    """float, int8 or int4 by product."""
    calibration: CalibrationSet | None = None
    """Where the ranges of a static graph come from."""

    def says(self) -> str:
        """In words, for a card."""
        counts = {f: sum(form == f for form in self.forms.values()) for f in ("float", "int8", "int4")}
        products = ", ".join(f"{count} in {form}" for form, count in counts.items() if count)
        text = f"{self.kind}: {products} products; int8 weights of {self.weight_bits} bits"
        if self.calibration:
            sets = sorted({name.partition("/")[0] for name in self.calibration.recordings})
            text += (
                f"; ranges measured on {len(self.calibration.recordings)} recordings, "
                f"{self.calibration.seconds:.0f} s, of {', '.join(sets)}"
            )
        return text


def record_path(graph: Path) -> Path:
    """``acoustic.static.json`` of ``acoustic.static.onnx``."""
    return graph.with_suffix(".json")


def write_record(graph: Path, record: QuantizationRecord) -> None:
    """Write it beside ``graph``."""
    text = json.dumps(dataclasses.asdict(record), indent=1, sort_keys=True)
    record_path(graph).write_text(text + "\n", encoding="utf-8")


def read_record(graph: Path) -> QuantizationRecord | None:
    """That of ``graph``; None if there is none.

    Raises
    ------
    BundleError: it is of another graph, or no record.
    """
    path = record_path(graph)
    if not path.is_file():
        return None
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BundleError(f"{path}: not JSON: {error}") from error
    record = from_dict(QuantizationRecord, values, where=str(path))
    if record.graph_sha256 != sha256_of(graph):
        raise BundleError(f"{path}: describes another graph than {graph}: quantize again")
    return record


def sha256_of(graph: Path) -> str:
    """Of its bytes, in hexadecimal."""
    return hashlib.sha256(graph.read_bytes()).hexdigest()


def recording_names(files: Sequence[Path]) -> tuple[str, ...]:
    """``SET/FILE`` of each: its set is the nearest folder above with a manifest, or else the one it is in."""
    names = []
    for file in files:
        folders = [folder for folder in file.parents if (folder / "manifest.jsonl").is_file()]
        folder = folders[0] if folders else file.parent
        names.append(f"{folder.name}/{file.relative_to(folder).as_posix()}")
    return tuple(names)
