"""Tables of the documents that are made from the code: `python -m tests.docs.tables` writes them anew.

A table stands between `<!-- table: NAME ARGUMENT -->` and `<!-- end -->`.
"""

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from scim_server.lifecycle.authority import GROUPS
from scim_server.lifecycle.change import Rule
from scim_server.lifecycle.extension import discover
from scim_server.lifecycle.messages import MESSAGES
from scim_server.lifecycle.profile_rules import PROFILE_RULES
from scim_server.lifecycle.reference_rules import REFERENCE_RULES
from scim_server.lifecycle.status import TRANSITIONS
from scim_server.lifecycle.status_rules import STATUS_RULES
from scim_server.schema_files import load_registry
from scim_server.scim.attributes import Attribute, compile_attribute
from scim_server.security.principals import BUNDLES, DEFAULT_PERMISSIONS, PERMISSIONS
from tests.docs.documents import ROOT

_TABLE = re.compile(r"(<!-- table: (\w+)(?: (\S+))? -->\n).*?(<!-- end -->)", re.DOTALL)
PROFILES = ("idp", "hris", "import", "admin")


def rows(headings: Iterable[str], lines: Iterable[Iterable[object]]) -> str:
    """Return a Markdown table."""
    heads = list(headings)
    table = [heads, ["---"] * len(heads), *([str(cell) for cell in line] for line in lines)]
    return "".join(f"| {' | '.join(line)} |\n" for line in table)


def attributes(urn: str) -> str:
    """Return the attributes of a schema: name, type, who writes it, when it is shown, what it says."""
    document = load_registry().schemas[urn.lower()]
    found = [compile_attribute(definition, urn) for definition in document["attributes"]]
    every = [one for each in found for one in (each, *each.sub_attributes.values())]
    return rows(("Attribute", "Type", "Written by", "Returned", "What it says"), map(_attribute, every))


def _attribute(attribute: Attribute) -> tuple[str, ...]:
    name = f"{attribute.parent.name}.{attribute.name}" if attribute.parent else attribute.name
    kind = f"{attribute.type}{', several' if attribute.multi_valued else ''}"
    writer = {"readOnly": "the server", "writeOnly": "clients", "immutable": "clients, once"}
    values = ", ".join(f"`{value}`" for value in attribute.canonical_values.values())
    said = attribute.description.rstrip(".").replace("|", "\\|")
    return (
        f"`{name}`",
        kind,
        writer.get(attribute.mutability, "clients"),
        attribute.returned,
        f"{said}{': ' if said and values else ''}{values}",
    )


def rules(name: str) -> str:
    """Return the rules of an extension or of the core: their mode by profile, and their messages."""
    core: Mapping[str, tuple[Rule, ...]] = {
        "profile": PROFILE_RULES,
        "references": REFERENCE_RULES,
        "status": STATUS_RULES,
    }
    found = core.get(name) or discover([name])[0].rules
    return rows(("Rule", *PROFILES, "Says", "Answers"), map(_rule, found))


def _rule(rule: Rule) -> tuple[str, ...]:
    messages = [text for key, text in MESSAGES.items() if key == rule.id or key.startswith(f"{rule.id}.")]
    said = "; ".join(f"“{text}”" for text in messages)
    modes = [rule.modes.get(profile, "record") for profile in PROFILES]
    return (f"`{rule.id}`", *modes, f"{rule.summary} {said}".strip(), ", ".join(rule.requirements) or "-")


def transitions(_argument: str) -> str:
    """Return the transitions of the status machine."""
    lines = [
        (before, wanted, f"`{trigger}`", ", ".join(sorted(sources)))
        for (before, wanted), (trigger, sources) in TRANSITIONS.items()
    ]
    return rows(("Effective status", "Wanted", "Trigger", "Sources"), lines)


def groups(_argument: str) -> str:
    """Return the attributes that need a permission of their own."""
    lines = []
    for group in GROUPS:
        paths = ", ".join(
            f"`{name}`" if urn is None else f"`{urn.rpartition(':2.0')[0].rpartition(':')[2]}:{name}`"
            for urn, name in group.paths
        )
        lines.append((group.name, f"`{group.permission}`", paths))
    return rows(("Facts", "Permission", "Attributes"), lines)


def permissions(_argument: str) -> str:
    """Return which profile has which permission, and which bundle."""
    lines = []
    for name in PERMISSIONS:
        profiles = [profile for profile, held in DEFAULT_PERMISSIONS.items() if name in held]
        bundles = [bundle for bundle, held in BUNDLES.items() if name in held]
        lines.append((f"`{name}`", ", ".join(profiles) or "-", ", ".join(bundles) or "-"))
    return rows(("Permission", "Profiles", "Bundles"), lines)


TABLES: Mapping[str, Callable[[str], str]] = {
    "attributes": attributes,
    "rules": rules,
    "transitions": transitions,
    "groups": groups,
    "permissions": permissions,
}


def rewritten(text: str) -> str:
    """Return a document with its tables as the code has them."""
    return _TABLE.sub(lambda match: f"{match[1]}\n{TABLES[match[2]](match[3] or '')}\n{match[4]}", text)


def documents() -> list[Path]:
    """Return the documents that have such tables."""
    found = sorted((ROOT / "docs").rglob("*.md"))
    return [file for file in found if _TABLE.search(file.read_text(encoding="utf-8"))]


def main() -> None:
    """Write the tables anew and name the documents that changed."""
    for file in documents():
        before = file.read_text(encoding="utf-8")
        after = rewritten(before)
        if after != before:
            file.write_text(after, encoding="utf-8")
            sys.stdout.write(f"{file.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
