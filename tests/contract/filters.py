"""Filters compiled to SQL: every operator on every type, never an answer that is neither true nor false."""
# ruff: noqa: D102 - a test's name states its fact

from typing import Any

import pytest

from tests.contract.base import BASE, StoreGround
from tests.scim.samples import ENTERPRISE, EXTRA_URN, GROUP, PROBE_URN, USER

# Documents by name, and for each filter the names of those it finds.
DOCUMENTS: dict[str, dict[str, Any]] = {
    "low": {
        "text": "Apple",
        "exact": "Ab%",
        "flag": False,
        "whole": -5,
        "amount": -2,
        "moment": "2026-01-01T00:00:00Z",
        "data": "AAE=",
        "link": "https://a.test/X",
        "number": 7,
        "code": "C1",
        "texts": ["One", "Two"],
        "wholes": [1, 20],
        "moments": ["2026-01-01T00:00:00Z"],
        "place": {"city": "Oslo", "floor": 1},
        "entries": [
            {"value": "x", "type": "red", "count": 1, "done": True, "tags": ["T1", "T2"], "amount": 1},
            {"value": "y", "type": "Green", "count": 2, "done": False, "at": "2026-01-01T00:00:00Z"},
        ],
        EXTRA_URN: {"level": 3, "shade": "Dark"},
    },
    "high": {
        "text": "ba_nana\\",
        "exact": "aB_",
        "flag": True,
        "whole": 20,
        "amount": 10,
        "moment": "2026-01-01T00:00:00.5Z",
        "code": "c1",
        "number": 8,
        "texts": ["two"],
        "place": {"floor": 10},
        "entries": [{"value": "x", "type": "Green", "count": 10}],
    },
    "none": {},
}
BOTH, ALL, NOBODY = {"low", "high"}, {"low", "high", "none"}, set[str]()
FOUND: dict[str, set[str]] = {
    'text eq "APPLE"': {"low"},
    'text ne "apple"': {"high", "none"},
    'text co "PP"': {"low"},
    'text co "_"': {"high"},
    'text co "%"': NOBODY,
    'text co "a_n"': {"high"},
    'text ew "\\\\"': {"high"},
    'text sw "b"': {"high"},
    'text sw "applepie"': NOBODY,
    'text ew "apineapple"': NOBODY,
    'text co ""': BOTH,
    'text sw ""': BOTH,
    'text ew ""': BOTH,
    'text gt "apple"': {"high"},
    'text ge "apple"': BOTH,
    'text lt "b"': {"low"},
    'text le "apple"': {"low"},
    "text pr": BOTH,
    "not (text pr)": {"none"},
    "text eq null": {"none"},
    "text ne null": BOTH,
    f'{PROBE_URN}:text eq "apple"': {"low"},
    'exact eq "ab%"': NOBODY,
    'exact eq "Ab%"': {"low"},
    'exact co "b%"': {"low"},
    'exact sw "A"': {"low"},
    'exact gt "Z"': {"high"},
    "flag eq true": {"high"},
    "flag eq false": {"low"},
    "flag ne true": {"low", "none"},
    "flag ne false": {"high", "none"},
    "flag pr": BOTH,
    "not (flag eq true)": {"low", "none"},
    "whole eq -5": {"low"},
    "whole ne 20": {"low", "none"},
    "whole gt 9": {"high"},
    "whole ge -5": BOTH,
    "whole lt 0": {"low"},
    "whole le 19": {"low"},
    "whole gt -9223372036854775808": BOTH,
    "amount eq -2.0": {"low"},
    "amount gt 9": {"high"},
    "amount lt 0": {"low"},
    "amount le 1E+1": BOTH,
    "amount ne 10": {"low", "none"},
    'moment eq "2026-01-01T01:00:00+01:00"': {"low"},
    'moment gt "2026-01-01T00:00:00Z"': {"high"},
    'moment ge "2026-01-01T00:00:00.500Z"': {"high"},
    'moment lt "2026-01-01T00:00:00.4999999Z"': {"low"},
    'moment ne "2026-01-01T00:00:00Z"': {"high", "none"},
    'data eq "AAE="': {"low"},
    'data ne "AAE="': {"high", "none"},
    'link co "X"': {"low"},
    'link co "x"': NOBODY,
    'code eq "C1"': {"low"},
    'code ne "C1"': {"high", "none"},
    'code sw "c"': {"high"},
    "number gt 7": {"high"},
    'texts eq "two"': BOTH,
    'texts ne "two"': {"none"},
    'texts ne "one"': {"high", "none"},
    'texts sw "o"': {"low"},
    'texts gt "p"': BOTH,
    "texts pr": BOTH,
    'texts[value eq "one"]': {"low"},
    'texts[value ne "two"]': {"low"},
    'texts[not (value eq "two") and value pr]': {"low"},
    "wholes eq 20": {"low"},
    "wholes gt 19": {"low"},
    "wholes gt 20": NOBODY,
    'moments lt "2026-01-02T00:00:00Z"': {"low"},
    "place pr": BOTH,
    'place.city eq "oslo"': {"low"},
    'place.city ne "oslo"': {"high", "none"},
    "place.floor gt 9": {"high"},
    'place[city eq "OSLO" and floor eq 1]': {"low"},
    'place[not (city eq "Oslo")]': {"high"},
    'place[city ne "Oslo"]': {"high"},
    'entries.value eq "X"': BOTH,
    'entries eq "y"': {"low"},
    'entries.value ne "y"': {"high", "none"},
    'entries.type eq "green"': BOTH,
    "entries.count ge 10": {"high"},
    "entries.done eq true": {"low"},
    "entries.done eq false": {"low"},
    "entries.done ne true": {"high", "none"},
    "entries.at pr": {"low"},
    'entries.at le "2026-01-01T00:00:00Z"': {"low"},
    "entries.amount eq 1.0": {"low"},
    'entries.tags eq "t2"': {"low"},
    'entries.tags ne "t2"': {"high", "none"},
    'entries.tags sw "T"': {"low"},
    "entries.tags pr": {"low"},
    'entries[type eq "green" and value eq "x"]': {"high"},
    'entries[type eq "green" and count gt 1]': BOTH,
    'entries[type eq "red" or count eq 10]': BOTH,
    'entries[not (type eq "red")]': BOTH,
    'not (entries[type eq "red"])': {"high", "none"},
    'entries[type ne "Green"]': {"low"},
    'entries[tags eq "T1" and done eq true]': {"low"},
    'entries[tags eq "t1" and tags eq "t2"]': {"low"},
    'entries[type eq "red" and type eq "green"]': NOBODY,
    "entries[at pr and not (tags pr)]": {"low"},
    "entries[count eq null]": NOBODY,
    'entries.type eq "red" and entries.value eq "y"': {"low"},
    f"{EXTRA_URN}:level ge 3": {"low"},
    f'{EXTRA_URN}:shade eq "DARK"': {"low"},
    f"not ({EXTRA_URN}:level pr)": {"high", "none"},
    f'schemas eq "{EXTRA_URN}"': {"low"},
    f'schemas ne "{EXTRA_URN}"': {"high", "none"},
    f'schemas eq "{PROBE_URN.lower()}"': ALL,
    "id pr": ALL,
    "id eq null": NOBODY,
    'id gt ""': ALL,
    "meta pr": ALL,
    'meta.resourceType eq "Probe"': ALL,
    'meta.resourceType ne "Probe"': NOBODY,
    'meta.version eq "W/\\"1\\""': ALL,
    f'meta.location sw "{BASE}/Probes/"': ALL,
    'meta.created eq "1970-01-01T00:00:01Z"': ALL,
    'meta.created lt "1970-01-01T00:00:01.0000001Z"': ALL,
    'meta.created ge "1970-01-01T00:00:01.0000001Z"': NOBODY,
    'meta.created gt "0001-01-01T00:00:00Z"': ALL,
    'meta.lastModified le "9999-12-31T23:59:59Z"': ALL,
    'meta[resourceType eq "Probe"]': ALL,
    'text eq "apple" or text pr and flag eq true': BOTH,
    '(text eq "apple" or text pr) and flag eq true': {"high"},
    "not (text pr and flag eq true)": {"low", "none"},
    "not (not (text pr))": BOTH,
    'text eq "\' OR 1=1 --"': NOBODY,
    'text co "\\"\'\\\\"': NOBODY,
}
OWNED: dict[str, set[str]] = {
    "owners pr": {"a", "b"},
    "not (owners pr)": {"c"},
    'owners.duty eq "LEAD"': {"a"},
    'owners.duty ne "lead"': {"b", "c"},
    'owners.display eq "ann"': {"a", "b"},
    'owners[display eq "Ann" and duty eq "lead"]': {"a"},
    'owners[not (duty eq "lead")]': {"a", "b"},
    'owners.since gt "2026-01-01T00:00:00Z"': {"b"},
    'owners eq "nobody"': {"a"},
    'owners ne "nobody"': {"b", "c"},
}
GROUPED: dict[str, set[str]] = {
    "groups pr": {"ann", "bob"},
    "not (groups pr)": {"eve"},
    'groups.display eq "INNER"': {"ann"},
    'groups.display ne "inner"': {"bob", "eve"},
    'groups.display sw "o"': {"ann", "bob"},
    'groups[display eq "outer" and type eq "direct"]': {"bob"},
    'groups[display eq "outer" and type eq "indirect"]': {"ann"},
    'groups.type eq "indirect"': {"ann"},
    f'{ENTERPRISE}:manager.displayName eq "eve"': {"ann"},
    f"{ENTERPRISE}:manager pr": {"ann"},
    f"not ({ENTERPRISE}:manager.value pr)": {"bob", "eve"},
    f'schemas eq "{ENTERPRISE}"': {"ann"},
}
MEMBERS: dict[str, set[str]] = {
    "members pr": {"inner", "outer"},
    'members.display eq "ann"': {"inner"},
    'members.type eq "Group"': {"outer"},
    'members.type ne "Group"': {"inner", "empty"},
    'members[type eq "User" and display eq "bob"]': {"outer"},
    f'members.$ref sw "{BASE}/Groups/"': {"outer"},
}


class FilterContract(StoreGround):
    """Filters on columns, documents and references."""

    async def test_filters_on_documents_find_what_they_say(self) -> None:
        names = {await self.put({"title": name, **data}): name for name, data in DOCUMENTS.items()}
        found = {text: {names[own_id] for own_id in await self.found(text)} for text in FOUND}
        assert {text: hits for text, hits in found.items() if hits != FOUND[text]} == {}

    async def test_a_unique_number_is_found_by_its_value(self) -> None:
        names = {await self.put({"title": name, **data}): name for name, data in DOCUMENTS.items()}
        assert [names[own_id] for own_id in await self.found("number eq 7")] == ["low"]
        assert {names[own_id] for own_id in await self.found("number ne 7")} == {"high", "none"}

    async def test_filters_on_references_of_a_source_find_what_they_say(self) -> None:
        ann = await self.put({"userName": "u", "displayName": "Ann"}, USER)
        owners: dict[str, list[dict[str, Any]]] = {
            "a": [{"value": ann, "duty": "Lead"}, {"value": "nobody"}],
            "b": [{"value": ann, "since": "2026-01-02T00:00:00Z"}],
            "c": [],
        }
        names = {await self.put({"title": name, "owners": each}): name for name, each in owners.items()}
        found = {text: {names[own_id] for own_id in await self.found(text)} for text in OWNED}
        assert found == OWNED
        assert {names[own_id] for own_id in await self.found(f'owners eq "{ann}"')} == {"a", "b"}

    async def _organisation(self) -> dict[str, str]:
        eve = await self.put({"userName": "eve"}, USER)
        ann = await self.put({"userName": "ann", ENTERPRISE: {"manager": {"value": eve}}}, USER)
        bob = await self.put({"userName": "bob"}, USER)
        inner = await self.put({"displayName": "inner", "members": [{"value": ann}]}, GROUP)
        members = [{"value": inner}, {"value": bob}]
        outer = await self.put({"displayName": "outer", "members": members}, GROUP)
        empty = await self.put({"displayName": "empty"}, GROUP)
        return {eve: "eve", ann: "ann", bob: "bob", inner: "inner", outer: "outer", empty: "empty"}

    async def test_filters_on_groups_and_managers_find_what_they_say(self) -> None:
        names = await self._organisation()
        found = {text: {names[own_id] for own_id in await self.found(text, USER)} for text in GROUPED}
        assert found == GROUPED

    async def test_filters_on_members_find_what_they_say(self) -> None:
        names = await self._organisation()
        found = {text: {names[own_id] for own_id in await self.found(text, GROUP)} for text in MEMBERS}
        assert found == MEMBERS

    async def test_a_group_is_found_from_both_ends_by_id(self) -> None:
        ids = {name: own_id for own_id, name in (await self._organisation()).items()}
        assert await self.found(f'members eq "{ids["ann"]}"', GROUP) == [ids["inner"]]
        assert set(await self.found(f'groups.value eq "{ids["outer"]}"', USER)) == {ids["ann"], ids["bob"]}
        direct = f'groups[value eq "{ids["outer"]}" and type eq "direct"]'
        assert await self.found(direct, USER) == [ids["bob"]]

    @pytest.mark.parametrize("operator", ["eq", "ge", "le", "sw", "co", "ew"])
    async def test_the_id_is_compared_like_any_text(self, operator: str) -> None:
        own_id = await self.put({"title": "a"})
        assert await self.found(f'id {operator} "{own_id}"') == [own_id]

    async def test_a_deleted_target_is_no_longer_shown_by_name(self) -> None:
        ann = await self.put({"userName": "ann"}, USER)
        group = await self.put({"displayName": "g", "members": [{"value": ann}, {"value": "x"}]}, GROUP)
        await self.drop(ann)
        assert await self.found('members.display eq "ann"', GROUP) == []
        assert await self.found("members pr", GROUP) == [group]
