"""Use cases: each opens its transaction, calls protocol and store, and alone commits."""
