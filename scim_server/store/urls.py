"""URLs of stores: whether a password stands in one, and how it may be shown."""

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

_SECRET_PARAMETERS = frozenset({"password", "sslpassword"})


def has_password(url: str) -> bool:
    """Tell whether a password stands in a URL, before the host or in the query, or may in a garbled one."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        return "@" in url
    return bool(parsed.password) or "@" in (parsed.database or "") or _has_secret(parsed)


def shown(url: URL) -> str:
    """Return a URL without any password."""
    return url.difference_update_query(_SECRET_PARAMETERS).render_as_string(hide_password=True)


def _has_secret(url: URL) -> bool:
    return not _SECRET_PARAMETERS.isdisjoint(url.query)
