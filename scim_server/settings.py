"""Settings of the server, from `SCIM_*` environment variables and an optional TOML file.

Nothing is read at import: an instance reads the environment when it is made.
"""

import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

CONFIG_VARIABLE = "SCIM_CONFIG"
MEBIBYTE = 1024 * 1024

_DATABASE_URL = re.compile(r"sqlite(?:\+aiosqlite)?:///.|postgres(?:ql)?(?:\+asyncpg)?://.")
_SINK = re.compile(r"file:.+|https?://.+")
_PUBLIC_URL = re.compile(r"https?://[^/?#]+(/[^?#]*)?")


class SettingsError(Exception):
    """The settings cannot be used; the message is one line that names the setting and the reason."""


class Settings(BaseSettings):
    """All settings of one server; arguments win over the environment, the environment over the file."""

    model_config = SettingsConfigDict(
        env_prefix="SCIM_", env_ignore_empty=True, extra="forbid", frozen=True, hide_input_in_errors=True
    )

    database_url: str = Field(
        default="sqlite:///var/scim.db",
        repr=False,
        description="The store: sqlite:///relative.db, sqlite:////absolute.db "
        "or postgresql://user:password@host/database.",
    )
    database_pool_size: int = Field(
        default=10,
        ge=1,
        description="Connections to the database that each server process keeps at most, "
        "once for reading and once for writing.",
    )
    public_url: str | None = Field(
        default=None,
        description="Address under which clients reach the server, used in every location; "
        "without it the address is taken from each request.",
    )
    bootstrap_token: str | None = Field(
        default=None,
        repr=False,
        description="Bearer token of an administrator client that the first start creates.",
    )
    token_lifetime_days: int = Field(
        default=365,
        ge=1,
        le=36_500,
        description="Days after which a new token or client secret ends, unless it is to end earlier.",
    )
    token_allow_never: bool = Field(
        default=False,
        description="Whether tokens and client secrets may last longer than that, or have no end.",
    )
    access_token_seconds: int = Field(
        default=900,
        ge=60,
        le=3600,
        description="Seconds after which an access token of the token endpoint ends.",
    )
    failed_attempts_per_minute: int = Field(
        default=10,
        ge=0,
        description="Failed attempts to get in after which a source has to wait; 0 lets nobody wait.",
    )
    trusted_proxies: str | None = Field(
        default=None,
        description="Addresses of proxies, separated by commas, whose X-Forwarded-For is believed.",
    )
    outbound_proxy: str | None = Field(
        default=None,
        repr=False,
        description="Address of the proxy through which the keys of outside issuers are fetched.",
    )
    schema_folders: Annotated[tuple[Path, ...], NoDecode] = Field(
        default=(),
        description="Folders with further schemas and resource types as JSON; "
        "in the environment separated as in PATH, in the file a list.",
    )
    extensions: Annotated[tuple[str, ...] | None, NoDecode] = Field(
        default=None,
        description="Extensions that are in use, separated by commas; without it every installed one.",
    )
    max_body_bytes: int = Field(
        default=10 * MEBIBYTE,
        ge=1024,
        description="Size of the largest request body; a larger one is answered with 413.",
    )
    bulk_max_operations: int = Field(
        default=1000,
        ge=1,
        description="Operations that one Bulk request may hold; more are answered with 413.",
    )
    page_size_default: int = Field(
        default=100, ge=1, description="Resources on a page when the client names no count."
    )
    page_size_max: int = Field(
        default=1000, ge=1, description="Resources on a page at most, whatever count the client names."
    )
    cursor_lifetime_seconds: int = Field(
        default=3600, ge=1, description="Seconds for which a paging cursor may be used after it was issued."
    )
    query_timeout_seconds: float = Field(
        default=30,
        gt=0,
        description="Seconds that one reading statement may take; "
        "a query that needs longer is answered with 400 tooMany.",
    )
    rate_limit_client: float = Field(
        default=200,
        ge=0,
        description="Requests a second that one client may make in the long run; 0 is no limit.",
    )
    rate_limit_client_burst: int = Field(
        default=400, ge=1, description="Requests that one client may make at once."
    )
    rate_limit_tenant: float = Field(
        default=1000,
        ge=0,
        description="Requests a second that all clients of a tenant may make together; 0 is no limit.",
    )
    rate_limit_tenant_burst: int = Field(
        default=2000, ge=1, description="Requests that all clients of a tenant may make at once."
    )
    request_seconds: float = Field(
        default=60,
        gt=0,
        description="Seconds within which a request has to be received and its answer taken; "
        "a body that takes longer is answered with 408.",
    )
    max_connections: int = Field(
        default=1000,
        ge=1,
        description="Connections that one server process keeps at most; more are answered with 503.",
    )
    drain_seconds: float = Field(
        default=1,
        ge=0,
        description="Seconds after SIGTERM in which /readyz says 503 and requests are still taken.",
    )
    shutdown_seconds: int = Field(
        default=20, ge=1, description="Seconds that requests under way get after that to be finished."
    )
    write_timeout_seconds: float = Field(
        default=30,
        gt=0,
        description="Seconds that one statement of a change may take on PostgreSQL; "
        "a change that needs longer is answered with 503.",
    )
    worker_interval_seconds: float = Field(
        default=60,
        ge=0,
        description="Seconds between two rounds of the worker inside 'serve'; "
        "0 leaves its work to 'scim-server worker'.",
    )
    audit_interval_seconds: float = Field(
        default=1,
        ge=0,
        description="Seconds between two rounds of the audit trail inside 'serve'; "
        "0 leaves its work to 'scim-server worker'.",
    )
    audit_key_file: Path | None = Field(
        default=None,
        description="File of the key that signs checkpoints, made by 'scim-server audit keygen'; "
        "without it there are no checkpoints.",
    )
    audit_master_key_file: Path | None = Field(
        default=None,
        description="File of 32 random bytes or more that is needed to read the private parts of events.",
    )
    audit_sinks: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Where checkpoints are published, separated by commas: file:PATH or a URL to POST to.",
    )
    audit_checkpoint_seconds: float = Field(
        default=3_600,
        gt=0,
        description="Seconds after which a checkpoint is made, grown or not.",
    )
    audit_checkpoint_events: int = Field(
        default=10_000, ge=1, description="Events after which a checkpoint is made, however soon that is."
    )
    audit_lag_seconds: float = Field(
        default=60,
        gt=0,
        description="Seconds that an event may wait for its place in the chain before it is an alarm.",
    )
    audit_retention_days: int | None = Field(
        default=None, ge=1, description="Days after which events are removed; without it they stay."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severity of the log lines that are written."
    )

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        """Accept the spellings that name a driver too; the store adds its own."""
        if not _DATABASE_URL.match(value):
            raise ValueError("must begin with sqlite:/// or postgresql://")
        backend, _, rest = value.partition("://")
        return f"{'sqlite' if backend.startswith('sqlite') else 'postgresql'}://{rest}"

    @field_validator("public_url")
    @classmethod
    def _absolute_public_url(cls, value: str | None) -> str | None:
        if value is not None and not _PUBLIC_URL.fullmatch(value):
            raise ValueError("must be an absolute http or https URL without query and fragment")
        return value.rstrip("/") if value else None

    @field_validator("schema_folders", mode="before")
    @classmethod
    def _split_folders(cls, value: Any) -> Any:
        return tuple(part for part in value.split(os.pathsep) if part) if isinstance(value, str) else value

    @field_validator("extensions", mode="before")
    @classmethod
    def _split_extensions(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value

    @field_validator("audit_sinks", mode="before")
    @classmethod
    def _split_sinks(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value

    @field_validator("audit_sinks")
    @classmethod
    def _known_sinks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for address in value:
            if not _SINK.fullmatch(address):
                raise ValueError(f"{address} is neither file:PATH nor a URL")
        return value

    @field_validator("schema_folders")
    @classmethod
    def _existing_folders(cls, value: tuple[Path, ...]) -> tuple[Path, ...]:
        for folder in value:
            if not folder.is_dir():
                raise ValueError(f"{folder} is not a folder")
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _lower_case_level(cls, value: Any) -> Any:
        return value.lower() if isinstance(value, str) else value

    @model_validator(mode="after")
    def _ordered_page_sizes(self) -> Self:
        if self.page_size_default > self.page_size_max:
            raise ValueError("page_size_default must not be above page_size_max")
        return self

    @property
    def sqlite_path(self) -> Path | None:
        """The file of a SQLite store, None for PostgreSQL."""
        _, found, path = self.database_url.partition("sqlite:///")
        return Path(path.partition("?")[0]) if found else None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # the signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the arguments, the environment and the file named by SCIM_CONFIG, in this order."""
        path = os.environ.get(CONFIG_VARIABLE)
        if not path:
            return init_settings, env_settings
        return init_settings, env_settings, _toml_source(settings_cls, Path(path))


def load_settings(**overrides: Any) -> Settings:
    """Return the settings, `overrides` winning over environment and file; None leaves a setting alone.

    Raises SettingsError when a value is unusable, the file cannot be read or has an unknown key.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        raise SettingsError("; ".join(_complaint(detail) for detail in error.errors())) from None


def _toml_source(settings_cls: type[BaseSettings], path: Path) -> TomlConfigSettingsSource:
    if not path.is_file():
        raise SettingsError(f"{CONFIG_VARIABLE}: {path} is not a file")
    try:
        return TomlConfigSettingsSource(settings_cls, toml_file=path)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SettingsError(f"{CONFIG_VARIABLE}: {path} cannot be read: {error}") from None


def _complaint(detail: Any) -> str:
    """Return one error of pydantic as `setting: reason`, never with the value, which may be a secret."""
    name = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        return f"{name}: unknown setting"
    reason = str(detail["msg"]).removeprefix("Value error, ")
    return f"{name}: {reason}" if name else reason
