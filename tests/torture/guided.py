"""A coverage-guided fuzzer on the pure protocol core: bytes that reach new code are tried further.

    python -m tests.torture.guided --seconds 300

It needs atheris (`pip install '.[torture]'`) and ends with the input in hand where anything but a SCIM error
is raised.
"""

import argparse
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any


def consume(data: bytes) -> None:
    """Have the protocol core read bytes in every way it has; raises what is no SCIM error."""
    core = _core()
    way, rest = (data[0] if data else 0), data[1:]
    with suppress(core["refused"]):
        core["ways"][way % len(core["ways"])](rest)


_LOADED: dict[str, Any] = {}


def _core() -> dict[str, Any]:
    """Load what is fuzzed, once: where atheris runs it has been told of the modules before."""
    if _LOADED:
        return _LOADED
    from scim_server.dialects import DIALECTS
    from scim_server.schema_files import load_registry
    from scim_server.scim.documents import decode
    from scim_server.scim.errors import ScimError
    from scim_server.scim.filters.binding import bind_filter
    from scim_server.scim.filters.grammar import parse_filter
    from scim_server.scim.messages.bulk import parse_bulk
    from scim_server.scim.messages.query import query_from_message, query_from_parameters
    from scim_server.scim.normalize import Normalizer, fold_document
    from scim_server.scim.patch.apply import apply_patch
    from scim_server.scim.patch.operations import parse_patch
    from scim_server.scim.paths import parse_path
    from scim_server.scim.preconditions import tag_matches

    registry = load_registry()
    user, group = registry.resource_types["User"], registry.resource_types["Group"]
    policy = DIALECTS["entra"]
    stored = {"userName": "a", "emails": [{"value": "x", "type": "work"}], "name": {"givenName": "A"}}

    def text(data: bytes) -> str:
        return data.decode("utf-8", "replace")

    def document(data: bytes) -> None:
        fold_document(Normalizer(user, policy).resource(decode(data)), user)

    def patch(data: bytes) -> None:
        apply_patch(stored, parse_patch(decode(data), policy), user, policy, id="1")

    def parameters(data: bytes) -> None:
        pairs = [pair.partition("=") for pair in text(data).split("&")]
        query_from_parameters([(name, value) for name, _, value in pairs], policy)

    _LOADED["refused"] = ScimError
    _LOADED["ways"] = [
        lambda data: bind_filter(parse_filter(text(data), policy), user, policy),
        lambda data: bind_filter(parse_filter(text(data)), group, policy),
        lambda data: parse_path(text(data), user, policy),
        document,
        patch,
        lambda data: parse_bulk(decode(data), policy, maximum=100),
        lambda data: query_from_message(decode(data), policy),
        parameters,
        lambda data: tag_matches(text(data), 'W/"3"'),
    ]
    return _LOADED


def seeds() -> list[bytes]:
    """Return bytes to begin with: what is right in each way."""
    patch = b'{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[%s]}'
    bulk = b'{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[%s]}'
    return [
        b'\x00userName eq "a" and (emails[type eq "work" and value co "@"] or not (active eq true))',
        b'\x01displayName sw "x" or members.value eq "1"',
        b'\x02emails[type eq "work"].value',
        b"\x02urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
        b'\x03{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"a","emails":[{"value":"a"}]}',
        b"\x04" + patch % b'{"op":"Add","path":"emails[type eq \\"work\\"].value","value":"y"}',
        b"\x04" + patch % b'{"op":"replace","value":{"name.familyName":"B","active":"False"}}',
        b"\x05"
        + bulk % b'{"method":"POST","path":"/Users","bulkId":"1","data":{"manager":{"value":"bulkId:1"}}}',
        b'\x06{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":"a pr","count":3}',
        b"\x07filter=userName%20pr&count=3&sortBy=name.familyName&attributes=emails",
        b'\x08W/"3", "4"',
    ]


def main(arguments: list[str]) -> None:
    """Fuzz for some seconds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60, help="how long; 60 unless told")
    parser.add_argument("--corpus", type=Path, default=None, help="a folder that keeps what was found")
    chosen = parser.parse_args(arguments)
    import atheris

    with atheris.instrument_imports(include=["scim_server.scim", "scim_server.dialects"]):
        _core()
    folder = chosen.corpus or Path("var/fuzz")
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds()):
        (folder / f"seed-{number}").write_bytes(seed)
    options = [f"-max_total_time={chosen.seconds}", "-max_len=2048", "-timeout=5", "-rss_limit_mb=2048"]
    test_one: Callable[[bytes], None] = consume
    atheris.Setup([sys.argv[0], *options, str(folder)], test_one)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
