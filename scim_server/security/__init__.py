"""Who calls: principals, tokens, permissions."""
