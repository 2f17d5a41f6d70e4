"""``python -m benchmarks.process COMMAND...``: runs a command and reports it as one JSON line.

A program of its own, as small as can be: Linux counts the parent's memory into the peak of the child that
it starts, and a process that holds a model would report its own size.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time


def main() -> int:
    """Run ``sys.argv[1:]``; print its first line, when that came, and the largest memory."""
    started = time.perf_counter()
    with subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        first_line_s = time.perf_counter() - started
        process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    report = {
        "first_line": line,
        "first_line_s": first_line_s,
        "peak_memory_mb": usage.ru_maxrss / 1024,
        "exit_code": process.returncode,
    }
    print(json.dumps(report))
    return process.returncode


if __name__ == "__main__":
    sys.exit(main())
