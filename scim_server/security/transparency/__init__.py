"""What makes the audit trail tamper-evident, as pure functions: hashes, trees, proofs, notes, seals."""
