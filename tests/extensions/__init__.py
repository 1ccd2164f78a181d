"""The organisation's rules hold, module by module."""
