"""The query parameter dryRun, which asks what a change would do."""

from starlette.requests import Request

from scim_server.scim.errors import InvalidValue

PARAMETER = "dryRun"
_VALUES = {"true": True, "false": False}


def asks_for_preview(request: Request, *, is_possible: bool = False) -> bool:
    """Tell whether a request is to be tried only; `is_possible` where the endpoint can do that.

    The name counts in any case and whatever the dialect: passed over, it would have the change written.
    Raises InvalidValue for any value but true and false, and where there is nothing to try.
    """
    if not request.scope["query_string"]:
        return False
    stated = {
        _value(text) for name, text in request.query_params.multi_items() if name.lower() == PARAMETER.lower()
    }
    if len(stated) > 1:
        raise InvalidValue(f"{PARAMETER} is both true and false; send it once.")
    is_asked = True in stated
    if is_asked and not is_possible:
        raise InvalidValue(
            f"There is no preview of this request; send {PARAMETER} with POST, PUT, PATCH or DELETE "
            "of a single resource, or leave it out."
        )
    return is_asked


def _value(text: str) -> bool:
    found = _VALUES.get(text.lower())
    if found is None:
        raise InvalidValue(f"{PARAMETER} must be true or false, not {text[:80]!r}.")
    return found
