"""The protocol's messages: queries in, lists out, bulk requests."""
