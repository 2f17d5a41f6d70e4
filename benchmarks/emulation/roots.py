"""``python -m benchmarks.emulation.roots [DIR]``: what ``benchmarks.emulated`` runs, by architecture.

Debian's Python and the wheels of the registry, unpacked below DIR, with QEMU and its counter beside: 0.8 GB.
Nothing is installed on this machine and no rights are needed, but apt-get, dpkg-deb, a C compiler and the
network are. An architecture that is complete stays as it is.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from edge_asr.errors import EdgeAsrError, UsageError

DIRECTORY = Path("cache/emulated")
"""Where the roots are made, and looked for."""
SUITE = "bookworm"
"""Debian 12: the last one with Python 3.11 and a QEMU that loads plugins and has NumPy 1 for armv7."""
MIRROR = "http://deb.debian.org/debian"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
PLUGIN_SOURCE = Path(__file__).with_name("count_instructions.c")
PLUGIN = "count_instructions.so"
"""The counter, compiled, in DIR."""
SITE = "site"
"""Folder of the wheels in a root."""
_STAMP = "complete"
"""Holds the hash of what a root was made of: one that broke off has none."""
_PROJECT = Path(__file__).resolve().parents[2]
_GLIBC = ("2_17", "2_24", "2_26", "2_27", "2_28", "2_31", "2_34")
"""Of the wheels that Debian 12 (2.36) can load; pip asks for each by name."""


@dataclass(frozen=True, kw_only=True)
class Root:
    """A root filesystem, as far as it is needed."""

    packages: tuple[str, ...]
    """Debian packages; apt finds what they need."""
    machine: str
    """As wheels name it."""
    triplet: str
    """As Debian's library folders name it."""
    wheels: tuple[str, ...]
    """What is asked of the Python registry."""
    dependencies: bool = True
    """Whether what the wheels need comes from there too; otherwise Debian brings it."""

    @property
    def fingerprint(self) -> str:
        """Changes with what the root is made of."""
        pins = (_PROJECT / "constraints.txt").read_bytes()
        return hashlib.sha256(repr((self, SUITE)).encode() + pins).hexdigest()


_OURS = ("numpy", "onnxruntime", "ai-edge-litert", "hassil")
ROOTS = {
    "amd64": Root(
        packages=("python3.11", "libstdc++6", "qemu-user"),
        machine="x86_64",
        triplet="x86_64-linux-gnu",
        wheels=_OURS,
    ),
    "arm64": Root(
        packages=("python3.11", "libstdc++6"),
        machine="aarch64",
        triplet="aarch64-linux-gnu",
        wheels=_OURS,
    ),
    # The registry has neither NumPy nor onnxruntime for it.
    "armhf": Root(
        packages=("python3.11", "libstdc++6", "python3-numpy", "python3-yaml", "libopenblas0-pthread"),
        machine="armv7l",
        triplet="arm-linux-gnueabihf",
        wheels=("tflite-runtime==2.14.0", "hassil", "unicode-rbnf"),
        dependencies=False,
    ),
}
"""By Debian's name of the architecture; QEMU itself runs on the first, and needs an x86-64 machine."""


def complete(directory: Path, name: str) -> bool:
    """Whether a root is there, made of what would be taken now."""
    stamp = directory / name / _STAMP
    return stamp.is_file() and stamp.read_text(encoding="ascii") == ROOTS[name].fingerprint


def require(directory: Path, names: Iterable[str]) -> None:
    """Check that roots and counter are there.

    Raises
    ------
    UsageError: something is missing; the message names the command.
    """
    missing = [name for name in names if not complete(directory, name)]
    if missing or not (directory / PLUGIN).is_file():
        command = "python -m benchmarks.emulation.roots" + ("" if directory == DIRECTORY else f" {directory}")
        raise UsageError(
            f"{directory}: expected the root filesystems {', '.join(missing) or 'with ' + PLUGIN}, made as "
            f"this version makes them: run {command} (0.8 GB, minutes)"
        )


def main(arguments: list[str] | None = None) -> int:
    """Make what is missing."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "directory",
        type=Path,
        nargs="?",
        default=DIRECTORY,
        metavar="DIR",
        help="where to make it (default %(default)s)",
    )
    parser.add_argument("--mirror", default=MIRROR, help="of Debian (default %(default)s)")
    args = parser.parse_args(arguments)
    try:
        make(args.directory, args.mirror)
    except EdgeAsrError as error:
        print(f"python -m benchmarks.emulation.roots: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def make(directory: Path, mirror: str = MIRROR) -> None:
    """Make the roots that are missing, and the counter.

    Raises
    ------
    UsageError: a program that this needs is not installed.
    EdgeAsrError: apt, pip or the compiler failed; the reason stands above on stderr.
    """
    for program, package in (("apt-get", "apt"), ("dpkg-deb", "dpkg"), ("cc", "gcc")):
        if not shutil.which(program):
            raise UsageError(f"{program} is not installed (Debian, Ubuntu: apt install {package})")
    if not KEYRING.is_file():
        raise UsageError(
            f"{KEYRING}: Debian's keys are missing (Ubuntu: apt install {KEYRING.stem.removesuffix('.gpg')})"
        )
    directory.mkdir(parents=True, exist_ok=True)
    directory = directory.resolve()  # apt resolves what is relative against its own folders
    for name, root in ROOTS.items():
        if complete(directory, name):
            print(f"{directory / name}: complete")
            continue
        shutil.rmtree(directory / name, ignore_errors=True)
        print(f"{directory / name}: packages of Debian {SUITE}", flush=True)
        _unpack_packages(directory, name, root, mirror)
        print(f"{directory / name}: wheels of {', '.join(root.wheels)}", flush=True)
        _run(wheel_command(root, directory / name / SITE))
        (directory / name / _STAMP).write_text(root.fingerprint, encoding="ascii")
    compile_plugin(directory / PLUGIN)
    print(f"{directory}: ready; now: python -m benchmarks.emulated")


def compile_plugin(target: Path) -> None:
    """Compile the counter for this machine."""
    flags = ["-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-fvisibility=hidden"]
    _run(["cc", *flags, "-o", str(target), str(PLUGIN_SOURCE)])


def _unpack_packages(directory: Path, name: str, root: Root, mirror: str) -> None:
    """With an apt of our own, that knows only this architecture and believes that nothing is installed."""
    apt = directory / f"apt-{name}"
    shutil.rmtree(apt, ignore_errors=True)
    for folder in ("lists/partial", "cache/archives/partial"):
        (apt / folder).mkdir(parents=True)
    (apt / "status").write_text("")
    (apt / "sources.list").write_text(f"deb [signed-by={KEYRING}] {mirror} {SUITE} main\n")
    options = apt_options(apt, name)
    _run(["apt-get", *options, "-qq", "update"])
    _run(["apt-get", *options, "-qq", "--yes", "--download-only", "install", *root.packages])
    for package in sorted((apt / "cache" / "archives").glob("*.deb")):
        _run(["dpkg-deb", "-x", str(package), str(directory / name)])
    shutil.rmtree(apt)


def apt_options(apt: Path, architecture: str) -> list[str]:
    """Options that keep apt-get within the folder ``apt``."""
    settings = {
        "APT::Architecture": architecture,
        "APT::Architectures": architecture,
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "root",  # as whom it runs anyhow; another user could not write here
        "Debug::NoLocking": "true",
        "Dir::Etc::sourcelist": str(apt / "sources.list"),
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State": str(apt),
        "Dir::State::status": str(apt / "status"),
        "Dir::Cache": str(apt / "cache"),
    }
    return [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]


def wheel_command(root: Root, target: Path) -> list[str]:
    """pip, told to install for another machine."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--target", str(target), "--only-binary=:all:", "--implementation", "cp"]
    command += ["--python-version", "3.11"]
    for tag in ("manylinux2014", *(f"manylinux_{version}" for version in _GLIBC)):
        command += ["--platform", f"{tag}_{root.machine}"]
    command += ["--constraint", str(_PROJECT / "constraints.txt")]
    return [*command, *([] if root.dependencies else ["--no-deps"]), *root.wheels]


def _run(command: list[str]) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False)
    if done.returncode:
        raise EdgeAsrError(f"{command[0]} failed, see above; mend that and run the command again")


if __name__ == "__main__":
    sys.exit(main())
