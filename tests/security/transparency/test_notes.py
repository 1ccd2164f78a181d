"""Checkpoints are signed notes that only the key of their log can make."""

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from scim_server.security.transparency.notes import BadNote, Checkpoint, Signer, Verifier

SIGNER = Signer.generate("log.example.com")
SAID = Checkpoint("log.example.com/default", 3, bytes(32), "2026-01-01T00:00:00Z", b"\x01" * 32)
NOTE = SIGNER.note(SAID)


def test_a_note_has_the_form_of_c2sp() -> None:
    """Https://c2sp.org/tlog-checkpoint and https://c2sp.org/signed-note, taken apart by hand."""
    text, signature = NOTE.split("\n\n")
    zeros, ones = (base64.b64encode(bytes([byte]) * 32).decode() for byte in (0, 1))
    head = ["log.example.com/default", "3", zeros]
    assert text.split("\n") == [*head, "time 2026-01-01T00:00:00Z", f"chain {ones}"]
    dash, name, encoded = signature.rstrip("\n").split(" ")
    assert (dash, name) == ("—", "log.example.com")
    raw, key = base64.b64decode(encoded), SIGNER.verifier.key
    assert raw[:4] == hashlib.sha256(b"log.example.com\n\x01" + key).digest()[:4]
    Ed25519PublicKey.from_public_bytes(key).verify(raw[4:], f"{text}\n".encode())


def test_what_a_note_says_is_read_back() -> None:
    assert Checkpoint.parse(NOTE) == SAID


def test_the_public_key_is_written_and_read_back() -> None:
    assert Verifier.parse(str(SIGNER.verifier)) == SIGNER.verifier


def test_the_key_file_is_written_and_read_back() -> None:
    again = Signer.parse(SIGNER.stored())
    assert again.note(SAID) == NOTE


def test_the_key_of_the_log_is_accepted() -> None:
    assert SIGNER.verifier.has_signed(NOTE)


@pytest.mark.parametrize(
    "note",
    [
        NOTE.replace("\n3\n", "\n4\n"),
        NOTE.partition("\n\n")[0],
        NOTE.replace("— ", "- "),
        Signer.generate("log.example.com").note(SAID),
        Signer.generate("other").note(SAID),
        f"{NOTE.partition('— ')[0]}— log.example.com AAAA\n",
        "",
    ],
    ids=["changed", "unsigned", "other dash", "other key", "other name", "no signature", "nothing"],
)
def test_no_other_note_is_accepted(note: str) -> None:
    assert not SIGNER.verifier.has_signed(note)


@pytest.mark.parametrize(
    "text", ["", "a\n1\n", "a\n-1\nAAAA\ntime x\nchain AAAA\n", NOTE.replace("chain", "x")]
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        Checkpoint.parse(text)


@pytest.mark.parametrize(
    "text", ["", "a+b", "a+00000000+AQ==", str(SIGNER.verifier).replace("log", "lag")], ids=range(4)
)
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        Verifier.parse(text)


@pytest.mark.parametrize("text", ["", "name: a\n", SIGNER.stored().partition("\n")[2]], ids=range(3))
def test_what_is_no_key_file_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        Signer.parse(text)


def test_a_name_that_a_note_cannot_hold_is_refused() -> None:
    with pytest.raises(BadNote):
        Signer.generate("two words")
