"""What a type of resource does besides being stored: one hook for each type that does something."""

from collections.abc import Mapping

from scim_server.services.hooks.account_actions import AccountActionHook
from scim_server.services.hooks.api_tokens import ApiTokenHook
from scim_server.services.hooks.base import Hook
from scim_server.services.hooks.catalogue import CatalogueHook
from scim_server.services.hooks.groups import GroupHook
from scim_server.services.hooks.login_reports import LoginReportHook
from scim_server.services.hooks.obligations import ObligationHook
from scim_server.services.hooks.scheduled_changes import ScheduledChangeHook

_HOOKS: Mapping[str, Hook] = {
    "Role": CatalogueHook(),
    "Entitlement": CatalogueHook(),
    "Department": CatalogueHook(),
    "Location": CatalogueHook(),
    "Group": GroupHook(),
    "ScheduledChange": ScheduledChangeHook(),
    "Obligation": ObligationHook(),
    "AccountAction": AccountActionHook(),
    "LoginReport": LoginReportHook(),
    "ApiToken": ApiTokenHook(),
}
_NONE = Hook()


def hook_for(type_name: str) -> Hook:
    """Return the hook of a type, one that does nothing for most."""
    return _HOOKS.get(type_name, _NONE)


__all__ = ["Hook", "hook_for"]
