"""An invented language with a few rules of spelling, and a recipe for learning them in seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np

_PHONE = dict(
    zip(
        "abdefgiklmnopstuvz",
        ["AE", "B", "D", "EH", "F", "G", "IH", "K", "L", "M", "N", "AA", "P", "S", "T", "AH", "V", "Z"],
        strict=True,
    )
)


def say(word: str) -> list[str]:
    """One phone a letter, but x is two, c depends on what follows and a last e is silent."""
    phones: list[str] = []
    for at, letter in enumerate(word):
        following = word[at + 1 : at + 2]
        if letter == "x":
            phones += ["K", "S"]
        elif letter == "c":
            phones.append("S" if following in ("e", "i") else "K")
        elif letter != "'" and not (letter == "e" and not following):
            phones.append(_PHONE[letter])
    return phones


def write_dictionary(path: Path) -> Path:
    """1,500 words in CMU's format; some are said in two ways, some end in 's."""
    rng = np.random.default_rng(3)
    words = {"".join(rng.choice(list("abcdefgiklmnopstuvxz"), int(rng.integers(3, 7)))) for _ in range(1400)}
    lines = [f"{word} {' '.join(say(word))}" for word in sorted(words)]
    lines += [f"{word}'s {' '.join([*say(word), 'Z'])}" for word in sorted(words)[::14]]
    lines += [f"{word}(2) {' '.join(['HH', *say(word)])}" for word in sorted(words)[::50]]
    lines += ["anti-war AE N", "w D AH B AH L Y UW"]
    path.write_text("".join(f"{line}\n" for line in sorted(lines)))
    return path


def write_recipe(path: Path, dictionary: Path, *, epochs: int = 5) -> Path:
    """A recipe of a tiny network."""
    path.write_text(f"""
name = "tiny"
dictionary = "{dictionary}"
held_out = 0.1
[network]
letter_values = 24
hidden = 24
layers = 2
dropout = 0.0
[training]
epochs = {epochs}
batch_letters = 128
peak_rate = 0.02
warmup_steps = 20
average_decay = 0.95
bf16 = false
""")
    return path
