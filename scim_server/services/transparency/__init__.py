"""The tamper-evident audit trail: chain, checkpoints, verification, proofs, erasure, retention, export."""
