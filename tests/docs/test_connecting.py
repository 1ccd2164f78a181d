"""Every client has a section that answers the same questions."""

import re

import pytest

from scim_server.dialects import DIALECTS
from scim_server.security.principals import PERMISSIONS, PROFILES
from tests.docs.documents import document

CONNECTING = document("docs/connecting.md")
CLIENTS = [
    "Okta",
    "Entra ID",
    "OneLogin",
    "Ping",
    "JumpCloud",
    "Google",
    "SailPoint",
    "Keycloak",
    "authentik",
]


def answers(client: str) -> dict[str, str]:
    section = CONNECTING.text.partition(f"\n## {client}\n")[2].partition("\n## ")[0]
    return dict(re.findall(r"^\| ([A-Z]\w+) \| (.+) \|$", section, re.MULTILINE))


@pytest.mark.parametrize("client", CLIENTS)
def test_a_section_says_what_to_enter(client: str) -> None:
    assert list(answers(client)) == ["URL", "Token", "Dialect", "Permissions", "Map"]


@pytest.mark.parametrize("client", CLIENTS)
def test_the_dialect_of_a_section_exists(client: str) -> None:
    assert answers(client)["Dialect"].strip("`") in DIALECTS


def test_every_permission_and_profile_is_named() -> None:
    assert {*PERMISSIONS, *PROFILES} - CONNECTING.code == set()
