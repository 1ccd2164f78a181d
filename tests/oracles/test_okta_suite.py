"""Okta's SCIM 2.0 SPEC test: its requests, variables and assertions, run over HTTP by a small runner."""

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2

from tests.protocol.messages import Connect, Json
from tests.support.client import ScimClient

SUITE: Json = json.loads((Path(__file__).parent / "okta_spec.json").read_text(encoding="utf-8"))
ASSERTIONS = 52


def text(value: Any) -> str:
    """Return a JSON value as the suite writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


COMPARISONS: dict[str, Callable[[Any, str], bool]] = {
    "equal": lambda actual, expected: text(actual) == expected,
    "equal_number": lambda actual, expected: float(actual) == float(expected),
    "is_less_than": lambda actual, expected: float(actual) < float(expected),
    "is_a_number": lambda actual, _: isinstance(actual, int | float) and not isinstance(actual, bool),
    "not_empty": lambda actual, _: actual not in (None, "", [], {}),
    "has_value": lambda actual, expected: expected in (actual or []),
    "contains": lambda actual, expected: expected in json.dumps(actual),
}


def at(document: Any, path: str) -> Any:
    """Return what is at a path such as `Resources[0].emails[0].value`, None when nothing is."""
    for part in re.findall(r"\w+", path):
        try:
            document = document[int(part)] if isinstance(document, list) else document[part]
        except (KeyError, IndexError, TypeError):
            return None
    return document


class Runner:
    """One run of the suite: its variables grow from step to step."""

    def __init__(self, scim: ScimClient) -> None:
        email = "Runscope123Xabcdefgh@atko.example"
        self.variables = {
            "SCIMBaseURL": scim.base_url,
            "auth": f"Bearer {scim.token}",
            "randomGivenName": "Runscope123",
            "randomFamilyName": "Xabcdefgh",
            "randomEmail": email,
            "randomUsername": email,
            "randomUsernameCaps": email.upper(),
            "InvalidUserEmail": "abcdefgh@atko.example",
            "UserIdThatDoesNotExist": "010101001010101011001010101011",
        }

    def filled(self, template: str) -> str:
        """Return the template with its variables put in."""
        return re.sub(r"\{\{(\w+)\}\}", lambda match: self.variables[match[1]], template)

    async def run(self, http: httpx2.AsyncClient, step: Json) -> list[tuple[bool, str]]:
        """Send the request of the step; return for each assertion whether it holds, and what it was."""
        started = time.perf_counter()
        response = await http.request(
            step["method"],
            self.filled(step["url"]),
            content=self.filled(step["body"]) if "body" in step else None,
            headers={name: self.filled(value) for name, value in step["headers"].items()},
        )
        milliseconds = (time.perf_counter() - started) * 1000
        document = response.json()
        for name, path in step["variables"].items():
            self.variables[name] = text(at(document, path))
        sources = {"response_status": response.status_code, "response_time": milliseconds}
        outcomes = []
        for assertion in step["assertions"]:
            actual = sources.get(assertion["source"], at(document, assertion.get("property", "")))
            expected = self.filled(assertion.get("value", ""))
            holds = COMPARISONS[assertion["comparison"]](actual, expected)
            outcomes.append((holds, f"{step['note']}: {assertion} but was {actual!r}"))
        return outcomes


async def test_every_assertion_of_the_suite_holds(live_connect: Connect) -> None:
    scim = await live_connect(dialect="okta")
    emails = [{"value": "first@example.com", "type": "work", "primary": True}]
    await scim.create_user("first", name={"givenName": "First", "familyName": "User"}, emails=emails)
    runner = Runner(scim)
    async with httpx2.AsyncClient(trust_env=False) as http:
        outcomes = [outcome for step in SUITE["steps"] for outcome in await runner.run(http, step)]
    assert [what for holds, what in outcomes if not holds] == []
    assert len(outcomes) == ASSERTIONS
