"""The SCIM protocol as pure functions: no I/O, no framework, no SQL."""
