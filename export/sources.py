"""Where training data comes from and what its licence asks for: what a model's card must say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from edge_asr.errors import UsageError


@dataclass(frozen=True)
class Source:
    """One source of data."""

    title: str
    """What it is and who made it."""
    licence: str
    """Terms of the source."""


SOURCES = {
    "librispeech": Source("LibriSpeech (V. Panayotov, G. Chen, D. Povey, S. Khudanpur), part", "CC BY 4.0"),
    "speechocean762": Source(
        "speechocean762 (J. Zhang et al.), OpenSLR 101", "free for commercial and non-commercial use"
    ),
    "commonvoice": Source("Common Voice (Mozilla and its contributors), part", "CC0"),
    "ljspeech": Source("The LJ Speech Dataset (K. Ito, L. Johnson), part", "public domain"),
    "vctk": Source("VCTK corpus (CSTR, University of Edinburgh), one speaker", "ODC-BY"),
    "kathleen": Source("Kathleen, one speaker", "CC0"),
    "prompts": Source("telephone prompts, one speaker", "CC BY-SA 3.0"),
    "pseudo": Source(
        "LibriVox readings and VCTK-like sentences, labelled by a teacher (Whisper base)",
        "public domain recordings; CC BY 4.0",
    ),
    "synth_kokoro": Source("sentences spoken by Kokoro-82M, made for this project", "Apache-2.0 (the model)"),
    "synth_piper": Source(
        "sentences spoken by Piper, made for this project",
        "GPL-3.0 (the program); see the card of each voice",
    ),
    "synth_festival": Source(
        "sentences spoken by Festival (CSTR, University of Edinburgh), made for this project",
        "MIT-like (the program and the voice kal_diphone)",
    ),
    "synth_flite": Source(
        "sentences spoken by CMU Flite, made for this project", "BSD-style (program and voices)"
    ),
    "synth_pico": Source(
        "sentences spoken by SVOX Pico (SVOX AG), made for this project", "Apache-2.0 (program and voices)"
    ),
    "synth_espeak-ng": Source(
        "sentences spoken by eSpeak NG, made for this project", "GPL-3.0 (the program)"
    ),
    "grid": Source("GRID audiovisual sentence corpus (M. Cooke et al.), one speaker", "CC BY 4.0"),
    "commands": Source("smart-home commands of the voice2json project, one speaker", "MIT"),
    "digits8k": Source("Free Spoken Digit Dataset (Z. Jackson et al.)", "CC BY-SA 4.0"),
    "wakewords": Source("recordings of wake words", "Apache-2.0; public domain"),
    "noise": Source(
        "sounds of moodist (Pixabay) and ESC-10 (K. J. Piczak)",
        "Pixabay content licence or CC0; CC BY 3.0 (ESC-10)",
    ),
    "assistant-commands": Source("SLURP (E. Bastianelli et al.), text only", "CC BY 4.0"),
    "books": Source("public-domain books, text only", "public domain"),
    "cmudict": Source("CMU Pronouncing Dictionary (Carnegie Mellon University)", "BSD-style"),
}
"""Name of a set -> its source. A new set needs a line here before a model of it can be packed.

``synth_ENGINE_WHAT`` has the source of ``synth_ENGINE``.
"""


def sources_of(names: Iterable[str]) -> list[tuple[str, Source]]:
    """The sources by name, each once, sorted.

    Raises
    ------
    UsageError: nobody wrote down where a set comes from.
    """
    chosen = sorted(set(names))
    keys = {name: "_".join(name.split("_")[:2]) if name.startswith("synth_") else name for name in chosen}
    unknown = [name for name in chosen if keys[name] not in SOURCES]
    if unknown:
        raise UsageError(
            f"the source and licence of {', '.join(unknown)} are not known: add them to export/sources.py"
        )
    return [(name, SOURCES[keys[name]]) for name in chosen]
