"""Resource ids as clients write them."""

import re

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)


def canonical_id(text: str) -> str:
    """Return an id in the case that this server makes ids in: clients change it, RFC 7643 §3.1 does not."""
    return text.lower() if _UUID.fullmatch(text) else text
