"""Filters: grammar, binding to a resource type, evaluation on one element (RFC 7644 §3.4.2.2)."""
