"""PATCH: operations read, applied to a document, memberships as edits (RFC 7644 §3.5.2)."""
