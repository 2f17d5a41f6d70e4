"""``python -m benchmarks.confidence``: are confidences probabilities, and what do rejection presets refuse?

Words of free text: LibriSpeech, Common Voice and speechocean dev speakers. Sentences of a grammar: GRID and
spoken commands against their own grammar, the commands in rooms with noise at 10 dB; and, as often, speech
that is none of a grammar's sentences against it: read sentences, and the commands of the other.
Then what a whole recognizer refuses of all commands, in quiet and in noise, and accepts of read speech.
``--fit FILE`` writes the calibration and the presets that suit the model, for ``python -m export pack
--calibration FILE``; what is measured then is fitted to the other half of the speakers.
Writes ``results/confidence.json`` and ``results/confidence.png``.
"""

from __future__ import annotations

import argparse
import json
import sys
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
from tqdm import tqdm

from benchmarks import corpus
from benchmarks.accuracy import KITCHEN_TABLE
from benchmarks.conditions import CLEAN, Condition, Scene
from benchmarks.refusals import GRID, HOME, Case, certainties, operating_points
from benchmarks.reliability import bins_of, calibration_error, draw, fit, separation
from benchmarks.result import RESULTS, write_result
from benchmarks.spoken_commands import GRAMMAR, spoken_commands
from edge_asr.acoustic import create_engine
from edge_asr.acoustic.chunking import AcousticModel
from edge_asr.arrays import Float32Array, Float64Array
from edge_asr.decoder.confidence import Background, sentence_features, word_features
from edge_asr.decoder.graph import Graph
from edge_asr.decoder.ngram_search import NgramSearch
from edge_asr.decoder.search import Search
from edge_asr.decoder.trace import Hypothesis
from edge_asr.errors import UsageError
from edge_asr.features.cmvn import Cmvn
from edge_asr.features.mfcc import Mfcc
from edge_asr.recognizer import Recognizer
from edge_asr.stage import Chain
from export.corpus import Utterance

FREE_TEXT = ("librispeech", "commonvoice", "speechocean762")
PRESETS: Mapping[str, float] = {"lenient": 0.004, "balanced": 0.01, "strict": 0.04}
"""Name -> share of the commands that may be refused for it, by whichever grammar; what is refused as noise or
as half a sentence comes on top of that."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Heard:
    """Words or sentences, (n,) each."""

    features: Float64Array
    """(n, features)"""
    right: np.ndarray
    """Whether it was said."""
    fold: np.ndarray
    """0 or 1, by speaker."""
    task: np.ndarray
    """Which task it belongs to."""


def main() -> int:
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", nargs="+", default=["en-small"], metavar="BUNDLE")
    parser.add_argument(
        "--fit", type=Path, metavar="FILE", help="write the calibration of the only model here"
    )
    parser.add_argument(
        "--refuse",
        type=float,
        nargs=len(PRESETS),
        default=list(PRESETS.values()),
        metavar="SHARE",
        help=f"with --fit: what {', '.join(PRESETS)} may refuse (default {list(PRESETS.values())}); a model "
        "that mishears more accepts more of other speech where it refuses as little",
    )
    parser.add_argument("--cache", type=Path, default=Path("cache"), help="spoken commands and rooms")
    corpus.add_arguments(parser)
    args = parser.parse_args()
    if args.fit and len(args.models) != 1:
        raise UsageError("--fit: name one model")
    figures: dict[str, Any] = {}
    panels: dict[str, list[dict[str, float]]] = {}
    for name in args.models:
        bench = Bench(Recognizer.load(name), args)
        words, sentences = bench.words(), bench.sentences()
        if args.fit:
            write_calibration(args.fit, words, sentences, dict(zip(PRESETS, args.refuse, strict=True)))
        figures[bench.name] = judge(bench, words, sentences, fitted=bool(args.fit))
        if not args.fit:
            found = bench.certainties()
            for preset in figures[bench.name]["presets"].values():
                preset |= dict(operating_points(found, preset["least_confidence"]))
        panels[f"{bench.name}, words of free text"] = figures[bench.name]["words"]["bins"]
        panels[f"{bench.name}, sentences of a grammar"] = figures[bench.name]["sentences"]["bins"]
    print(json.dumps(figures, indent=1))
    if not args.fit:
        path = write_result("confidence", {"models": figures, "limit": args.limit})
        draw(panels, RESULTS / "confidence.png")
        print(f"written to {path}")
    return 0


class Bench:
    """One model and the recordings."""

    def __init__(self, recognizer: Recognizer, args: argparse.Namespace) -> None:
        self._recognizer, self._args = recognizer, args
        self.name = recognizer.bundle.config.name
        self.decoder = recognizer.bundle.config.decoder
        self._engine = create_engine("onnx", recognizer.bundle)
        self._scene = Scene(args.data, args.cache)

    def _log_probs(self, samples: Float32Array) -> Float32Array:
        config = self._recognizer.bundle.config
        stages = Chain([Mfcc(config.mfcc), Cmvn(config.cmvn), AcousticModel(self._engine, config.acoustic)])
        return np.concatenate([stages.push(samples), stages.flush()])

    def words(self) -> Heard:
        """All words of free text that are heard."""
        decoder, rescorer = self.decoder, self._recognizer.rescorer()
        search = NgramSearch(
            self._recognizer.word_loop(),
            beam=decoder.beam,
            max_active=decoder.max_active,
            token_offsets=decoder.token_offsets,
            rescorer=rescorer,
        )
        rows: list[tuple[tuple[float, ...], bool, int, str]] = []
        for name in FREE_TEXT:
            for utterance in tqdm(corpus.dev_set(self._args, name), desc=f"words {name}", disable=None):
                search.reset()
                search.push(self._log_probs(self._scene.hear(utterance, CLEAN)))
                heard = search.finish()
                hypothesis = ((heard.words and search.rescored()) or [heard])[0]
                right = words_right(utterance.text, hypothesis.text)
                for hit, correct in zip(hypothesis.words, right, strict=True):
                    rows.append((word_features(hit), correct, fold_of(utterance), name))
        return gathered(rows)

    def sentences(self) -> Heard:
        """Every recording against its grammar and others."""
        grammars = {file.name: self._recognizer.compile([file]) for file in (GRAMMAR, GRID, HOME)}
        sets = self._sets()
        rows: list[tuple[tuple[float, ...], bool, int, str]] = []
        for name, file, condition in TASKS:
            desc = f"{name} against {file}"
            for utterance in tqdm(sets[name], desc=desc, disable=None):
                log_probs = self._log_probs(self._scene.hear(utterance, condition))
                found, background = self._compare(grammars[file], log_probs)
                if found.words:
                    features = sentence_features(found, background)
                    rows.append((features, found.text == utterance.text, fold_of(utterance), desc))
        return gathered(rows)

    def certainties(self) -> dict[Case, list[float]]:
        """Of a whole recognizer, for every recording of its cases."""
        return certainties(self._recognizer, self._sets(), self._scene.hear)

    def _sets(self) -> dict[str, list[Utterance]]:
        sets = {name: corpus.dev_set(self._args, name) for name in ("librispeech", "commonvoice", "grid")}
        sets["commands"] = corpus.evenly(spoken_commands(self._args.cache), self._args.limit)
        return sets

    def _compare(self, graph: Graph, log_probs: Float32Array) -> tuple[Hypothesis, Background]:
        loop = self._recognizer.phone_loop()
        if loop is None:
            raise UsageError(f"{self.name}: the bundle has no phone loop: pack it with this version")
        decoder, found = self.decoder, []
        for each in (graph, loop):
            search = Search(
                each,
                beam=decoder.beam,
                max_active=decoder.max_active,
                token_offsets=decoder.grammar_token_offsets,
            )
            search.push(log_probs)
            found.append(search.finish())
        return found[0], Background.of(found[1])


TASKS: tuple[tuple[str, str, Condition], ...] = (
    ("commands", GRAMMAR.name, KITCHEN_TABLE),
    ("grid", GRID.name, CLEAN),
    ("librispeech", HOME.name, CLEAN),
    ("librispeech", GRAMMAR.name, CLEAN),
    ("commonvoice", GRAMMAR.name, CLEAN),
    ("commands", GRID.name, KITCHEN_TABLE),
    ("grid", HOME.name, CLEAN),
)
"""Set, grammar and condition; only the first two are what their grammar expects."""
_OWN = (f"commands against {GRAMMAR.name}", f"grid against {GRID.name}")


def words_right(said: str, heard: str) -> list[bool]:
    """For each word of ``heard``, whether the alignment with ``said`` makes it right."""
    if not heard:
        return []
    right = [False] * len(heard.split())
    for chunk in jiwer.process_words(said, heard).alignments[0]:
        if chunk.type == "equal":
            right[chunk.hyp_start_idx : chunk.hyp_end_idx] = [True] * (
                chunk.hyp_end_idx - chunk.hyp_start_idx
            )
    return right


def fold_of(utterance: Utterance) -> int:
    """0 or 1, the same for all of a speaker."""
    return zlib.crc32((utterance.speaker or utterance.audio.name).encode()) & 1


def gathered(rows: list[tuple[tuple[float, ...], bool, int, str]]) -> Heard:
    features, right, fold, task = zip(*rows, strict=True)
    return Heard(features=np.array(features), right=np.array(right), fold=np.array(fold), task=np.array(task))


def shares(heard: Heard) -> Float64Array:
    """How much each sentence counts: what was said in a grammar as much as all that was not."""
    own = np.isin(heard.task, _OWN)
    return np.asarray(np.where(own, 1 / max(1, own.sum()), 1 / max(1, (~own).sum())))


def write_calibration(path: Path, words: Heard, sentences: Heard, refused: Mapping[str, float]) -> None:
    """Weights fitted to everything, and presets that refuse so many of the commands."""
    weights = fit(sentences.features, sentences.right, shares(sentences))
    presets = thresholds(sentences, probability(sentences.features, weights), refused)
    calibration = {
        "word_calibration": rounded(fit(words.features, words.right)),
        "sentence_calibration": rounded(weights),
        "rejection": presets,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(calibration, indent=1) + "\n")
    print(f"written to {path}")


def thresholds(
    sentences: Heard, confidence: Float64Array, refused: Mapping[str, float] = PRESETS
) -> dict[str, float]:
    """Least confidence of each preset: in no task it refuses more than its share."""
    found: dict[str, float] = {}
    for name, share in refused.items():
        tasks = [confidence[sentences.task == task] for task in _OWN]
        found[name] = round(min(float(np.quantile(own, share)) for own in tasks if own.size), 4)
    return found


def rounded(weights: Float64Array) -> list[float]:
    return [round(float(weight), 5) for weight in weights]


def probability(features: Float64Array, weights: Float64Array) -> Float64Array:
    """Logistic regression: (n,)."""
    return np.asarray(1 / (1 + np.exp(-(features @ weights))))


def judge(bench: Bench, words: Heard, sentences: Heard, *, fitted: bool) -> dict[str, Any]:
    """Calibration errors, and what presets refuse; if ``fitted``, with weights from the other speakers."""
    decoder = bench.decoder
    if fitted:
        word = crossed(words, np.ones(len(words.right)))
        sentence = crossed(sentences, shares(sentences))
        presets = thresholds(sentences, sentence)
    else:
        if not decoder.word_calibration or not decoder.sentence_calibration:
            raise UsageError(f"{bench.name}: the bundle is not calibrated: see --fit")
        word = probability(words.features, np.array(decoder.word_calibration))
        sentence = probability(sentences.features, np.array(decoder.sentence_calibration))
        presets = decoder.rejection
    return {
        "words": quality(word, words.right, np.ones(len(words.right))),
        "sentences": quality(sentence, sentences.right, shares(sentences)),
        "presets": {
            name: dict(operating_point(sentences, sentence, least)) for name, least in presets.items()
        },
    }


def crossed(heard: Heard, weights: Float64Array) -> Float64Array:
    """Confidences (n,) of each half of the speakers, by weights fitted to the other half."""
    confidence = np.empty(len(heard.right))
    for fold in (0, 1):
        mine = heard.fold == fold
        theta = fit(heard.features[~mine], heard.right[~mine], weights[~mine])
        confidence[mine] = probability(heard.features[mine], theta)
    return confidence


def quality(confidence: Float64Array, right: np.ndarray, weights: Float64Array) -> dict[str, Any]:
    bins = bins_of(confidence, right, weights)
    return {
        "count": len(right),
        "right": round(float(np.average(right, weights=weights)), 4),
        "calibration_error": calibration_error(bins),
        "separation": separation(confidence, right),
        "bins": bins,
    }


def operating_point(heard: Heard, confidence: Float64Array, least: float) -> Iterator[tuple[str, float]]:
    """Share of the rightly heard commands that is refused, and of each other speech that is accepted."""
    yield "least_confidence", least
    accepted = confidence >= least
    for task in dict.fromkeys(heard.task.tolist()):
        mine = heard.task == task
        if task in _OWN:
            yield f"{task}: refused", share_of(~accepted[mine & heard.right])
        else:
            yield f"{task}: accepted", share_of(accepted[mine & ~heard.right])


def share_of(chosen: np.ndarray) -> float:
    return round(float(chosen.mean()), 4) if chosen.size else 0.0


if __name__ == "__main__":
    sys.exit(main())
