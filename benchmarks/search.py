"""How fast graphs compile and how fast they are searched, as JSON on standard output.

    python -m benchmarks.search [--tokens tokens.txt --lexicon lexicon.txt.xz]

Without files the lexicon is made up: 30,000 words of two to ten phones, drawn from a random chain of
syllables, so that beginnings are shared as in a real one. What is heard is made up always: the phones
of random sentences, one or two frames each with blanks between, in three degrees of noise. Times are
CPU time of one thread.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import numpy as np

from edge_asr.arrays import Float32Array
from edge_asr.decoder.compile import compile_network, compile_word_loop
from edge_asr.decoder.graph import Graph
from edge_asr.decoder.lexicon import Lexicon
from edge_asr.decoder.network import WordNetwork
from edge_asr.decoder.search import Search
from edge_asr.decoder.tokens import Tokens

PHONES: list[str] = (  # noqa: SIM905
    "AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH"
).split()
CONDITIONS = {"clean": (1.5, 8.0), "usual": (1.5, 6.0), "hard": (2.0, 6.0), "noise": (2.0, 0.0)}
"""Standard deviation of every logit, and what is added to the logit of the right token."""

T = TypeVar("T")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tokens", type=Path, help="tokens.txt of a bundle")
    parser.add_argument("--lexicon", type=Path, help="lexicon of a bundle")
    parser.add_argument("--words", type=int, default=30_000, help="size of the free word loop")
    parser.add_argument("--beam", type=float, default=14.0)
    parser.add_argument("--max-active", type=int, default=2500)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    tokens = Tokens.load(arguments.tokens) if arguments.tokens else Tokens(["<blk>", *PHONES])
    if arguments.lexicon:
        lexicon, load_s = _timed(lambda: Lexicon.load(arguments.lexicon, tokens))
    else:
        text = _made_up_lexicon(rng, arguments.words)
        lexicon, load_s = _timed(lambda: Lexicon(text, tokens))
    words = rng.permutation(list(lexicon.words()))[: arguments.words].tolist()

    def search(graph: Graph, sentences: Sequence[Sequence[str]]) -> dict[str, Any]:
        pruning = {"beam": arguments.beam, "max_active": arguments.max_active}
        return {
            name: _search(graph, [_heard(rng, lexicon, s, *noise) for s in sentences], pruning)
            for name, noise in CONDITIONS.items()
        }

    report: dict[str, Any] = {"lexicon": {"words": len(lexicon), "load_ms": _ms(load_s)}}
    common = [words[int(i)] for i in rng.zipf(1.3, 4000) % 1000]
    for count in (100, 10_000):
        sentences = [rng.choice(common, rng.integers(3, 9)).tolist() for _ in range(count)]
        graph, compile_s = _timed(lambda s=sentences: compile_network(_network(s), lexicon))  # type: ignore[misc]
        report[f"sentences_{count}"] = {**_sizes(graph, compile_s), **search(graph, sentences[:30])}
    priors = [(word, float(-np.log(10.0 + i))) for i, word in enumerate(words)]
    graph, compile_s = _timed(lambda: compile_word_loop(priors, lexicon))
    spoken = [rng.choice(words, 8).tolist() for _ in range(10)]
    report["word_loop"] = {**_sizes(graph, compile_s), **_stored(graph), **search(graph, spoken)}
    print(json.dumps(report, indent=2))


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    """Result of ``work`` and its CPU seconds."""
    start = time.thread_time()
    return work(), time.thread_time() - start


def _ms(seconds: float) -> float:
    return round(seconds * 1e3, 1)


def _sizes(graph: Graph, compile_s: float) -> dict[str, Any]:
    return {
        "states": graph.states,
        "arcs": graph.arcs,
        "size_bytes": graph.nbytes,
        "compile_ms": _ms(compile_s),
    }


def _stored(graph: Graph) -> dict[str, Any]:
    """Size on disk and time to load."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "graph.npz"
        graph.save(path)
        _, load_s = _timed(lambda: Graph.load(path))
        return {"file_bytes": path.stat().st_size, "load_ms": _ms(load_s)}


def _search(graph: Graph, heard: Sequence[Float32Array], pruning: dict[str, Any]) -> dict[str, Any]:
    """CPU time per frame, frame by frame as a stream would push them, and hypotheses alive."""
    search = Search(graph, **pruning)
    cpu_s = 0.0
    active: list[int] = []
    for log_probs in heard:
        search.reset()
        for frame in log_probs:
            cpu_s += _timed(lambda f=frame: search.push(f[None]))[1]  # type: ignore[misc]
            active.append(search.active)
    return {
        "frames": len(active),
        "us_per_frame": round(cpu_s / len(active) * 1e6, 1),
        "mean_active": round(float(np.mean(active)), 1),
    }


def _heard(
    rng: np.random.Generator, lexicon: Lexicon, words: Sequence[str], spread: float, bonus: float
) -> Float32Array:
    """Log-probabilities (frames, tokens) as a model might give them for ``words``."""
    labels = [0] * 10
    for word in words:
        for phone in lexicon.pronunciations(word)[0]:
            labels += [phone] * int(rng.integers(1, 3)) + [0] * int(rng.integers(1, 3))
    logits = spread * rng.standard_normal((len(labels), len(lexicon.tokens)))
    logits[np.arange(len(labels)), labels] += bonus
    logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return logits.astype(np.float32)


def _network(sentences: Sequence[Sequence[str]]) -> WordNetwork:
    """Accepts each sentence."""
    network = WordNetwork("sentences")
    for sentence in sentences:
        at = network.start
        for word in sentence:
            after = network.add_node()
            network.add(at, after, word)
            at = after
        network.add(at, network.end)
    return network


def _made_up_lexicon(rng: np.random.Generator, words: int) -> str:
    """Lines of distinct pronunciations; each phone is followed by one of six others."""
    follows = [rng.choice(PHONES, 6, replace=False).tolist() for _ in PHONES]
    lines: dict[str, None] = {}
    while len(lines) < words:
        phones = [str(rng.choice(PHONES))]
        for _ in range(int(rng.integers(1, 10))):
            phones.append(follows[PHONES.index(phones[-1])][int(rng.integers(6))])
        lines[" ".join(phones)] = None
    return "".join(f"{phones.replace(' ', '').lower()}{i} {phones}\n" for i, phones in enumerate(lines))


if __name__ == "__main__":
    main()
