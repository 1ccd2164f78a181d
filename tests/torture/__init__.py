"""Faults and hostility against a real server: kills, outages, fuzzed requests, hours of load.

`make torture` runs all of it with the figures of docs/security.md; the tests run each with less.
"""
