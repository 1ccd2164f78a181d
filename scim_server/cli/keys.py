"""`scim-server keys`: the keys that access tokens are signed with."""

import typer

from scim_server.cli import output
from scim_server.cli.credentials import AsJson
from scim_server.cli.store import DatabaseUrl, run_on_store
from scim_server.services.signing_keys import SigningKeys

app = typer.Typer(help="List and rotate the keys that access tokens are signed with.")


@app.command("list")
def list_keys(database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """List the keys that are published, the one in use last.

    Example: scim-server keys list
    """
    found = run_on_store(database_url, lambda database: SigningKeys(database).list())
    if as_json:
        output.show_json(found)
        return
    output.show_table(
        ("KEY", "CREATED", "RETIRES"), ((key.kid, key.created_at, key.retires_at) for key in found)
    )


@app.command()
def rotate(database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Sign with a new key from now on; the one before stays published until its tokens have ended.

    Example: scim-server keys rotate
    """
    made = run_on_store(database_url, lambda database: SigningKeys(database).rotate())
    if as_json:
        output.show_json(made)
    else:
        output.say(f"new tokens are signed with {made.kid}, by every server within a minute")
