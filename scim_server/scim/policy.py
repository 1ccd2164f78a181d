"""The named leniencies that a client's dialect switches on or off."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace


@dataclass(frozen=True, slots=True)
class Policy:
    """Which departures from the letter of the RFCs a request is allowed.

    Every switch is off by default, so `Policy()` is the strict reading. Each switch is
    described in docs/dialects.md.
    """

    ignore_unknown_attributes: bool = False
    ignore_unknown_paths: bool = False
    ignore_read_only_in_patch: bool = False
    optional_schemas: bool = False
    open_canonical_values: bool = False
    string_booleans: bool = False
    empty_string_clears: bool = False
    single_value_for_list: bool = False
    scalar_for_complex: bool = False
    json_text_roles: bool = False
    path_keys: bool = False
    operation_names_any_case: bool = False
    empty_operations: bool = False
    create_on_value_path: bool = False
    remove_absent: bool = False
    remove_by_value: bool = False
    filter_value_path_suffix: bool = False
    unquoted_filter_values: bool = False
    value_paths_in_attributes: bool = False
    parameter_names_any_case: bool = False
    skip_unknown_members: bool = False
    patch_user_without_body: bool = False
    patch_group_with_body: bool = False
    keep_omitted_in_replace: bool = False
    revive_former_users: bool = False
    quiet_extensions: bool = False

    def switched(self, switches: Mapping[str, bool]) -> "Policy":
        """Return this policy with single switches set; raises ValueError for an unknown name."""
        unknown = sorted(set(switches) - switch_names())
        if unknown:
            raise ValueError(
                f"unknown switch {', '.join(unknown)}; known: {', '.join(sorted(switch_names()))}"
            )
        return replace(self, **switches)


def switch_names() -> set[str]:
    """Return the names of all switches."""
    return {field.name for field in fields(Policy)}
