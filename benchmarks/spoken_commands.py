"""The 300 commands of ``grammars/home-car.jsgf``, spoken by engines that no training set here uses.

Flite, Festival and eSpeak NG speak them once and for all into a cache, each a share of the sentences in
voices and at speeds drawn from a seed.
"""

from __future__ import annotations

from pathlib import Path

from tqdm import tqdm

from edge_asr.decoder.grammar import load_grammar
from edge_asr.decoder.grammar.census import enumerate_sentences
from edge_asr.errors import UsageError
from export.corpus import Utterance, read_set
from export.synthesize.engine import open_engine
from export.synthesize.plan import draw_lines
from export.synthesize.prompt import prompt
from export.synthesize.spoken_set import SpokenSet

GRAMMAR = Path(__file__).parent / "grammars" / "home-car.jsgf"
ENGINES = ("flite", "flite", "festival", "festival", "espeak-ng")
"""Who speaks sentence i: number i modulo their count."""
SPEEDS = (0.85, 1.15)


def spoken_commands(cache: Path) -> list[Utterance]:
    """All commands, each spoken once, by engine and sentence.

    Raises
    ------
    UsageError: an engine is not installed, or the cache holds other recordings.
    """
    sentences = sorted(enumerate_sentences(load_grammar(GRAMMAR), 10_000))
    found: list[Utterance] = []
    for name in sorted(set(ENGINES)):
        mine = [s for i, s in enumerate(sentences) if ENGINES[i % len(ENGINES)] == name]
        folder = cache / f"synth_{name}_commands"
        found += _spoken(folder, name, mine)
    if len(found) != len(sentences):
        raise UsageError(f"{cache}: {len(found)} of {len(sentences)} commands were spoken")
    return found


def _spoken(folder: Path, name: str, sentences: list[str]) -> list[Utterance]:
    engine = open_engine(name, None)
    voices = sorted(engine.voices)
    settings = {"engine": name, "speeds": list(SPEEDS), "texts": sentences, "voices": voices}
    lines = draw_lines(sentences, voices, count=len(sentences), seed=1, blends=False, speeds=SPEEDS)
    with SpokenSet(folder, settings) as spoken:
        for number, line in enumerate(tqdm(lines, total=len(sentences), desc=name, disable=None)):
            if number not in spoken.done:
                spoken.add(number, line, *engine.speak(prompt(line.text), line.voice, line.speed))
    return read_set(folder.parent, folder.name, "train")
