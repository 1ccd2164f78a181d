"""Where a request comes from: the peer, or what a proxy says that is trusted."""

from pathlib import Path

import httpx2
import pytest

from tests.support.server import LiveServer


@pytest.mark.parametrize(
    ("trusted", "statuses"),
    [(None, [401, 401, 429, 429]), ("127.0.0.1", [401, 401, 401, 429]), ("192.0.2.9", [401, 401, 429, 429])],
)
def test_a_forwarded_address_is_believed_of_a_trusted_proxy_only(
    trusted: str | None, statuses: list[int], sqlite_url: str, tmp_path: Path
) -> None:
    environment = {"SCIM_FAILED_ATTEMPTS_PER_MINUTE": "2", "SCIM_TRUSTED_PROXIES": trusted}
    server = LiveServer.start(sqlite_url, tmp_path, environment=environment)
    try:
        found = [
            httpx2.get(
                f"{server.base_url}/Users",
                headers={"Authorization": "Bearer made-up", "X-Forwarded-For": source},
                trust_env=False,
            ).status_code
            for source in ("198.51.100.1", "198.51.100.1", "198.51.100.2", "198.51.100.1")
        ]
    finally:
        server.stop()
    assert found == statuses
