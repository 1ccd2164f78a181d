"""The organisation's own rules, one module each."""
