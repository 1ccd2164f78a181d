"""A module as another organisation might write it: the parking spaces of users, in one package.

It has its own extension of users, refuses a space without a plate, tells from when a space is taken and
reports when it is free again.
"""

from collections.abc import Iterable
from pathlib import Path

from scim_server.lifecycle.catalogue import Catalogue
from scim_server.lifecycle.change import Change, Rule, RuleContext, Verdict, modes, only_new
from scim_server.lifecycle.documents import Document, get, put
from scim_server.lifecycle.extension import Derivation, Extension, Finding, Job
from scim_server.lifecycle.state import moment

PARKING = "urn:example:schemas:extension:parking:2.0:User"


def _plated(document: Document, _change: Change, _context: RuleContext) -> Iterable[Verdict]:
    """Say that a space needs the plate of a car."""
    if get(document, PARKING, "space") and not get(document, PARKING, "plate"):
        yield Verdict("A parking space needs a plate", f"{PARKING}:plate")


def _derive(document: Document, now: int, _catalogue: Catalogue) -> None:
    """Show whether the space is the user's at the moment."""
    ends = moment(get(document, PARKING, "until"))
    if get(document, PARKING, "space"):
        put(document, PARKING, "taken", ends is None or now < ends)


def _moments(document: Document) -> Iterable[int]:
    ends = moment(get(document, PARKING, "until"))
    return () if ends is None else (ends,)


def _freed(before: Document, after: Document, _catalogue: Catalogue) -> Iterable[Finding]:
    """Tell of a space that became free."""
    if get(before, PARKING, "taken") and not get(after, PARKING, "taken"):
        yield Finding("parking.freed", get(before, PARKING, "space"))


extension = Extension(
    "parking",
    rules=(Rule("X-PARKING", only_new(_plated), modes("record", "record", "enforce", "enforce")),),
    derivations=(Derivation(_derive, attributes=(f"{PARKING.lower()}:taken",), moments=_moments),),
    jobs=(Job("freed parking spaces", _freed),),
    schemas=(Path(__file__).parent / "schemas",),
)
