"""One source of audio on its way through the recognizer: utterances found, heard and ended."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from edge_asr.arrays import Float32Array
from edge_asr.audio.pcm import check_samples
from edge_asr.audio.resample import Resampler
from edge_asr.decoder.biasing import Phrases
from edge_asr.decoder.endpoint import EndpointConfig, ended
from edge_asr.decoder.graph import Graph
from edge_asr.events import Event, Gap, Partial, SpeechStarted
from edge_asr.utterance import NOTHING, Hearing, Utterance
from edge_asr.vad import FRAME_SAMPLES
from edge_asr.vad.gate import Gate, SpeechAudio, SpeechClosed, SpeechOpened

BRIDGED_GAP_S = 0.5
"""Lost audio up to this long is heard as silence within the utterance; a longer gap ends it."""


class Stream:
    """One source of audio; for one thread at a time. Open it with ``Recognizer.stream``."""

    def __init__(
        self,
        utterance: Utterance,
        hear: Callable[[Graph | None], Hearing],
        *,
        sample_rate_hz: int,
        model_rate_hz: int,
        gate: Gate | None,
        endpoint: EndpointConfig | None,
    ) -> None:
        self.sample_rate_hz = sample_rate_hz
        self._model_rate_hz = model_rate_hz
        self._resampler = Resampler(sample_rate_hz, self._model_rate_hz)
        self._utterance = utterance
        self._hearing_of = hear
        self._gate = gate
        self._endpoint = endpoint
        self._heard = 0  # samples at the model's rate since the origin
        self._taken = 0  # samples of the source so far: the stream's clock
        self._origin_s = 0.0  # where the resampler and the gate count from
        self._shown = NOTHING
        self._begun = False

    @property
    def at_s(self) -> float:
        """Audio consumed so far, gaps included, in seconds."""
        return round(self._taken / self.sample_rate_hz, 6)

    def accept_waveform(self, samples: Float32Array) -> list[Event]:
        """Take any number of mono samples in [-1, 1] at the stream's rate; return what they brought.

        Raises
        ------
        AudioError: NaN or infinite samples; the stream is as if they had not been given.
        """
        samples = np.asarray(samples, dtype=np.float32)
        check_samples(samples, sample_rate_hz=self.sample_rate_hz, first_sample=self._taken)
        self._taken += samples.size
        return self._hear(self._resampler.push(samples))

    def use(self, graph: Graph | None) -> None:
        """Hear another grammar from the next utterance on; None is free text.

        An utterance that has begun ends with the grammar that it began with; where none has, the change
        takes effect at once. No audio is lost either way. Of two changes within one utterance the later
        one counts. Phrases end with what they were preferred in: ``bias`` prefers them anew.

        Raises
        ------
        UsageError: the graph was compiled for another model.
        """
        self._utterance.use(self._hearing_of(graph))

    def bias(self, phrases: Phrases | None) -> None:
        """Prefer phrases of free text (``Recognizer.phrases``) from now on, within an utterance too.

        After ``use`` within an utterance it is the next one in which they are preferred.

        Raises
        ------
        UsageError: the stream hears a grammar.
        """
        self._utterance.bias(phrases)

    def skip(self, samples: int) -> list[Event]:
        """Tell the stream that the source lost this many samples here: a Gap, and what it brought."""
        duration_s = samples / self.sample_rate_hz
        if duration_s <= BRIDGED_GAP_S:
            self._taken += samples
            events = self._hear(self._resampler.push(np.zeros(samples, dtype=np.float32)))
        else:
            events = self._end()
            self._taken += samples
            self._origin_s = self.at_s
        return [*events, Gap(at_s=self.at_s, duration_s=round(duration_s, 6))]

    def finish(self) -> list[Event]:
        """The source has ended: return the last events. The stream may then be used anew."""
        events = self._end()
        self._taken, self._origin_s = 0, 0.0
        return events

    def _end(self) -> list[Event]:
        """Flush everything and make all stages new."""
        events = self._hear(self._resampler.flush())
        if self._gate is not None:
            events += self._follow(self._gate.flush())
            self._gate.reset()
        elif self._begun or not self._heard:
            self._begin(self._origin_s)
            events += self._close("end_of_audio")
        self._resampler.reset()
        self._heard = 0
        return events

    def _hear(self, samples: Float32Array) -> list[Event]:
        """Samples at the model's rate."""
        if self._endpoint is None:
            return self._take(samples)
        # Step by step on a clock of its own, so that an utterance ends at the same sample however the audio
        # is cut into blocks.
        step = FRAME_SAMPLES if self._gate else self._utterance.step_samples
        events: list[Event] = []
        for part in np.split(samples, range(step - self._heard % step, samples.size, step)):
            events += self._take(part)
            if self._begun and self._heard % step == 0:
                reason = ended(self._utterance.progress(), self._endpoint)
                if reason:
                    events += self._close(reason)
                    if self._gate:
                        self._gate.close()
        return events

    def _take(self, samples: Float32Array) -> list[Event]:
        start_s = self._origin_s + self._heard / self._model_rate_hz
        self._heard += samples.size
        if self._gate is not None:
            return self._follow(self._gate.push(samples))
        self._begin(start_s)
        return self._decode(samples)

    def _follow(self, pieces: list[SpeechOpened | SpeechAudio | SpeechClosed]) -> list[Event]:
        """Decode what the gate lets through."""
        events: list[Event] = []
        for piece in pieces:
            match piece:
                case SpeechOpened():
                    self._begin(self._origin_s + piece.at_sample / self._model_rate_hz)
                    events.append(SpeechStarted(at_s=self.at_s))
                case SpeechAudio():
                    events += self._decode(piece.samples)
                case SpeechClosed():
                    events += self._close(piece.reason)
        return events

    def _begin(self, at_s: float) -> None:
        if not self._begun:
            self._utterance.begin(at_s)
            self._begun, self._shown = True, NOTHING

    def _decode(self, samples: Float32Array) -> list[Event]:
        found = self._utterance.push(samples)
        if found is None or found == self._shown:
            return []
        self._shown = found
        return [Partial(at_s=self.at_s, text=found.text, stable=found.stable)]

    def _close(self, reason: str) -> list[Event]:
        self._begun = False
        return self._utterance.finish(at_s=self.at_s, reason=reason)
