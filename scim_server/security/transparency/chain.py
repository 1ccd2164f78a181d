"""Hashes of the audit trail: commitments to private parts, the chain, receipts of destroyed keys."""

import hashlib

SALT_LENGTH = 32
GENESIS = bytes(32)
"""What the first event of a chain has as the hash before it."""


def commitment(salted: bytes) -> str:
    """Return what the public part says of a private one: SHA-256 over salt and canonical bytes, as hex."""
    return hashlib.sha256(salted).hexdigest()


def chain_hash(sequence: int, previous: bytes, public: bytes, commit: str | None) -> bytes:
    """Return SHA-256(0x00 ‖ sequence in 8 bytes ‖ previous hash ‖ public bytes ‖ commitment or nothing)."""
    tail = bytes.fromhex(commit) if commit else b""
    return hashlib.sha256(b"\x00" + sequence.to_bytes(8, "big") + previous + public + tail).digest()


def key_id(secret: bytes) -> str:
    """Return the name of a subject's key, which tells nothing of it: SHA-256, as hex."""
    return hashlib.sha256(secret).hexdigest()


def receipt(destroyed: str) -> str:
    """Return what an erasure leaves on record of a destroyed key, given its name: the name's SHA-256."""
    return hashlib.sha256(bytes.fromhex(destroyed)).hexdigest()
