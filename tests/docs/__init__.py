"""The documents: what they print is what happens, what they link to is there, what they list is complete."""
