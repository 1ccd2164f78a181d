"""If-Match and If-None-Match (RFC 7232, RFC 7644 §3.14)."""

import re

from scim_server.scim.errors import PreconditionFailed

_TAG = re.compile(r'(?:W/)?"[^"]*"|[^,"\s]+')


def tag_matches(header: str, current: str) -> bool:
    """Tell whether a header's list of entity tags names the current one; `*` names any.

    Tags are compared weakly, and read without their quotes where a client left them out.
    """
    if header.strip() == "*":
        return True
    return _bare(current) in {_bare(tag) for tag in _TAG.findall(header)}


def _bare(tag: str) -> str:
    return tag.strip().removeprefix("W/").strip('"')


def check_if_match(header: str | None, current: str, subject: str = "Data") -> None:
    """Raise PreconditionFailed where If-Match is given and names another version (S2 UC-003 AF3, EF3)."""
    if header is not None and not tag_matches(header, current):
        raise PreconditionFailed(
            f"{subject} was modified by another user: it is at version {current}, "
            f"the request is for {header[:80]}; read it and repeat."
        )
