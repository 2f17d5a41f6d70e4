"""One utterance on its way from samples to a hypothesis."""

from __future__ import annotations

from dataclasses import dataclass, replace

from edge_asr.acoustic import Engine
from edge_asr.acoustic.chunking import AcousticModel
from edge_asr.arrays import Float32Array
from edge_asr.audio.level import LevelMeter
from edge_asr.config import BundleConfig
from edge_asr.decoder import Decoder, KnowsState, ListsBest
from edge_asr.decoder.biasing import Phrases
from edge_asr.decoder.confidence import Background, sentence_confidence, speech_margin, word_confidence
from edge_asr.decoder.endpoint import Progress
from edge_asr.decoder.ngram_search import NgramSearch
from edge_asr.decoder.trace import Hypothesis
from edge_asr.decoder.verdict import reject
from edge_asr.errors import UsageError
from edge_asr.events import Alternative, Event, Final, Intent, Rejected, Word
from edge_asr.features.cmvn import Cmvn
from edge_asr.features.mfcc import Mfcc
from edge_asr.stage import Chain
from edge_asr.understand.intent import interpret
from edge_asr.understand.written_form import writer_for


@dataclass(frozen=True, kw_only=True)
class Text:
    """The best text of an utterance that goes on."""

    text: str
    stable: str
    """The words at its beginning that stay."""


NOTHING = Text(text="", stable="")
"""Before anything was heard."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Hearing:
    """What can be heard, for the utterances of one stream alone."""

    search: Decoder
    """New, or used in the stream's earlier utterances."""
    background: Decoder | None
    """A search through all phone sequences, which a grammar's sentences must stand up to; None for free text,
    and where the bundle brings none."""
    free_text: bool
    """Whether anything can be said, and no grammar is followed."""
    reject_below: float
    """Least confidence of what is accepted."""


class Utterance:
    """Front-end, acoustic model and search in a row; reset between utterances.

    Parameters
    ----------
    config: the bundle's.
    engine: shared by all streams.
    hearing: what is heard until ``use`` changes it.
    nbest: how many sentences a Final or Rejected lists at the most.
    """

    def __init__(self, config: BundleConfig, engine: Engine, hearing: Hearing, *, nbest: int = 1) -> None:
        self._acoustic = config.acoustic
        self._shift_s = config.mfcc.frame_shift_ms / 1000
        self._frame_samples = config.mfcc.frame_shift_samples
        self._stages = Chain([Mfcc(config.mfcc), Cmvn(config.cmvn), AcousticModel(engine, config.acoustic)])
        self._level = LevelMeter()
        self._decoder = config.decoder
        self._write = writer_for(config.language)
        self._nbest = nbest
        self._starts_at_s = 0.0
        self._open = False
        self._waiting: Hearing | None = None
        self._hear(hearing)

    def use(self, hearing: Hearing) -> None:
        """Hear this from the next utterance on: at once where none is open."""
        if self._open:
            self._waiting = hearing
        else:
            self._hear(hearing)

    def _hear(self, hearing: Hearing) -> None:
        self._waiting = None
        self._search, self._background = hearing.search, hearing.background
        self._free_text, self._reject_below = hearing.free_text, hearing.reject_below
        # Fitted to words; tokens that no lexicon makes words of have posteriors.
        fitted = isinstance(hearing.search, KnowsState)
        self._calibration = self._decoder.word_calibration if fitted else ()

    def begin(self, at_s: float) -> None:
        """Start a new utterance at this time of the stream."""
        self._stages.reset()
        self._level.reset()
        self._open = True
        self._search.reset()
        if self._background:
            self._background.reset()
        self._starts_at_s = at_s

    def push(self, samples: Float32Array) -> Text | None:
        """Take (n,) samples at 16 kHz; return the best text so far if any frame was decoded."""
        self._level.push(samples)
        if not self._decode(self._stages.push(samples)):
            return None
        best = self._search.best()
        return Text(text=best.text, stable=" ".join(hit.word for hit in best.words[: best.stable_words]))

    def _decode(self, log_probs: Float32Array) -> bool:
        if not len(log_probs):
            return False
        self._search.push(log_probs)
        if self._background:
            self._background.push(log_probs)
        return True

    def bias(self, phrases: Phrases | None) -> None:
        """Prefer these phrases from the next frame on, or none; in what waits for the next utterance if any.

        Raises
        ------
        UsageError: a grammar is heard, or free text without a language model, or words were added after
            the stream was opened and before the phrases were made.
        """
        search = self._waiting.search if self._waiting else self._search
        if not isinstance(search, NgramSearch):
            raise UsageError("phrases can only be preferred in free text with a language model")
        try:
            search.bias(phrases)
        except ValueError as error:
            raise UsageError(f"phrases: {error}: open a new stream after adding words") from error

    @property
    def step_samples(self) -> int:
        """Samples that bring the search one chunk further."""
        return self._acoustic.chunk_frames * self._frame_samples

    def progress(self) -> Progress:
        """How far the utterance has come."""
        frame_s = self._acoustic.subsampling * self._shift_s
        if isinstance(self._search, KnowsState):
            state, silent, frames = self._search.state(), self._search.silent_frames(), self._search.frames
        else:
            best = self._search.best()
            state, frames = "complete" if best.words else "nothing", best.frames
            silent = frames - best.words[-1].end_frame if best.words else frames
        return Progress(state=state, silence_s=silent * frame_s, duration_s=frames * frame_s)

    def finish(self, *, at_s: float, reason: str) -> list[Event]:
        """End the utterance: its Final and, where the grammar says one, its Intent; or Rejected."""
        events = self._finish(at_s, reason)
        self._open = False
        if self._waiting:
            self._hear(self._waiting)
        return events

    def _finish(self, at_s: float, reason: str) -> list[Event]:
        self._decode(self._stages.flush())
        heard = self._search.finish()
        background = Background.of(self._background.finish()) if self._background else None
        rescored = self._search.rescored() if heard.words and isinstance(self._search, NgramSearch) else []
        hypothesis = rescored[0] if rescored else heard
        confidence = self._confidence(hypothesis, background)
        refused = reject(
            hypothesis,
            self._level.level,
            # Whether it was speech at all, the search knows: a language model hears nothing.
            margin=speech_margin(heard),
            least_margin=self._decoder.speech_margin,
            confidence=confidence,
            least_confidence=self._reject_below,
        )
        nbest = self._alternatives(hypothesis, rescored, heard, background)
        if refused:
            return [Rejected(at_s=at_s, reason=refused, nbest=nbest)]
        words = self._words(hypothesis)
        text = hypothesis.text
        events: list[Event] = [
            Final(
                at_s=at_s,
                text=text,
                written=self._write(text),
                confidence=confidence,
                words=words,
                reason=reason,
                nbest=nbest,
            )
        ]
        meaning = interpret(hypothesis.path)
        if meaning is not None:
            events.append(
                Intent(at_s=at_s, name=meaning.intent, slots=meaning.slots, text=text, confidence=confidence)
            )
        return events

    def _confidence(self, hypothesis: Hypothesis, background: Background | None) -> float:
        """Of a whole utterance in [0, 1]: with a grammar that it is right, else the share of right words."""
        if self._free_text and self._calibration and hypothesis.words:
            words = [word_confidence(hit, self._calibration) for hit in hypothesis.words]
            return round(sum(words) / len(words), 4)
        return round(sentence_confidence(hypothesis, background, self._decoder.sentence_calibration), 4)

    def _alternatives(
        self,
        best: Hypothesis,
        rescored: list[Hypothesis],
        heard: Hypothesis,
        background: Background | None,
    ) -> tuple[Alternative, ...]:
        """What may have been said, ``best`` first; sentences of one text and meaning are one."""
        listed = rescored or ([best] if best.words else [])
        if self._nbest > 1 and isinstance(self._search, ListsBest):
            # Other ways through a grammar to the same text and meaning take places in the list.
            others = [other for other in self._search.nbest(2 * self._nbest) if other.words]
            if rescored:
                # What was too far behind to be re-scored keeps its distance.
                ahead = best.score - heard.score
                others = [replace(other, score=other.score + ahead) for other in others]
                known = {hypothesis.text for hypothesis in rescored}
                others = [other for other in others if other.text not in known]
                listed = sorted([*rescored, *others], key=lambda hypothesis: -hypothesis.score)
            else:
                listed += others
        if not listed:
            listed = [hypothesis for hypothesis in [self._search.best()] if hypothesis.words]
        found: dict[str, Alternative] = {}
        for hypothesis in listed:
            meaning = interpret(hypothesis.path)
            alternative = Alternative(
                text=hypothesis.text,
                score=round(hypothesis.score, 3),
                confidence=self._confidence(hypothesis, background),
                intent=meaning.intent if meaning else None,
                slots=meaning.slots if meaning else {},
            )
            found.setdefault(repr((alternative.text, meaning)), alternative)
        return tuple(found.values())[: self._nbest]

    def _words(self, hypothesis: Hypothesis) -> tuple[Word, ...]:
        """Words with times on the stream's clock; the model's mean lateness is taken off."""

        def at_s(frame: int) -> float:
            heard = frame * self._acoustic.subsampling - self._acoustic.delay_frames
            return round(self._starts_at_s + max(0, heard) * self._shift_s, 3)

        return tuple(
            Word(
                word=hit.word,
                start_s=at_s(hit.start_frame),
                end_s=at_s(hit.end_frame),
                confidence=round(word_confidence(hit, self._calibration), 4),
            )
            for hit in hypothesis.words
        )
