"""`make torture`: faults and hostility of bounded length, with a table of what was seen.

make torture                                          about a quarter of an hour
make torture ARGS="kills --kills 30"                  one part alone
make torture ARGS="--requests 1000000 --soak 60"      the figures of docs/security.md
"""

import argparse
import asyncio
import dataclasses
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.store.relay import Relay
from tests.torture import fuzz, kills, outages, soak
from tests.torture.stage import ROOT, PostgresStore, Server, SqliteStore, Store, TortureFailed

STORES: Mapping[str, type[SqliteStore | PostgresStore]] = {
    "sqlite": SqliteStore,
    "postgresql": PostgresStore,
}
UNLIMITED = {
    "SCIM_RATE_LIMIT_CLIENT": "0",
    "SCIM_RATE_LIMIT_TENANT": "0",
    "SCIM_FAILED_ATTEMPTS_PER_MINUTE": "0",
}
"""No request is refused before it is looked at: all of them come from one address."""
_ASIDE = Path("/dev/shm")  # noqa: S108 - durability is not what is tried there, and nobody else is
_LONGEST = 10.0
_CLIENTS = (("idp", "okta"), ("idp", "entra"), ("admin", "generic"), ("hris", "strict"))


class Parts:
    """The parts of the torture, each on stores of its own."""

    def __init__(self, chosen: argparse.Namespace, folder: Path) -> None:
        self._chosen, self._folder = chosen, folder

    @contextmanager
    def _stage(self, kind: str, part: str, folder: Path | None = None) -> Iterator[tuple[Store, Server]]:
        place = (folder or self._folder) / f"{part}-{kind}"
        place.mkdir(parents=True)
        store = STORES[kind](place / "store")
        store.start()
        server = Server(store, place, environment=dict(UNLIMITED))
        try:
            server.run("db", "upgrade")
            yield store, server
        finally:
            server.die()
            store.stop()

    def kills(self) -> Iterator[dict[str, Any]]:
        """Kill -9 of server and database under load."""
        for kind in self._chosen.databases:
            with self._stage(kind, "kills") as (store, server):
                server.environment["SCIM_AUDIT_KEY_FILE"] = str(server.folder / "audit.pem")
                server.run("audit", "keygen", str(server.folder / "audit.pem"))
                token = _client(server, "okta", "idp", "okta")
                server.start()
                work = kills.kill_under_load(store, server, token, kills=self._chosen.kills, tell=_tell)
                outcome = asyncio.run(work)
                outcome.chain = kills.verified(server)
                yield dataclasses.asdict(outcome)
                kills.check(outcome, kills=self._chosen.kills)

    def outages(self) -> Iterator[dict[str, Any]]:
        """PostgreSQL restarts, drops connections, is slow, silent or cut off; a disk fills up."""
        if "postgresql" in self._chosen.databases:
            with self._stage("postgresql", "outages") as (store, server):
                yield from asyncio.run(_suffer_all(store, server))
        for kind in self._chosen.databases:
            try:
                with outages.small_disk(self._folder / f"disk-{kind}") as disk:
                    yield _fill_disk(self._stage(kind, "full", disk), disk)
            except PermissionError as error:
                yield {"fault": f"has no room left ({kind})", "not tried": str(error)}

    def fuzz(self) -> Iterator[dict[str, Any]]:
        """Send requests that are nearly right."""
        aside = Path(tempfile.mkdtemp(dir=_ASIDE if _ASIDE.is_dir() else None))
        aside.chmod(0o755)
        try:
            for kind in self._chosen.databases:
                with self._stage(kind, "fuzz", aside) as (_, server):
                    tokens = [_client(server, *facts) for facts in _numbered(_CLIENTS)]
                    server.start()
                    fuzzer = fuzz.Fuzzer(server, tokens, seed=self._chosen.seed, tell=_tell)
                    requests = self._chosen.requests // len(self._chosen.databases)
                    outcome = asyncio.run(fuzzer.run(requests))
                    yield {"store": kind, **dataclasses.asdict(outcome), "slow": len(outcome.slow)}
                    fuzz.check(outcome)
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    def guided(self) -> Iterator[dict[str, Any]]:
        """Run the coverage-guided fuzzer on the protocol core."""
        command = [sys.executable, "-W", "ignore", "-m", "tests.torture.guided"]
        command += ["--seconds", str(60 * self._chosen.guided), "--corpus", str(self._folder / "corpus")]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        last = [line for line in done.stderr.splitlines() if line.startswith("Done ")]
        yield {"runs": last[-1] if last else done.stderr[-500:]}
        if done.returncode != 0:
            raise TortureFailed(f"the protocol core: {done.stderr[-2_000:]}")

    def soak(self) -> Iterator[dict[str, Any]]:
        """Load without rest."""
        for kind in self._chosen.databases:
            with self._stage(kind, "soak") as (_, server):
                token = _client(server, "okta", "idp", "okta")
                server.start()
                outcome = asyncio.run(soak.soak(server, token, seconds=60 * self._chosen.soak, tell=_tell))
                yield {"store": kind, **dataclasses.asdict(outcome), "hours": round(outcome.hours, 2)}
                soak.check(outcome)


async def _suffer_all(store: Store, server: Server) -> list[dict[str, Any]]:
    assert isinstance(store, PostgresStore)
    found = []
    async with Relay(store.url) as relay:
        token = await asyncio.to_thread(_client, server, "okta", "idp", "okta")
        server.environment |= {
            "SCIM_DATABASE_URL": relay.url,
            "SCIM_QUERY_TIMEOUT_SECONDS": "3",
            "SCIM_WRITE_TIMEOUT_SECONDS": "3",
        }
        await asyncio.to_thread(server.start)
        for fault in outages.FAULTS:
            _tell(f"PostgreSQL {fault}")
            outage = await outages.suffer(fault, store, relay, server, token, longest=_LONGEST)
            found.append(dataclasses.asdict(outage))
    return found


def _fill_disk(stage: Any, disk: Path) -> dict[str, Any]:
    with stage as (store, server):
        token = _client(server, "okta", "idp", "okta")
        server.start()
        _tell(f"the disk of {store.kind} has no room left")
        outage = asyncio.run(outages.fill_disk(disk, store, server, token, longest=_LONGEST))
        return {**dataclasses.asdict(outage), "fault": f"has no room left ({store.kind})"}


def _numbered(clients: tuple[tuple[str, str], ...]) -> Iterator[tuple[str, str, str]]:
    for number, (profile, dialect) in enumerate(clients):
        yield f"client-{number}", profile, dialect


def _client(server: Server, name: str, profile: str, dialect: str) -> str:
    bundle = ("--bundle", "root", "--json")
    made = server.run("client", "create", name, "--profile", profile, "--dialect", dialect, *bundle)
    return str(json.loads(made)["token"])


def _tell(text: str) -> None:
    """Show how far it is: one line that is written over on a terminal, a line each elsewhere."""
    end = "" if sys.stderr.isatty() else "\n"
    start = "\r\033[K" if sys.stderr.isatty() else ""
    sys.stderr.write(f"{start}{text}{end}")
    sys.stderr.flush()


PARTS: Mapping[str, Callable[[Parts], Iterator[dict[str, Any]]]] = {
    "kills": Parts.kills,
    "outages": Parts.outages,
    "fuzz": Parts.fuzz,
    "guided": Parts.guided,
    "soak": Parts.soak,
}


def _arguments(texts: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make torture", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="which parts; all unless told")
    parser.add_argument("--databases", nargs="+", choices=list(STORES), default=list(STORES))
    parser.add_argument("--kills", type=int, default=30, help="kills on each database")
    parser.add_argument("--requests", type=int, default=60_000, help="fuzzed requests, over all databases")
    parser.add_argument("--guided", type=int, default=1, help="minutes of the coverage-guided fuzzer")
    parser.add_argument("--soak", type=float, default=2, help="minutes of load on each database")
    parser.add_argument("--seed", type=int, default=1, help="what is drawn by chance follows from it")
    parser.add_argument("--json", type=Path, default=Path("var/torture.json"), help="where the figures go")
    return parser.parse_args(texts)


def main(texts: list[str]) -> int:
    """Run the parts, write what was seen, and return 1 where the server was not up to it."""
    chosen = _arguments(texts)
    folder = Path(tempfile.mkdtemp(prefix="scim-torture-"))
    folder.chmod(0o755)
    seen: dict[str, list[dict[str, Any]]] = {}
    code = 0
    try:
        for name in chosen.parts or PARTS:
            started = time.monotonic()
            seen[name] = []
            try:
                for outcome in PARTS[name](Parts(chosen, folder)):
                    seen[name].append(outcome)
            except TortureFailed as failure:
                seen[name].append({"failed": str(failure)})
                code = 1
            _show(name, seen[name], time.monotonic() - started)
    finally:
        chosen.json.parent.mkdir(parents=True, exist_ok=True)
        chosen.json.write_text(json.dumps(seen, indent=1, default=str), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
    return code


def _show(name: str, outcomes: list[dict[str, Any]], seconds: float) -> None:
    _tell(f"{name}: {seconds:.0f} s")
    sys.stdout.write(f"\n## {name}\n")
    for outcome in outcomes:
        facts = (f"{key} {_short(value)}" for key, value in outcome.items())
        sys.stdout.write(f"- {', '.join(facts)}\n")
    sys.stdout.flush()


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, list) and len(value) > 4:
        return f"{value[0]} .. {value[-1]}"
    if isinstance(value, dict):
        return " ".join(f"{key}:{count}" for key, count in sorted(value.items(), key=str))
    return str(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
