"""Recorded conversations of real SCIM clients, replayed over HTTP."""
