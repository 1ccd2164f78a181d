"""Endpoints: each parses its message, calls one service and renders the answer."""
