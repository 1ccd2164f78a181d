"""What may be set for one tenant in place of what the server has for all."""

from functools import lru_cache
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

MEBIBYTE = 1024 * 1024
Positive = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]


class TenantSettings(BaseModel):
    """Settings of one tenant; None leaves that of the server, which has the same name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    page_size_default: Positive | None = Field(None, description="Resources on a page without a count.")
    page_size_max: Positive | None = Field(None, description="Resources on a page at most.")
    bulk_max_operations: Positive | None = Field(None, description="Operations of one Bulk request at most.")
    max_body_bytes: Annotated[int, Field(ge=1024, le=1024 * MEBIBYTE)] | None = Field(
        None, description="Bytes of the largest request body."
    )
    rate_limit_client: Rate | None = Field(None, description="Requests a second of one client; 0 for any.")
    rate_limit_client_burst: Positive | None = Field(
        None, description="Requests that one client may make at once."
    )
    rate_limit_tenant: Rate | None = Field(None, description="Requests a second of the tenant; 0 for any.")
    rate_limit_tenant_burst: Positive | None = Field(
        None, description="Requests that the tenant may make at once."
    )
    hidden_resource_types: tuple[str, ...] = Field(
        (), description="Resource types that the tenant does not have, separated by commas."
    )

    private_schemas: tuple[str, ...] = Field(
        (), description="Private schemas that the tenant has, by URN in lower case, separated by commas."
    )

    @model_validator(mode="after")
    def _ordered_page_sizes(self) -> Self:
        default, maximum = self.page_size_default, self.page_size_max
        if default is not None and maximum is not None and default > maximum:
            raise ValueError("page_size_default must not be above page_size_max")
        return self


NOTHING_SET = TenantSettings()
LISTS = ("hidden_resource_types", "private_schemas")
"""Settings that are several names, separated by commas."""


@lru_cache(maxsize=4096)
def settings_of(text: str | None) -> TenantSettings:
    """Return the settings that a tenant's row has as JSON, NOTHING_SET for none."""
    return NOTHING_SET if text is None else TenantSettings.model_validate_json(text)


def changed_settings(text: str | None, assignments: dict[str, str]) -> TenantSettings:
    """Return the settings of a tenant after assignments of text to names; an empty text takes one away.

    Raises ValueError with the name and the reason.
    """
    known = settings_of(text).model_dump(exclude_defaults=True)
    for name, value in assignments.items():
        if name not in TenantSettings.model_fields:
            names = ", ".join(TenantSettings.model_fields)
            raise ValueError(f"There is no setting {name} of a tenant; choose from {names}.")
        known[name] = _value(name, value)
    try:
        return TenantSettings.model_validate({name: value for name, value in known.items() if value != ""})
    except ValidationError as error:
        faults = [
            ": ".join((*map(str, detail["loc"][:1]), str(detail["msg"]).removeprefix("Value error, ")))
            for detail in error.errors()
        ]
        raise ValueError("; ".join(dict.fromkeys(faults))) from None


def _value(name: str, value: str) -> Any:
    if value and name in LISTS:
        parts = [part.strip() for part in value.split(",") if part.strip()]
        return tuple(parts if name == "hidden_resource_types" else sorted({one.lower() for one in parts}))
    return value
