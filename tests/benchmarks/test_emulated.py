"""The emulated measurement: its pure parts, the program that it runs, QEMU itself where it is set up."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("jiwer", reason="benchmarks need jiwer (the extra evaluate)")

from benchmarks.emulated import PROJECT, Guest, agreement, planned
from benchmarks.emulation import guest as guest_program
from benchmarks.emulation import roots
from benchmarks.emulation.processor import PROCESSORS, instructions, python_command, report_of, sysroot
from edge_asr.arrays import Float32Array
from edge_asr.errors import EdgeAsrError, UsageError

HERE = PROJECT / roots.DIRECTORY
needs_roots = pytest.mark.skipif(
    not all(roots.complete(HERE, name) for name in roots.ROOTS),
    reason="needs what python -m benchmarks.emulation.roots makes",
)


def test_a_phase_has_what_was_counted_between_its_marks() -> None:
    log = "instructions 100\ninstructions 350\nsomething else\ninstructions 1350\ninstructions 9999\n"
    assert instructions(log, ["load", "hear"]) == {"load": 250, "hear": 1000}
    with pytest.raises(EdgeAsrError, match="expected 5 counts, got 4"):
        instructions(log, ["load", "hear", "think"])
    with pytest.raises(EdgeAsrError, match="does this QEMU load"):
        instructions("", ["load"])


def test_answers_agree_within_the_tolerance_of_the_engines() -> None:
    rng = np.random.default_rng(0)
    expected = np.log(rng.dirichlet(np.full(40, 0.05), size=100) + 1e-9).astype(np.float32)
    same = agreement(expected, expected)
    assert same == {"probability_apart": 0.0, "log_prob_apart": 0.0, "same_token": 1.0, "agrees": True}
    far = agreement(expected, expected + np.float32(0.04))
    assert far["log_prob_apart"] == pytest.approx(0.04, abs=1e-4) and not far["agrees"]
    assert not agreement(expected, np.roll(expected, 1, axis=1))["agrees"]
    assert agreement(expected, np.full_like(expected, np.nan))["agrees"] is False
    with pytest.raises(EdgeAsrError, match="shape"):
        agreement(expected, expected[1:])


def test_only_what_installs_on_a_processor_is_planned() -> None:
    args = argparse.Namespace(
        models=["en-tiny"],
        engines=["onnx", "litert", "numpy"],
        processors=list(PROCESSORS),
        tflite=None,
        tflite_tensor=None,
    )
    by_engine: dict[str, list[str]] = {}
    for run in planned(args):
        by_engine.setdefault(run.engine, []).append(run.processor)
    assert by_engine["numpy"] == list(PROCESSORS)
    assert by_engine["onnx"] == [name for name in PROCESSORS if name != "cortex-a7"]
    assert "litert" not in by_engine, "there is no copy with a TFLite graph"


def test_apt_stays_in_its_folder() -> None:
    options = roots.apt_options(Path("/somewhere/apt-armhf"), "armhf")
    assert options[::2] == ["-o"] * (len(options) // 2)
    settings = dict(word.split("=", 1) for word in options[1::2])
    assert settings["APT::Architecture"] == settings["APT::Architectures"] == "armhf"
    places = {key: value for key, value in settings.items() if key.startswith("Dir::")}
    assert places.pop("Dir::Etc::sourceparts") == "/dev/null"
    assert len(places) == 4 and all(value.startswith("/somewhere/apt-armhf") for value in places.values())


def test_wheels_are_those_of_the_other_machine() -> None:
    arm64 = roots.wheel_command(roots.ROOTS["arm64"], Path("site"))
    tags = [arm64[at + 1] for at, word in enumerate(arm64) if word == "--platform"]
    assert "manylinux2014_aarch64" in tags and all(tag.endswith("_aarch64") for tag in tags)
    assert arm64[-4:] == list(roots.ROOTS["arm64"].wheels) and "--no-deps" not in arm64
    assert arm64[arm64.index("--constraint") + 1].endswith("constraints.txt")
    armhf = roots.wheel_command(roots.ROOTS["armhf"], Path("site"))
    assert "--no-deps" in armhf and "manylinux2014_armv7l" in armhf


def test_a_root_that_is_missing_or_of_another_making_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match=rf"arm64, .*run python -m benchmarks.emulation.roots {tmp_path} "):
        roots.require(tmp_path, ["arm64"])
    (tmp_path / "arm64").mkdir()
    (tmp_path / "arm64" / "complete").write_text(roots.ROOTS["arm64"].fingerprint)
    with pytest.raises(UsageError, match=r"with count_instructions\.so"):
        roots.require(tmp_path, ["arm64"])
    (tmp_path / roots.PLUGIN).write_text("")
    roots.require(tmp_path, ["arm64"])
    monkeypatch.setattr(roots, "SUITE", "trixie")
    with pytest.raises(UsageError, match="arm64"):
        roots.require(tmp_path, ["arm64"])


def test_a_board_is_shown_its_own_processor(tmp_path: Path) -> None:
    """onnxruntime crashed on import where an ARM read x86-64's description."""
    for name in ("amd64", "arm64", "armhf"):
        (tmp_path / "roots" / name / "usr").mkdir(parents=True)
    for name, processor in PROCESSORS.items():
        root = sysroot(processor, tmp_path / "roots", tmp_path / name)
        assert (root / "usr").resolve() == tmp_path / "roots" / processor.root / "usr"
        described = root / "proc" / "cpuinfo"
        assert described.is_file() == (name != "x86-64")
        if described.is_file():
            assert f"CPU part\t: {processor.part}\n" in described.read_text()
            assert ("asimddp" in described.read_text()) == (name == "cortex-a76")
            assert (root / "sys/devices/system/cpu/possible").read_text() == "0\n"


def test_the_program_hears_the_recording_on_this_machine_too(tmp_path: Path, sample: Float32Array) -> None:
    report, log_probs = Guest(tmp_path, sample).here("en-tiny", "numpy")
    assert report["texts"]["grammar"] == "turn on the lights in the living room"
    assert log_probs.shape[1] > 30 and np.abs(np.exp(log_probs).sum(axis=1) - 1).max() < 1e-4
    assert {"load", "network", "features", "free", "grammar"} <= set(report["phases"])
    assert report["versions"]["numpy"] == np.__version__


def test_a_program_that_fails_says_why() -> None:
    with pytest.raises(EdgeAsrError, match="ended with 3: no wings"):
        report_of([sys.executable, "-c", "import sys; print('no wings', file=sys.stderr); sys.exit(3)"])
    with pytest.raises(EdgeAsrError, match="expected a JSON object"):
        report_of([sys.executable, "-c", "print('tired')"])


def test_counter_and_program_mean_the_same_mark() -> None:
    source = roots.PLUGIN_SOURCE.read_text(encoding="utf-8")
    assert re.findall(r"#define MARK (\d+)", source) == [str(guest_program.MARK)]


# What QEMU does with a plugin: a block of seven instructions runs three times, a mark, and once more.
QEMU = """
#include <stdint.h>
#include <stddef.h>
#include <stdio.h>
typedef void (*run)(unsigned int, void *);
typedef void (*call)(uint64_t, unsigned, int64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                     uint64_t, uint64_t);
static void (*translated)(uint64_t, void *), (*ended)(uint64_t, void *);
static run executed;
static void *data;
static call called;
extern int qemu_plugin_version;
int qemu_plugin_install(uint64_t, const void *, int, char **);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, void (*back)(uint64_t, void *)) { translated = back; }
void qemu_plugin_register_vcpu_tb_exec_cb(void *tb, run back, int flags, void *given)
{
    executed = back;
    data = given;
}
void qemu_plugin_register_vcpu_syscall_cb(uint64_t id, call back) { called = back; }
void qemu_plugin_register_atexit_cb(uint64_t id, void (*back)(uint64_t, void *), void *x) { ended = back; }
size_t qemu_plugin_tb_n_insns(const void *tb) { return 7; }
void qemu_plugin_outs(const char *line) { fputs(line, stdout); }
int main(void)
{
    if (qemu_plugin_version != 1 || qemu_plugin_install(4, NULL, 0, NULL))
        return 1;
    translated(4, NULL);
    for (int turn = 0; turn < 3; turn++)
        executed(0, data);
    called(4, 0, 57, 3, 0, 0, 0, 0, 0, 0, 0);
    called(4, 0, 57, 1000000007, 0, 0, 0, 0, 0, 0, 0);
    executed(0, data);
    ended(4, NULL);
    return 0;
}
"""


@pytest.mark.skipif(not shutil.which("cc"), reason="needs a C compiler")
def test_the_counter_counts_and_reports_at_marks(tmp_path: Path) -> None:
    roots.compile_plugin(tmp_path / roots.PLUGIN)  # without warnings
    (tmp_path / "qemu.c").write_text(QEMU)
    program = tmp_path / "qemu"
    subprocess.run(["cc", "-w", "-o", program, tmp_path / "qemu.c", roots.PLUGIN_SOURCE], check=True)
    said = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    assert said == "instructions 21\ninstructions 28\n"


COUNTED = """
import json, os
def mark():
    try: os.close(1_000_000_007)
    except OSError: pass
mark()
sum(range(1000))
mark()
sum(range(100_000))
mark()
print(json.dumps({"bits": 8 * len(__import__("struct").pack("P", 0))}))
"""


@needs_roots
@pytest.mark.parametrize("name", PROCESSORS)
def test_more_work_is_more_instructions(name: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    root = sysroot(PROCESSORS[name], HERE, tmp_path / "root")
    python = python_command(PROCESSORS[name], HERE, root, PROJECT, log)
    assert report_of([*python, "-c", COUNTED])["bits"] == (32 if name == "cortex-a7" else 64)
    counts = instructions(log.read_text(), ["few", "many"])
    assert counts["few"] > 1000 and 20 * counts["few"] < counts["many"] < 100_000_000


@needs_roots
def test_a_32_bit_processor_refuses_no_64_bit_counts(tmp_path: Path, sample: Float32Array) -> None:
    """NumPy's repeat, take and bincount did: no grammar compiled and no search ran on armv7."""
    processor, guest = PROCESSORS["cortex-a7"], Guest(tmp_path, sample)
    root = sysroot(processor, HERE.resolve(), tmp_path / "root")
    python = python_command(processor, HERE.resolve(), root, PROJECT, tmp_path / "log")
    report, log_probs = guest.run(python, "en-tiny", "numpy")
    here, expected = guest.here("en-tiny", "numpy")
    assert report["texts"] == here["texts"] and report["machine"] == "armv7l"
    assert agreement(expected, log_probs)["agrees"]
