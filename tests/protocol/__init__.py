"""Black-box tests of the protocol: RFC 7643, RFC 7644 and RFC 9865, knowing nothing of the implementation."""
