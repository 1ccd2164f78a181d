"""The organisation's rules, one module each: every module exposes `extension`."""
