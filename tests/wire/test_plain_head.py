"""What the front door takes for plain, byte by byte. Whole heads are judged by `tests/edge/test_front_door.py`."""

from proxy.wire.plain_head import TARGET_BYTES


def test_a_plain_target_is_visible_ascii_without_a_number_sign() -> None:
    plain = [byte for byte in range(256) if (target := b"/a%ca" % byte).translate(TARGET_BYTES) == target]
    assert bytes(plain) == bytes(range(0x21, 0x7F)).replace(b"#", b"")
