import io

import pytest

from edge_asr.audio.ogg import breaks_off


def page(*segments: int) -> bytes:
    return b"OggS" + bytes(22) + bytes([len(segments), *segments]) + bytes(sum(segments))


TWO_PAGES = page(30) + page(255, 255, 12)


def test_whole_pages_pass() -> None:
    assert not breaks_off(io.BytesIO(TWO_PAGES))
    assert not breaks_off(io.BytesIO(page(30)))


@pytest.mark.parametrize("missing", [1, 522, 523, 530, 551])
def test_a_page_that_breaks_off_is_seen(missing: int) -> None:
    assert len(TWO_PAGES) - missing > len(page(30))
    assert breaks_off(io.BytesIO(TWO_PAGES[:-missing]))


@pytest.mark.parametrize("content", [b"", b"RIFF" + bytes(90), TWO_PAGES + b"junk"])
def test_what_is_no_page_is_left_to_the_decoder(content: bytes) -> None:
    assert not breaks_off(io.BytesIO(content))
