"""The command `scim-server`."""

import sys
from collections.abc import Sequence

import typer

from scim_server.cli import audit, catalog, client, db, issuer, keys, load, output, serve, tenant, worker
from scim_server.cli.output import CommandFailed
from scim_server.lifecycle.extension import ExtensionError
from scim_server.scim.attributes import SchemaError
from scim_server.services.transparency.checkpoints import KeyUnusable
from scim_server.settings import SettingsError

USAGE_ERROR = 2

app = typer.Typer(
    name="scim-server",
    help="A SCIM 2.0 provisioning server. Settings come from SCIM_* variables or the file in SCIM_CONFIG.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command()(serve.serve)
app.command()(worker.worker)
app.command()(load.load)
app.add_typer(db.app, name="db")
app.add_typer(client.app, name="client")
app.add_typer(tenant.app, name="tenant")
app.add_typer(catalog.app, name="catalog")
app.add_typer(issuer.app, name="issuer")
app.add_typer(keys.app, name="keys")
app.add_typer(audit.app, name="audit")


def main() -> None:
    """Run the command line and leave the process with its exit code: the entry point `scim-server`."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code: 0 done, 1 failed, 2 wrongly typed, 130 interrupted.

    Every failure is one line on stderr, never a traceback.
    """
    try:
        return int(
            app(args=list(arguments) or ["--help"], prog_name="scim-server", standalone_mode=False) or 0
        )
    except typer.TyperException as error:
        output.complain(f"{error.format_message().rstrip('.')}; try --help")
        return USAGE_ERROR
    except (CommandFailed, SettingsError, SchemaError, ExtensionError, KeyUnusable) as error:
        output.complain(str(error))
        return getattr(error, "code", 1)
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except Exception as error:  # noqa: BLE001  # whatever went wrong, a person typed this
        output.complain(f"unexpected {type(error).__name__}: {error}")
    return 1
