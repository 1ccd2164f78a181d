"""Independent judges of the server: other libraries, other test suites, other clients."""
