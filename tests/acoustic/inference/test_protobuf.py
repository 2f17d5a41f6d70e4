"""The wire format, against Google's own writer, which the package onnx brings."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge_asr.acoustic.inference.protobuf import Message, WireError

onnx = pytest.importorskip("onnx", reason="needs onnx to write messages")

INT64 = st.integers(-(1 << 63), (1 << 63) - 1)
FLOATS = st.lists(st.floats(width=32, allow_nan=False))


@given(st.text(), INT64, st.lists(INT64), st.floats(width=32, allow_nan=False), FLOATS, st.binary())
@example("", -1, [0, -1, 1 << 62], 0.0, [1.5], b"\x00")
def test_what_is_written_is_read(
    text: str, integer: int, integers: list[int], number: float, numbers: list[float], data: bytes
) -> None:
    tensor = onnx.TensorProto(raw_data=data, dims=integers)  # not packed
    written = onnx.AttributeProto(
        name=text, i=integer, ints=integers, f=number, floats=numbers, strings=[data, b"x"], t=tensor
    )
    message = Message(memoryview(written.SerializeToString()))
    assert message.text(1) == text
    assert message.integer(3) == integer
    assert message.integers(8) == integers
    assert message.floats(2) == [number] and message.floats(7) == numbers
    assert [bytes(view) for view in message._views(9)] == [data, b"x"]
    nested = message.message(5)
    assert bytes(nested.data(9) or b"") == data and nested.integers(1) == integers


@given(st.lists(INT64, min_size=1), FLOATS)
def test_packed_numbers_are_read(integers: list[int], floats: list[float]) -> None:
    tensor = onnx.TensorProto(int64_data=integers, float_data=floats)  # packed
    message = Message(memoryview(tensor.SerializeToString()))
    assert message.integers(7) == integers and message.floats(4) == floats


def test_an_absent_field_has_a_default() -> None:
    message = Message(memoryview(b""))
    assert (message.text(1), message.integer(2, 7), message.integers(3), message.data(4)) == ("", 7, [], None)
    assert message.message(5).text(1) == ""


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        message = Message(memoryview(data))
    except WireError:
        return
    for read in (message.texts, message.integers, message.floats, message.messages, message.data):
        for number in range(1, 16):
            try:
                read(number)
            except WireError:
                continue


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x0a\x05ab", "should have 5 bytes, but only 2 are left"),
        (b"\x08\xff", "the bytes end within a number"),
        (b"\x08" + b"\xff" * 11, "more than 10 bytes"),
        (b"\x0b", "unknown wire type 3"),
        (b"\x02\x00", "cannot have the number 0"),
        (b"\x0d\x01\x02", "should have 4 bytes"),
    ],
)
def test_damage_is_told(data: bytes, message: str) -> None:
    with pytest.raises(WireError, match=message):
        Message(memoryview(data))


def test_a_field_of_another_kind_is_told() -> None:
    with pytest.raises(WireError, match="is a number where bytes were expected"):
        Message(memoryview(b"\x08\x01")).text(1)
    with pytest.raises(WireError, match="no whole number of floats"):
        Message(memoryview(b"\x0a\x03abc")).floats(1)
    with pytest.raises(WireError, match="is no text"):
        Message(memoryview(b"\x0a\x01\xff")).text(1)
