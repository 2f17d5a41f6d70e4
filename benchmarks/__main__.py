"""``python -m benchmarks``: runs every measurement in turn and writes the README's tables anew.

All but the ablation, which would train for hours, and those of compression, which need the runs that models
were packed from: ``int8_loss``, ``frontier``, ``graphs``, ``quantization`` and ``pruned_steps``.
"""

from __future__ import annotations

import subprocess
import sys

MEASUREMENTS = tuple(
    f"benchmarks.{name}"
    for name in (
        *("search", "decoders", "first_light", "accuracy", "nothing_said", "word_times"),
        *("confidence", "endpointing", "rescoring", "grammar_speed", "grammar_lists", "new_words"),
        *("fuzz_grammars", "engines", "render"),
    )
)
"""Modules, each a program of its own so that none warms the caches of another."""


def main() -> int:
    """Run all; stop at the first that fails."""
    for module in MEASUREMENTS:
        print(f"python -m {module}", file=sys.stderr, flush=True)
        done = subprocess.run([sys.executable, "-m", module], check=False)
        if done.returncode:
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
