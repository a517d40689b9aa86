"""The list of retired keys comes from the community's root, whole, or is none."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tier_link.certificates import root_fingerprint, root_public_bytes
from tier_link.errors import ReceiptRefused
from tier_link.retired_keys import RetiredKey, RetiredKeys, open_retired_keys, sign_retired_keys

ROOT = Ed25519PrivateKey.from_private_bytes(b"\1" * 32)
FINGERPRINT = root_fingerprint(root_public_bytes(ROOT))
STATED = RetiredKeys(1, "sunny-court", 2000, (RetiredKey("a" * 32, 1000),))


def refusal(file: bytes, fingerprint: bytes = FINGERPRINT) -> str:
    with pytest.raises(ReceiptRefused) as refused:
        open_retired_keys(file, fingerprint)
    return refused.value.code


def test_a_list_goes_out_and_back_and_a_key_counts_until_the_moment_that_it_names() -> None:
    opened = open_retired_keys(sign_retired_keys(STATED, ROOT).encode(), FINGERPRINT)
    assert opened == STATED
    assert not opened.ended("a" * 32, 999)
    assert opened.ended("a" * 32, 1000)
    assert not opened.ended("b" * 32, 5000)


def test_another_communitys_list_and_one_that_another_root_signed_are_refused() -> None:
    other = Ed25519PrivateKey.from_private_bytes(b"\2" * 32)
    assert refusal(sign_retired_keys(STATED, other).encode()) == "retired-other-root"


def test_whatever_is_altered_is_refused() -> None:
    text = sign_retired_keys(STATED, ROOT)
    lines = text.splitlines()
    for number in range(1, len(lines) - 1):
        for at in (0, len(lines[number]) // 2, len(lines[number]) - 1):
            letter = "A" if lines[number][at] != "A" else "B"
            changed = lines[number][:at] + letter + lines[number][at + 1 :]
            altered = "\n".join([*lines[:number], changed, *lines[number + 1 :]])
            try:
                assert open_retired_keys(altered.encode(), FINGERPRINT) == STATED
            except ReceiptRefused as refused:
                assert refused.code.startswith("retired-")  # noqa: PT017 - either is right
    for broken in (b"", b"\xff\xfe", text[:-40].encode(), b"x" * (256 * 1024 + 1)):
        assert refusal(broken) == "retired-malformed"
