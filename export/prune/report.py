"""What pruning did, stage by stage: a table for people, JSON for programs and for resuming."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_asr.errors import UsageError
from export.checkpoint import Checkpoint
from export.prune.cost import cost

REPORT_FILE = "pruning.json"
"""Name within the run's directory."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The network at one point."""

    name: str
    """``before``, ``cut N`` or ``tuned N``."""
    weights: int
    """Numbers in it."""
    nonzero: int
    """Those of them that are not zero; engines multiply by all."""
    int8_bytes: int
    """Bytes of its weights in int8."""
    macs_per_second: float
    """Multiplications per second of audio."""
    phone_error: Mapping[str, float]
    """Greedy, by dev set."""


@dataclass
class Report:
    """All stages so far."""

    settings: Mapping[str, Any]
    """What is pruned and how; a run with others is another run."""
    stages: list[Stage] = field(default_factory=list)
    """In order."""
    widths: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the network that pruning changed, at the end."""
    step_ms: Mapping[str, float] = field(default_factory=dict)
    """CPU milliseconds of one step of the exported graphs, at the end."""

    @classmethod
    def resume(cls, folder: Path, settings: Mapping[str, Any]) -> Report:
        """What ``folder`` holds, or nothing yet.

        Raises
        ------
        UsageError: it holds the report of other settings.
        """
        path = folder / REPORT_FILE
        plain = json.loads(json.dumps(settings))
        if not path.is_file():
            return cls(plain)
        values = json.loads(path.read_text(encoding="utf-8"))
        if values["settings"] != plain:
            wrong = sorted(k for k in plain if values["settings"].get(k) != plain[k])
            raise UsageError(
                f"{folder} was begun with another {', '.join(wrong) or 'setting'}: use --restart or another "
                "--out"
            )
        return cls(plain, [Stage(**stage) for stage in values["stages"]])

    def save(self, folder: Path) -> None:
        """Write it in one piece."""
        partial = folder / (REPORT_FILE + ".part")
        partial.write_text(json.dumps(self.as_dict(), indent=1) + "\n", encoding="utf-8")
        os.replace(partial, folder / REPORT_FILE)

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return dataclasses.asdict(self)

    def has(self, name: str) -> bool:
        """Whether a stage is over."""
        return any(stage.name == name for stage in self.stages)

    def render(self) -> str:
        """A table for people; shares are of the first stage."""
        lines = []
        if self.stages:
            first = self.stages[0]
            sets = list(first.phone_error)
            head = "".join(f"{name[:14]:>16}" for name in sets)
            lines = [
                "phone error (greedy) by dev set at the right",
                f"{'':10}{'weights':>11}{'not zero':>11}{'int8 bytes':>19}{'MACs per second':>22}{head}",
            ]
            for stage in self.stages:
                size = f"{stage.int8_bytes:,} ({stage.int8_bytes / first.int8_bytes:.0%})"
                share = stage.macs_per_second / first.macs_per_second
                work = f"{stage.macs_per_second / 1e6:.1f} M ({share:.0%})"
                errors = "".join(f"{stage.phone_error[name]:>16.1%}" for name in sets)
                counts = f"{stage.weights:>11,}{stage.nonzero:>11,}"
                lines.append(f"{stage.name:10}{counts}{size:>19}{work:>22}{errors}")
        lines += [f"{name}: {ms:.2f} ms of CPU time per step" for name, ms in self.step_ms.items()]
        return "\n".join(lines)


def stage_of(name: str, checkpoint: Checkpoint, phone_error: Mapping[str, float]) -> Stage:
    """The figures of a checkpoint."""
    shift_ms = checkpoint.front_end.mfcc.frame_shift_ms
    price = cost(checkpoint.network, checkpoint.config, frame_shift_ms=shift_ms)
    return Stage(
        name=name,
        weights=price.weights,
        nonzero=sum(int(w.count_nonzero()) for w in checkpoint.weights.values()),
        int8_bytes=price.int8_bytes,
        macs_per_second=price.macs_per_second,
        phone_error=phone_error,
    )
