"""``python -m benchmarks.decoders``: our searches beside other decoders, on the same log-probabilities.

A graph of ours is given to kaldi-decoder as a transducer, so that both walk through the same states: GRID's
grammar, free text weighed by unigrams, and free text weighed by the bundle's n-grams with each utterance's
own words and the commonest others. Prefix beam search stands beside flashlight-text. Each once with beams so
wide that next to nothing is lost (then the best paths must be the same) and once with usual ones. Both decode
each utterance in turn, whole, on one thread; times are processor times. Writes ``results/decoders.json``.
The peers come with ``pip install -e '.[peers]'``.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import json
import sys
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from tqdm import tqdm

from benchmarks import corpus
from benchmarks.peer_decoders import Answer, FlashlightDecoder, KaldiDecoder
from benchmarks.result import write_result
from benchmarks.transducer import restricted
from edge_asr.acoustic import create_engine
from edge_asr.acoustic.chunking import AcousticModel
from edge_asr.arrays import Float32Array
from edge_asr.audio.file import read_audio
from edge_asr.bundle import TOKENS
from edge_asr.config import DecoderConfig
from edge_asr.decoder import Decoder, create_graph_search
from edge_asr.decoder.compile import compile_word_loop
from edge_asr.decoder.graph import Graph
from edge_asr.decoder.prefix_beam import PrefixBeamSearch
from edge_asr.decoder.search import Search
from edge_asr.decoder.tokens import BLANK, Tokens
from edge_asr.errors import UsageError
from edge_asr.features.cmvn import Cmvn
from edge_asr.features.mfcc import Mfcc
from edge_asr.recognizer import DEFAULT_MODEL, Recognizer
from edge_asr.stage import Chain
from export.corpus import Utterance

WIDE = (25.0, 10**6)
"""Beam and hypotheses where a graph search loses nothing that it could need."""
WIDE_PREFIXES = (30.0, 200)
"""The same for prefixes."""
COMMON_WORDS = 15
"""Other words that an utterance's own compete with where n-grams are compared."""
SAME_SCORE = 0.01
"""Natural log: float32 added up over some hundred frames."""

Heard: TypeAlias = list[tuple[Utterance, Float32Array]]
Pair: TypeAlias = tuple[Answer, Answer, int]
"""Ours, theirs, and the frames that they heard."""
GRID_GRAMMAR = Path(__file__).parent / "grammars" / "grid.jsgf"


def main() -> int:
    """Compare and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default=DEFAULT_MODEL, help="bundle (default %(default)s)")
    corpus.add_arguments(parser)
    parser.set_defaults(limit=40)
    args = parser.parse_args()
    present = [peer for peer in (KaldiDecoder, FlashlightDecoder) if _installed(peer.modules)]
    if not present:
        print("nothing to compare with: pip install 'edge-asr[peers]'")
        return 0
    recognizer = Recognizer.load(args.model)
    heard = {name: log_probs(recognizer, corpus.dev_set(args, name)) for name in ("grid", "librispeech")}
    figures: dict[str, Any] = {
        "model": recognizer.bundle.config.name,
        "limit": args.limit,
        "peers": {name: version(name) for peer in present for name in peer.packages},
    }
    if KaldiDecoder in present:
        figures["kaldi-decoder"] = graphs(recognizer, heard)
        figures["cost_of_a_frame"] = cost_of_a_frame(recognizer, heard["librispeech"])
    if FlashlightDecoder in present:
        figures["flashlight-text"] = prefixes(recognizer, heard)
    path = write_result("decoders", figures)
    print(json.dumps(figures, indent=1))
    print(f"written to {path}")
    return 0


def _installed(modules: tuple[str, ...]) -> bool:
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if missing:
        print(f"left out: {', '.join(missing)} not installed")
    return not missing


def log_probs(recognizer: Recognizer, utterances: list[Utterance]) -> Heard:
    """What the bundle's network answers, (frames, tokens) each, the token offsets of free text added."""
    config = recognizer.bundle.config
    model = AcousticModel(create_engine("onnx", recognizer.bundle), config.acoustic)
    stages = Chain([Mfcc(config.mfcc), Cmvn(config.cmvn), model])
    offsets = np.array(config.decoder.token_offsets or 0.0, dtype=np.float32)
    heard = []
    for utterance in tqdm(utterances, desc="log-probabilities", disable=None):
        stages.reset()
        answer = np.concatenate([stages.push(read_audio(utterance.audio)), stages.flush()])
        heard.append((utterance, answer + offsets))
    return heard


def graphs(recognizer: Recognizer, heard: dict[str, Heard]) -> dict[str, Any]:
    """Graph search beside kaldi-decoder, both over the same states."""
    usual = (recognizer.bundle.config.decoder.beam, recognizer.bundle.config.decoder.max_active)
    figures: dict[str, Any] = {}
    for name, pairs in _cases(recognizer, heard).items():
        found: dict[str, list[Pair]] = {"wide": [], "usual": []}
        for graph, peer, frames in tqdm(pairs, desc=name, disable=None):
            for width, (beam, most) in (("wide", WIDE), ("usual", usual)):
                ours = search_graph(graph, frames, beam=beam, max_active=most)
                theirs = peer.decode(frames, beam=beam, max_active=most)
                found[width].append((ours, theirs, len(frames)))
        figures[name] = {width: report(answers) for width, answers in found.items()}
    return figures


def _cases(
    recognizer: Recognizer, heard: dict[str, Heard]
) -> dict[str, Iterator[tuple[Graph, KaldiDecoder, Float32Array]]]:
    """What can be said: our graph, the peer that walks through the same, and what was heard."""
    grammar, loop = recognizer.compile([GRID_GRAMMAR]), unigram_loop(recognizer)
    peers = {id(graph): KaldiDecoder(graph) for graph in (grammar, loop)}
    few = ((ngram_loop(recognizer, utterance.words), frames) for utterance, frames in heard["librispeech"])
    return {
        "grammar of GRID": ((grammar, peers[id(grammar)], frames) for _, frames in heard["grid"]),
        f"unigrams of {len(loop.outputs)} words": (
            (loop, peers[id(loop)], frames) for _, frames in heard["librispeech"]
        ),
        "n-grams of few words": ((graph, KaldiDecoder(graph), frames) for graph, frames in few),
    }


def unigram_loop(recognizer: Recognizer) -> Graph:
    """Free text of the bundle without histories."""
    graph = recognizer.word_loop()
    if graph.lm is None:
        return graph
    words = zip((output.word for output in graph.outputs), graph.lm.unigrams.tolist(), strict=False)
    penalty = recognizer.bundle.config.decoder.word_penalty
    return compile_word_loop(words, recognizer.lexicon, word_penalty=penalty)


def ngram_loop(recognizer: Recognizer, said: list[str]) -> Graph:
    """Free text of the bundle with its language model, but few words: those said and the commonest others.

    Raises
    ------
    UsageError: the bundle has no language model.
    """
    graph = recognizer.word_loop()
    if graph.lm is None:
        raise UsageError(f"{recognizer.bundle.directory}: its free text has no language model to compare")
    common = np.argsort(-graph.lm.unigrams[:-1], kind="stable").tolist()
    wanted = {graph.outputs[number].word for number in common[:COMMON_WORDS]} | set(said)
    words = np.array([n for n, output in enumerate(graph.outputs) if output.word in wanted])
    lm = restricted(graph.lm, words)
    unigrams = [(graph.outputs[n].word, float(graph.lm.unigrams[n])) for n in words.tolist()]
    penalty = recognizer.bundle.config.decoder.word_penalty
    loop = compile_word_loop(unigrams, recognizer.lexicon, word_penalty=penalty, homophones=True)
    return dataclasses.replace(loop, lm=lm)


def search_graph(graph: Graph, frames: Float32Array, *, beam: float, max_active: int) -> Answer:
    """Ours, through a graph."""
    config = DecoderConfig(beam=beam, max_active=max_active)
    return _timed(create_graph_search(graph, config, free_text=True), frames)


def prefixes(recognizer: Recognizer, heard: dict[str, Heard]) -> dict[str, Any]:
    """Prefix beam search beside flashlight-text, on phones.

    Both only sum up the alignments that their beams kept; ``exact_difference`` is the mean of what the found
    sequences are really worth, ours minus theirs.
    """
    tokens = Tokens.load(recognizer.bundle.path(TOKENS))
    usual = DecoderConfig()
    peer = FlashlightDecoder(tokens)
    figures: dict[str, Any] = {}
    for name, said in heard.items():
        figures[name] = {}
        for width, beam, most, token_beam in (
            ("wide", *WIDE_PREFIXES, np.inf),
            ("usual", usual.beam, usual.prefixes, usual.token_beam),
        ):
            pairs: list[Pair] = []
            better = 0.0
            for _, frames in tqdm(said, desc=f"prefixes of {name}, {width}", disable=None):
                search = PrefixBeamSearch(tokens, prefixes=most, beam=beam, token_beam=token_beam)
                # Two of its hypotheses are one of our prefixes.
                answers = (_timed(search, frames), peer.decode(frames, beam=beam, hypotheses=2 * most))
                ours, theirs = ([tokens.index[token] for token in answer.words] for answer in answers)
                better += likelihood(frames, ours) - likelihood(frames, theirs)
                pairs.append((*answers, len(frames)))
            figures[name][width] = report(pairs) | {"exact_difference": round(better / len(pairs), 5)}
    return figures


def likelihood(frames: Float32Array, labels: list[int]) -> float:
    """Natural log of the sum over all alignments of ``labels`` (Graves et al. 2006, equations 5 to 8)."""
    states = np.full(2 * len(labels) + 1, BLANK)
    states[1::2] = labels
    skips = np.flatnonzero((states[2:] != BLANK) & (states[2:] != states[:-2])) + 2
    forward = np.full(states.size, -np.inf)
    forward[0] = 0.0  # before the first frame, in the first blank
    for frame in frames.astype(np.float64):
        before = forward
        forward = before.copy()
        forward[1:] = np.logaddexp(forward[1:], before[:-1])
        forward[skips] = np.logaddexp(forward[skips], before[skips - 2])
        forward += frame[states]
    return float(np.logaddexp.reduce(forward[-2:]))


def _timed(search: Decoder, frames: Float32Array) -> Answer:
    started = time.thread_time()
    search.push(frames)
    found = search.finish()
    cpu_s = time.thread_time() - started
    score = -np.inf if found.outcome == "incomplete" else found.score
    return Answer(tuple(hit.word for hit in found.words), score, cpu_s)


def report(pairs: list[Pair]) -> dict[str, Any]:
    """Shares of the utterances, differences of scores (ours minus theirs), microseconds per frame."""
    frames = sum(count for _, _, count in pairs)
    differences = [ours.score - theirs.score for ours, theirs, _ in pairs if ours.score != theirs.score]
    close = [abs(difference) < SAME_SCORE for difference in differences]
    our_s, their_s = sum(ours.cpu_s for ours, _, _ in pairs), sum(theirs.cpu_s for _, theirs, _ in pairs)
    return {
        "utterances": len(pairs),
        "frames": frames,
        "same_words": round(np.mean([ours.words == theirs.words for ours, theirs, _ in pairs]).item(), 4),
        "same_score": round(1 - close.count(False) / len(pairs), 4),
        "mean_difference": round(sum(differences) / len(pairs), 5),
        "largest_difference": round(max(map(abs, differences), default=0.0), 5),
        "ours_us_per_frame": round(our_s / frames * 1e6, 1),
        "theirs_us_per_frame": round(their_s / frames * 1e6, 1),
        "ours_over_theirs": round(our_s / their_s, 2),
    }


def cost_of_a_frame(recognizer: Recognizer, heard: Heard) -> dict[str, float]:
    """Where our time goes: a line through the time of each frame over the hypotheses alive before it."""
    search = Search(unigram_loop(recognizer), beam=recognizer.bundle.config.decoder.beam)
    alive, us = [], []
    for _, frames in heard:
        search.reset()
        for frame in frames:
            alive.append(search.active)
            started = time.thread_time()
            search.push(frame[None])
            us.append((time.thread_time() - started) * 1e6)
    slope, fixed = np.polyfit(alive, us, 1)
    return {
        "mean_active": round(float(np.mean(alive)), 1),
        "fixed_us": round(float(fixed), 1),
        "us_per_hypothesis": round(float(slope), 3),
    }


if __name__ == "__main__":
    sys.exit(main())
