"""People see the written form of what was said where it differs; programs always get both."""

from __future__ import annotations

import pytest

from edge_asr.commands import listen, transcribe
from edge_asr.events import Final

PLAIN = Final(at_s=2.0, text="turn on the lights", confidence=0.9)
TIMED = Final(at_s=2.0, text="wake me at half past six", written="wake me at 06:30", confidence=0.9)


def test_a_final_without_a_written_form_is_written_as_it_was_said() -> None:
    assert PLAIN.written == PLAIN.text
    assert PLAIN.to_dict()["written"] == "turn on the lights"


@pytest.mark.parametrize(("final", "shown"), [(PLAIN, False), (TIMED, True)])
def test_listen_shows_it_where_it_differs(
    final: Final, shown: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    listen._Screen().show([final])
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"{final.text}  (0.90)", f"  = {final.written}"][: 1 + shown]


@pytest.mark.parametrize(("final", "shown"), [(PLAIN, False), (TIMED, True)])
def test_transcribe_shows_it_where_it_differs(final: Final, shown: bool) -> None:
    result = transcribe.summarise([final])
    assert (result["text"], result["written"]) == (final.text, final.written)
    rows = [
        line.split(maxsplit=1)
        for line in transcribe._describe(
            {"file": "a.wav", "intent": None, "slots": {}, "audio_s": 1.0, "wall_s": 0.1, **result}
        ).splitlines()
    ]
    assert ["text", final.text] in rows
    assert (["written", final.written] in rows) == shown
