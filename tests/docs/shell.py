"""A shell that runs the examples of a document one after the other, against a server of its own."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.docs.documents import Example

ADDRESS = "http://127.0.0.1:8080"
_MARK = "=== end of an example ==="


def run_examples(examples: Sequence[Example], root_url: str, database_url: str, folder: Path) -> list[str]:
    """Return what each example prints, run in one shell in that folder on that server and store.

    The address that the documents name is replaced by the server's, and put back in the output.
    """
    script = "set -e\n" + "".join(f"{example.commands}\necho; echo '{_MARK}'\n" for example in examples)
    variables = {name: value for name, value in os.environ.items() if not name.startswith("SCIM_")}
    done = subprocess.run(
        ["bash", "-c", script.replace(ADDRESS, root_url)],
        cwd=folder,
        env={**variables, "SCIM_DATABASE_URL": database_url, "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [part.strip() for part in done.stdout.replace(root_url, ADDRESS).split(_MARK)[:-1]]
