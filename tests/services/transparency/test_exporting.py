"""Lines for a SIEM have every event once, in order, and nothing private unasked."""

import json

import pytest

from benchmarks.tamper import EVENTS, Trail
from scim_server.services.transparency.exporting import FORMATS, lines


async def exported(trail: Trail, name: str, *, is_private: bool = False, start: int = 1) -> list[str]:
    line = FORMATS[name]
    every = lines(
        trail.database,
        trail.sealing,
        trail.tenant_id,
        "default",
        line,
        start=start,
        is_private=is_private,
    )
    return [text async for text in every]


@pytest.mark.parametrize("name", FORMATS)
async def test_no_line_has_anything_private(name: str, trail: Trail) -> None:
    found = await exported(trail, name)
    assert len(found) == EVENTS
    assert not any("Boss" in line or "Promoted" in line for line in found)


async def test_lines_are_in_the_order_of_the_chain(trail: Trail) -> None:
    found = [json.loads(line) for line in await exported(trail, "jsonl", start=11)]
    assert [event["sequence"] for event in found] == list(range(11, EVENTS + 1))


async def test_private_parts_are_there_when_asked_for(trail: Trail) -> None:
    event = json.loads((await exported(trail, "jsonl", is_private=True))[3])
    assert event["changes"] == [{"path": "title", "from": "Clerk", "to": "Boss 3"}]
    assert event["note"] == "Promoted."


async def test_ocsf_names_who_did_what_to_whom(trail: Trail) -> None:
    event = json.loads((await exported(trail, "ocsf"))[0])
    assert (event["class_uid"], event["activity_name"]) == (3001, "user.update")
    assert event["user"] == {"uid": "user-0", "type": "User"}
    assert event["metadata"]["sequence"] == 1


async def test_cef_has_a_header_of_eight_parts(trail: Trail) -> None:
    line = (await exported(trail, "cef"))[0]
    head = line.split("|", 7)
    assert head[:7] == ["CEF:0", "scim-server", "scim-server", "1", "user.update", "user.update", "3"]
    assert "duid=user-0" in head[7]
