"""Races over HTTP against a running server, on both databases."""
