"""The organisation's policies: every choice that the rules leave to it, with the defaults.

They are part of the file that `scim-server catalog load` reads and are kept with the tenant.
"""

from decimal import Decimal
from typing import Literal, get_args
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, field_validator

from scim_server.lifecycle.money import minor_units

Mode = Literal["enforce", "record", "warn", "approve", "correct", "defer", "off"]
Profile = Literal["idp", "hris", "import", "admin", "app", "system"]
Level = Literal["public", "internal", "confidential", "secret", "topSecret"]
LEVELS: tuple[Level, ...] = get_args(Level)


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EmailPolicy(_Section):
    """Who needs an e-mail, which domains it may have, and who may change it (X-02, UPD-03)."""

    required: tuple[Profile, ...] = ("admin", "import")
    domains: tuple[str, ...] = ()
    change: Literal["always", "admin", "never"] = "always"


class EmployeeNumberPolicy(_Section):
    """Employee numbers of users that people create: made where none is given (CRE-15)."""

    generate: bool = True
    pattern: str = "EMP-{year}-{number:04d}"

    @field_validator("pattern")
    @classmethod
    def _usable(cls, value: str) -> str:
        try:
            first, second = (value.format(year=2026, number=number) for number in (1, 2))
        except (KeyError, IndexError, ValueError) as error:
            raise ValueError("may use {year} and {number} only") from error
        if first == second:
            raise ValueError("must use {number}")
        return value


class ActivationPolicy(_Section):
    """What a user needs before it becomes active (STA-18, X-06, X-07)."""

    role: bool = True
    department: bool = True
    manager: bool = False
    email: bool = False


class ConnectorDefaults(_Section):
    """What a connector's new users get where the connector does not say (ROL-19)."""

    role: str | None = None
    department: str | None = None
    team: str | None = None


class _Amount(_Section):
    amount: Decimal = Field(gt=0)
    currency: str

    @field_validator("currency")
    @classmethod
    def _active_currency(cls, value: str) -> str:
        if minor_units(value) is None:
            raise ValueError(f"{value} is not an active currency")
        return value


class LimitMaximum(_Amount):
    """The highest approval limit for a level: a role's value, a clearance level, or everybody."""

    level: str = "everybody"
    type: str | None = None


class HeadLimit(_Amount):
    """What the head of a department may approve without a limit of its own (DEP-09)."""

    type: str = "general"


class LockoutPolicy(_Section):
    """When failed logins lock an account and for how long; 0 minutes is until somebody unlocks it (X-16)."""

    threshold: int = Field(default=5, ge=1)
    minutes: int = Field(default=30, ge=0)
    permanent_after: int = Field(default=3, ge=1)


class SodPolicy(_Section):
    """Roles that nobody should hold together: one of `left` with one of `right` (X-13)."""

    name: str
    left: tuple[str, ...] = Field(min_length=1)
    right: tuple[str, ...] = Field(min_length=1)
    mode: Literal["record", "warn", "enforce"] = "warn"


class TokenPolicy(_Section):
    """API tokens of users (X-25, TOK-08)."""

    maximum_days: int = Field(default=365, ge=1)
    allow_never: bool = False
    per_hour: int = Field(default=10, ge=1)
    prefix: str = Field(default="itm_live_", pattern=r"[A-Za-z0-9_]{1,20}")


class BurstPolicy(_Section):
    """How many deletions and role grants a connector may make in a window; more raise an alarm."""

    window_minutes: int = Field(default=60, ge=1)
    deactivations: int = Field(default=500, ge=1)
    deletions: int = Field(default=500, ge=1)
    role_grants: int = Field(default=1_000, ge=1)


class LimitPolicy(_Section):
    """Organisational maxima, what heads of departments may approve, who has to justify (LIM-04, LIM-06)."""

    maxima: tuple[LimitMaximum, ...] = ()
    head_of_department: tuple[HeadLimit, ...] = ()
    justify_override: tuple[Profile, ...] = ("admin", "import")


class Policies(_Section):
    """All policies of one tenant."""

    timezone: str = "UTC"
    default_timezone: str | None = "America/New_York"
    email: EmailPolicy = EmailPolicy()
    employee_number: EmployeeNumberPolicy = EmployeeNumberPolicy()
    activation: ActivationPolicy = ActivationPolicy()
    connector_defaults: ConnectorDefaults = ConnectorDefaults()
    connector_may_write: tuple[Literal["limits", "clearance", "permissions"], ...] = ()
    start_window_days: int = Field(default=90, ge=0)
    roles_maximum: int | None = Field(default=None, ge=1)
    departments_maximum: int | None = Field(default=None, ge=1)
    administrator_roles: tuple[str, ...] = ("root", "admin")
    limits: LimitPolicy = LimitPolicy()
    clearance: Literal["derived", "manual", "max"] = "max"
    password: Literal["seed", "nist"] = "seed"  # noqa: S105 - the name of a preset
    temporary_password: Literal["response", "none"] = "response"  # noqa: S105 - where it is shown
    lockout: LockoutPolicy = LockoutPolicy()
    tokens: TokenPolicy = TokenPolicy()
    burst: BurstPolicy = BurstPolicy()
    sod: tuple[SodPolicy, ...] = ()
    on_blocked_reactivation: Literal["accept", "reject"] = "accept"
    idp_exclusive: bool = False
    authority: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    audit_reads: Literal["off", "sensitive", "all"] = "sensitive"
    bulk_threshold: int = Field(default=100, ge=0)
    gradual: bool = False
    rules: dict[str, dict[Profile, Mode]] = Field(default_factory=dict)

    @field_validator("timezone", "default_timezone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        if value is not None and value not in available_timezones():
            raise ValueError(f"{value} is not a time zone")
        return value
