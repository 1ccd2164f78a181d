"""PUT: what a body makes of the stored document (RFC 7644 §3.5.1)."""

from collections.abc import Collection

from scim_server.scim.attributes import ReferenceKind
from scim_server.scim.contents import value_of, with_defaults
from scim_server.scim.errors import Mutability
from scim_server.scim.normalize import Document
from scim_server.scim.policy import Policy
from scim_server.scim.registry import ResourceType


def replaced(
    before: Document, stated: Document, resource_type: ResourceType, policy: Policy, schemas: Collection[str]
) -> Document:
    """Return the document after a PUT of `stated`; immutable attributes keep their values.

    Under `keep_omitted_in_replace`, an extension that the body does not mention, neither with
    data nor in `schemas`, stays as it is: a client cannot clear what it does not know. `active`
    always stays where it is omitted. Raises Mutability.
    """
    after = dict(stated)
    if "active" in before and "active" not in after:
        after["active"] = before["active"]
    after = with_defaults(after, resource_type)
    if policy.keep_omitted_in_replace:
        for extension in resource_type.extensions.values():
            named = extension.id in after or extension.id.lower() in schemas
            if extension.id in before and not named:
                after[extension.id] = before[extension.id]
    return _with_immutable(before, after, resource_type)


def _with_immutable(before: Document, after: Document, resource_type: ResourceType) -> Document:
    changed = []
    for attribute in resource_type.every_attribute():
        if attribute.mutability != "immutable" or attribute.reference_kind is ReferenceKind.MEMBERSHIP:
            continue
        old, new = value_of(before, attribute), value_of(after, attribute)
        if old is None or old == new:
            continue
        if new is not None:
            changed.append(attribute.path)
        elif attribute.extension is None:
            after[attribute.name] = old
        else:
            after[attribute.extension] = {**after.get(attribute.extension, {}), attribute.name: old}
    if changed:
        raise Mutability(f"{', '.join(changed)} is immutable and already has another value.")
    return after


def stated_schemas(data: object) -> set[str]:
    """Return the URNs that a body's `schemas` names, lower-case; empty where it names none."""
    if not isinstance(data, dict):
        return set()
    named = next((value for key, value in data.items() if key.lower() == "schemas"), None)
    return {urn.lower() for urn in named if isinstance(urn, str)} if isinstance(named, list) else set()


def mentioned_memberships(data: object, resource_type: ResourceType) -> set[str]:
    """Return the storage keys of the memberships that a PUT body mentions, even as null or empty."""
    if not isinstance(data, dict):
        return set()
    keys = {key.lower(): value for key, value in data.items()}
    mentioned = set()
    for attribute in resource_type.references_of(ReferenceKind.MEMBERSHIP):
        urn = (attribute.extension or resource_type.schema.id).lower()
        for holder in (keys if attribute.extension is None else None, keys.get(urn)):
            if isinstance(holder, dict) and attribute.key in {key.lower() for key in holder}:
                mentioned.add(attribute.storage_key)
    return mentioned
