"""`scim-server client secret`, `client key`, `issuer` and `keys` on both databases."""

import json
from pathlib import Path

import pytest
from joserfc.jwk import ECKey

from tests.cli.conftest import Run

KEY = ECKey.generate_key("P-256")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "key.json"
    path.write_text(json.dumps({**KEY.as_dict(private=False), "kid": "k1"}), encoding="utf-8")
    return path


def test_a_client_of_the_token_endpoint_has_a_secret_and_no_token(run_on: Run) -> None:
    made = run_on("client", "create", "payroll", "--oauth", "--json").json()
    (client,) = run_on("client", "list", "--json").json()
    assert (made["client_id"], client["tokens"]) == (client["id"], [])
    assert made["client_secret"].startswith("scims_")


def test_a_client_whose_secret_would_last_too_long_is_not_made(run_on: Run) -> None:
    complaint = run_on("client", "create", "payroll", "--oauth", "--expires", "never").complaint()
    assert "SCIM_TOKEN_ALLOW_NEVER" in complaint
    assert run_on("client", "list", "--json").json() == []


def test_a_secret_is_shown_with_its_id(run_on: Run) -> None:
    first = run_on("client", "create", "payroll", "--oauth", "--json").json()
    shown = run_on("client", "secret", "payroll").out
    assert first["client_id"] in shown
    assert first["client_secret"] not in shown
    assert "scims_" in shown


def test_a_secret_of_a_client_that_is_not_there_is_refused(run_on: Run) -> None:
    assert "payroll" in run_on("client", "secret", "payroll").complaint()


def test_keys_are_added_listed_and_removed(run_on: Run, file: Path) -> None:
    run_on("client", "create", "payroll", "--oauth")
    added = run_on("client", "key", "add", "payroll", str(file), "--json").json()
    assert (added["thumbprint"], added["kid"], added["type"]) == (KEY.thumbprint(), "k1", "P-256")
    assert KEY.thumbprint() in run_on("client", "key", "list", "payroll").out
    assert "already" in run_on("client", "key", "add", "payroll", str(file)).complaint()
    assert run_on("client", "key", "remove", "payroll", "k1").code == 0
    assert run_on("client", "key", "list", "payroll", "--json").json() == []
    assert "k1" in run_on("client", "key", "remove", "payroll", "k1").complaint()


def test_a_file_that_is_no_public_key_is_refused(run_on: Run, tmp_path: Path) -> None:
    run_on("client", "create", "payroll", "--oauth")
    path = tmp_path / "private.json"
    path.write_text(json.dumps(KEY.as_dict(private=True)), encoding="utf-8")
    assert "private key" in run_on("client", "key", "add", "payroll", str(path)).complaint()
    assert "cannot be read" in run_on("client", "key", "add", "payroll", f"{path}x").complaint()


def test_issuers_are_added_listed_and_removed(run_on: Run) -> None:
    run_on("client", "create", "payroll", "--oauth")
    options = ["--issuer", "https://idp.example.com", "--audience", "scim", "--map", "a=b=payroll"]
    more = ["--algorithm", "ES256", "--client-claim", "sub", "--user-claim", "oid"]
    added = run_on("issuer", "add", "corp", *options, *more, "--json").json()
    assert added["trust"] == {
        "issuer": "https://idp.example.com",
        "audience": "scim",
        "jwks_url": None,
        "algorithms": ["ES256"],
        "client_claim": "sub",
        "clients": {"a=b": "payroll"},
        "narrow_claim": None,
        "user_claim": "oid",
        "user_attribute": "externalId",
    }
    assert run_on("issuer", "list", "--json").json() == [added]
    assert "https://idp.example.com" in run_on("issuer", "list").out
    assert "already" in run_on("issuer", "add", "corp", *options).complaint()
    assert run_on("issuer", "remove", "corp", "--json").json()["revoked_tokens"] == 0
    assert "corp" in run_on("issuer", "remove", "corp").complaint()


def test_entra_needs_its_directory_and_a_client_only(run_on: Run) -> None:
    run_on("client", "create", "entra", "--dialect", "entra", "--oauth")
    directory = "11111111-2222-3333-4444-555555555555"
    trust = run_on("issuer", "add", "entra", "--entra", directory, "--client", "entra", "--json").json()[
        "trust"
    ]
    assert (trust["issuer"], trust["audience"], trust["client_claim"]) == (
        f"https://sts.windows.net/{directory}/",
        "8adf8e6e-67b2-4cf2-a259-e3dc5476c621",
        "appid",
    )
    assert trust["clients"] == {"00000014-0000-0000-c000-000000000000": "entra"}


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ((), "--issuer"),
        (("--issuer", "https://idp.example.com"), "--audience"),
        (("--issuer", "http://idp.example.com", "--audience", "a"), "https"),
        (("--issuer", "https://idp.example.com", "--audience", "a", "--map", "x=nobody"), "nobody"),
        (("--issuer", "https://idp.example.com", "--audience", "a", "--algorithm", "HS256"), "HS256"),
        (("--entra", "contoso", "--client", "payroll"), "directory"),
        (("--entra", "11111111-2222-3333-4444-555555555555"), "--client"),
    ],
)
def test_an_issuer_that_cannot_be_trusted_is_refused(
    options: tuple[str, ...], named: str, run_on: Run
) -> None:
    run_on("client", "create", "payroll", "--oauth")
    assert named in run_on("issuer", "add", "corp", *options).complaint()
    assert run_on("issuer", "list", "--json").json() == []


def test_a_pair_that_is_none_is_a_usage_error(run_on: Run) -> None:
    assert run_on("issuer", "add", "corp", "--map", "nothing").code == 2


def test_signing_keys_are_rotated_and_listed(run_on: Run) -> None:
    assert run_on("keys", "list", "--json").json() == []
    first = run_on("keys", "rotate", "--json").json()["kid"]
    second = run_on("keys", "rotate", "--json").json()["kid"]
    found = run_on("keys", "list", "--json").json()
    assert [(key["kid"], key["retires_at"] is None) for key in found] == [(first, False), (second, True)]
    assert second in run_on("keys", "list").out
