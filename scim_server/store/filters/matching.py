"""Comparisons that can be decided without the database."""

from scim_server.scim.filters.matching import OPERATORS


def text_matches(own: str, operator: str, value: str) -> bool:
    """Tell whether a known text satisfies an operator, in any case.

    The texts this is used for (schema URNs, resource type names) differ in more than case.
    """
    return OPERATORS[operator](own.lower(), value.lower())
