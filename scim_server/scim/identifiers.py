"""Resource ids as clients write them."""

import re

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)


def is_id(text: str) -> bool:
    """Tell whether a text has the form of the ids that this server makes, in whatever case."""
    return _UUID.fullmatch(text) is not None


def canonical_id(text: str) -> str:
    """Return an id in the case that this server makes ids in: clients change it, RFC 7643 §3.1 does not."""
    return text.lower() if _UUID.fullmatch(text) else text
