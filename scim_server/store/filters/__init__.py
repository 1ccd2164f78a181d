"""Bound filter conditions compiled to SQL, on both databases with the same meaning."""
