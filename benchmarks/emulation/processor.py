"""A processor that QEMU emulates: how a program is started on it, and what the counter has said."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.emulation.roots import PLUGIN, ROOTS, SITE
from edge_asr.errors import EdgeAsrError

_COUNT = re.compile(r"^instructions (\d+)$", re.MULTILINE)
_HOST = "amd64"
"""Root that QEMU itself lies in, with the libraries that it needs."""


@dataclass(frozen=True, kw_only=True)
class Processor:
    """One of QEMU's."""

    root: str
    """Key of ``ROOTS``."""
    qemu: str
    """Name of the program."""
    model: str
    """Value of its flag ``-cpu``."""
    boards: str
    """Where it is found."""
    part: str = ""
    """As ``/proc/cpuinfo`` of such a board names the processor, by which libraries choose what they run;
    empty where they ask the processor itself."""
    features: str = ""
    """The same, for what it can do."""


PROCESSORS = {
    "x86-64": Processor(
        root="amd64", qemu="qemu-x86_64", model="max", boards="AVX2 without VNNI, for comparison"
    ),
    "cortex-a72": Processor(
        root="arm64",
        qemu="qemu-aarch64",
        model="cortex-a72",
        boards="aarch64, Raspberry Pi 4",
        part="0xd08",
        features="fp asimd evtstrm crc32 cpuid",
    ),
    "cortex-a76": Processor(
        root="arm64",
        qemu="qemu-aarch64",
        model="cortex-a76",
        boards="aarch64 with dot products, Raspberry Pi 5",
        part="0xd0b",
        features="fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop "
        "asimddp",
    ),
    "cortex-a7": Processor(
        root="armhf",
        qemu="qemu-arm",
        model="cortex-a7",
        boards="armv7, Raspberry Pi 2",
        part="0xc07",
        features="half thumb fastmult vfp edsp neon vfpv3 tls vfpv4 idiva idivt vfpd32 lpae evtstrm",
    ),
}
REFERENCE = "x86-64"
"""What the others are compared with."""


def sysroot(processor: Processor, directory: Path, target: Path) -> Path:
    """Make ``target``: the root, by links, and in it what the kernel of a board with one processor would say.

    Without it onnxruntime reads this machine's ``/proc/cpuinfo`` on an ARM, and falls over it.

    Parameters
    ----------
    directory: of the roots, absolute.
    """
    target.mkdir()
    for entry in (directory / processor.root).iterdir():
        (target / entry.name).symlink_to(entry)
    if processor.part:
        (target / "proc").mkdir()
        (target / "proc" / "cpuinfo").write_text(
            f"processor\t: 0\nFeatures\t: {processor.features}\nCPU implementer\t: 0x41\n"
            f"CPU architecture: {7 if processor.qemu == 'qemu-arm' else 8}\nCPU variant\t: 0x0\n"
            f"CPU part\t: {processor.part}\nCPU revision\t: 3\n\n"
        )
        processors = target / "sys" / "devices" / "system" / "cpu"
        processors.mkdir(parents=True)
        for which in ("possible", "present", "online"):
            (processors / which).write_text("0\n")
    return target


def python_command(processor: Processor, directory: Path, root: Path, project: Path, log: Path) -> list[str]:
    """The root's Python on the processor, to be followed by its arguments.

    QEMU is started by its own loader, so that it fits any Linux on x86-64. Nothing is chrooted: ``-L`` shows
    the program the files of ``root`` in the place of this machine's, all others stay as they are.

    Parameters
    ----------
    directory: of the roots, absolute.
    root: what ``sysroot`` made.
    project: folder of ``edge_asr`` and ``benchmarks``.
    log: file that the counts go to.
    """
    host, guest = directory / _HOST, directory / processor.root
    triplet = ROOTS[processor.root].triplet
    libraries = [host / folder / ROOTS[_HOST].triplet for folder in ("lib", "usr/lib")]
    packages = [project, guest / SITE, guest / "usr/lib/python3/dist-packages"]
    environment = {
        # Debian chooses a BLAS by links that its installation makes, and nothing was installed.
        "LD_LIBRARY_PATH": str(guest / "usr/lib" / triplet / "openblas-pthread"),
        "PYTHONPATH": ":".join(map(str, packages)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "ORT_DISABLE_TELEMETRY": "1",  # onnxruntime's thread for it would be counted, and writes into $HOME
    }
    return [
        str(host / "lib64" / "ld-linux-x86-64.so.2"),
        *("--library-path", ":".join(map(str, libraries))),
        str(host / "usr/bin" / processor.qemu),
        *("-L", str(root), "-cpu", processor.model),
        *("-plugin", str(directory / PLUGIN), "-d", "plugin", "-D", str(log)),
        *(word for key, value in environment.items() for word in ("-E", f"{key}={value}")),
        *(str(guest / "usr/bin/python3.11"), "-s"),
    ]


def report_of(command: list[str], environment: dict[str, str] | None = None) -> dict[str, Any]:
    """The JSON object that a program prints.

    Parameters
    ----------
    environment: all variables that it sees but PATH; this shell's would decide what is imported.

    Raises
    ------
    EdgeAsrError: the program failed, or printed something else.
    """
    variables = {"PATH": "/usr/bin:/bin", **(environment or {})}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        said = "\n".join(done.stderr.strip().splitlines()[-5:])
        raise EdgeAsrError(f"{' '.join(command[:1])} ended with {done.returncode}: {said or 'no message'}")
    lines = done.stdout.splitlines()
    try:
        report: dict[str, Any] = json.loads(lines[-1])
    except (IndexError, ValueError) as error:
        raise EdgeAsrError(f"expected a JSON object, got {done.stdout[-200:]!r}") from error
    return report


def instructions(log: str, phases: list[str]) -> dict[str, int]:
    """Instructions of each phase, from counts at its start and end.

    Parameters
    ----------
    log: what the counter has written: a line before the first phase, one after each, and one at the end.

    Raises
    ------
    EdgeAsrError: it has written another number of lines.
    """
    counts = [int(count) for count in _COUNT.findall(log)]
    if len(counts) != len(phases) + 2:
        raise EdgeAsrError(
            f"expected {len(phases) + 2} counts, got {len(counts)}: does this QEMU load {PLUGIN}? "
            f"{log[-200:]!r}"
        )
    return {name: after - before for name, before, after in zip(phases, counts, counts[1:-1], strict=False)}
