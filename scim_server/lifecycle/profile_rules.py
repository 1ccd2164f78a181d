"""Rules on the fields of a user: names, e-mail, employee number, start date, password."""

from collections.abc import Iterable

from scim_server.lifecycle import names, passwords
from scim_server.lifecycle.change import Change, Rule, RuleContext, Verdict, modes, only_new
from scim_server.lifecycle.dates import day_of, moment_of
from scim_server.lifecycle.documents import Document, get, primary_email
from scim_server.lifecycle.messages import message
from scim_server.lifecycle.mirrors import zone_of
from scim_server.lifecycle.urns import CONNECTOR, ENTERPRISE

_DATES = ("startDate", "endDate", "hireDate", "terminationDate")


def _names(document: Document, _change: Change, _context: RuleContext) -> Iterable[Verdict]:
    """R-NAME: first and last name as S4 §13 has them."""
    name = document.get("name") or {}
    for part, check in (("givenName", names.given_name), ("familyName", names.family_name)):
        for text in check(name.get(part)):
            yield Verdict(text, f"name.{part}", f"{text} {name.get(part)}")


def _email(document: Document, _change: Change, _context: RuleContext) -> Iterable[Verdict]:
    """R-EMAIL: the primary e-mail is well formed (S4 §13)."""
    address = primary_email(document)
    if address:
        for text in names.email(address):
            yield Verdict(text, "emails", address)


def _email_required(document: Document, change: Change, context: RuleContext) -> Iterable[Verdict]:
    """R-EMAIL-REQ: an e-mail is there (S4 §13, X-02)."""
    if change.actor.profile in context.policies.email.required and not primary_email(document):
        yield Verdict(message("R-EMAIL-REQ"), "emails")


def _email_domain(document: Document, _change: Change, context: RuleContext) -> Iterable[Verdict]:
    """R-EMAIL-DOMAIN: only the organisation's domains (S4 §13)."""
    address = primary_email(document)
    if address:
        for text in names.email_domain(address, context.policies.email.domains):
            yield Verdict(text, "emails", address)


def _email_unique(change: Change, context: RuleContext) -> Iterable[Verdict]:
    """R-EMAIL-UNIQ: no two users share a primary e-mail (S4 USER-001)."""
    if context.lookups.email_taken and primary_email(change.new) != primary_email(change.old):
        yield Verdict(message("R-EMAIL-UNIQ"), "emails")


def _email_change(change: Change, context: RuleContext) -> Iterable[Verdict]:
    """R-EMAIL-CHANGE: an e-mail changes only where the policy allows it (S2 UC-003 MF5)."""
    allowed = context.policies.email.change
    old, new = primary_email(change.old), primary_email(change.new)
    if change.is_creation or change.is_deletion or old in (None, new) or allowed == "always":
        return
    if allowed == "never" or not change.actor.is_human:
        yield Verdict(message("R-EMAIL-CHANGE"), "emails")


def _employee_number(document: Document, _change: Change, _context: RuleContext) -> Iterable[Verdict]:
    """R-EMPID: letters, digits and hyphens, at most 20 (S4 §13, X-11)."""
    number = get(document, ENTERPRISE, "employeeNumber")
    if isinstance(number, str) and number:
        for text in names.employee_number(number):
            yield Verdict(text, f"{ENTERPRISE}:employeeNumber", number)


def _dates(document: Document, _change: Change, context: RuleContext) -> Iterable[Verdict]:
    """R-DATE: flat dates are dates."""
    for name in _DATES:
        text = get(document, CONNECTOR, name)
        if text is None:
            continue
        try:
            moment_of(text, zone=zone_of(document, context.catalogue), end_of_day=False)
        except ValueError:
            yield Verdict(message("R-DATE", what=name), f"{CONNECTOR}:{name}", str(text))


def _start_window(change: Change, context: RuleContext) -> Iterable[Verdict]:
    """R-START-WINDOW: a start date near today (S4 §13)."""
    text = get(change.new, CONNECTOR, "startDate")
    if text is None or text == get(change.old, CONNECTOR, "startDate"):
        return
    zone = zone_of(change.new, context.catalogue)
    try:
        starts = day_of(moment_of(text, zone=zone, end_of_day=False), zone)
    except ValueError:
        return
    today = day_of(context.now, zone)
    for said in names.start_date(starts, today, context.policies.start_window_days):
        yield Verdict(said, f"{CONNECTOR}:startDate", text)


def _password(change: Change, context: RuleContext) -> Iterable[Verdict]:
    """R-PWD: a password satisfies the policy whenever one is set (S4 USER-005)."""
    if change.password is not None:
        for text in passwords.password(change.password, context.policies.password):
            yield Verdict(text, "password")


PROFILE_RULES = (
    Rule(
        "R-NAME",
        only_new(_names),
        modes("record", "record", "enforce", "enforce"),
        requirements=("CRE-07", "CRE-08"),
    ),
    Rule(
        "R-EMAIL-REQ",
        only_new(_email_required),
        modes("record", "record", "enforce", "enforce"),
        requirements=("CRE-09",),
    ),
    Rule(
        "R-EMAIL", only_new(_email), modes("record", "record", "enforce", "enforce"), requirements=("CRE-09",)
    ),
    Rule(
        "R-EMAIL-DOMAIN",
        only_new(_email_domain),
        modes("record", "record", "enforce", "enforce"),
        requirements=("CRE-11",),
    ),
    Rule(
        "R-EMAIL-UNIQ",
        _email_unique,
        modes("record", "enforce", "enforce", "enforce"),
        error="uniqueness",
        requirements=("CRE-10",),
    ),
    Rule(
        "R-EMAIL-CHANGE",
        _email_change,
        modes("record", "record", "enforce", "enforce"),
        requirements=("UPD-03",),
    ),
    Rule(
        "R-EMPID",
        only_new(_employee_number),
        modes("record", "record", "enforce", "enforce"),
        requirements=("CRE-15",),
    ),
    Rule("R-DATE", only_new(_dates), modes("enforce", "enforce", "enforce", "enforce")),
    Rule("R-START-WINDOW", _start_window, modes("off", "off", "record", "enforce"), requirements=("CRE-30",)),
    Rule(
        "R-PWD", _password, modes("enforce", "off", "enforce", "enforce"), requirements=("PWD-01", "PWD-02")
    ),
)
