"""Every type and characteristic of RFC 7643 §2, on a resource type that has one attribute of each."""

from pathlib import Path
from typing import Any

import pytest

from tests.protocol.messages import Json, Serve, accepted, listed, operation, patch, refused
from tests.support.client import ScimClient

FOLDER = Path(__file__).parent / "data" / "sample"
SAMPLE = "urn:example:scim:schemas:2.0:Sample"


@pytest.fixture
async def scim(serve: Serve) -> ScimClient:
    return await serve(schema_folders=(FOLDER,))


async def create(scim: ScimClient, code: str, **attributes: Any) -> Json:
    body = {"schemas": [SAMPLE], "code": code, **attributes}
    return accepted(await scim.post("/Samples", body), 201)


async def codes(scim: ScimClient, **parameters: Any) -> list[str]:
    return [sample["code"] for sample in await listed(scim, "/Samples", **parameters)]


async def evaluate(scim: ScimClient, expected: dict[str, list[str]]) -> None:
    assert {each: await codes(scim, filter=each) for each in expected} == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("amount", 0.1),
        ("amount", -12345.678),
        ("amount", 3),
        ("amount", 0),
        ("size", 0),
        ("size", -(2**53)),
        ("size", 2**53),
        ("open", False),
        ("due", "2026-03-03T10:00:00Z"),
        ("due", "2026-03-03T10:00:00.123+02:00"),
        ("blob", "TUlJRA=="),
        ("kind", "indoor"),
        ("tags", ["b", "a"]),
        ("sizes", [3, 1, 2]),
        ("parts", [{"value": "a", "weight": 0.5, "made": "2026-03-03T10:00:00Z"}]),
    ],
)
async def test_a_value_of_the_right_type_comes_back(scim: ScimClient, name: str, value: Any) -> None:
    created = await create(scim, "a", **{name: value})
    assert (await scim.read(f"/Samples/{created['id']}"))[name] == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("amount", "ten"),
        ("amount", True),
        ("size", 1.5),
        ("size", "five"),
        ("size", True),
        ("size", 2**70),
        ("due", "yesterday"),
        ("due", "2026-13-01T00:00:00Z"),
        ("due", 1767225600),
        ("blob", "not base64!"),
        ("blob", 5),
        ("open", 0),
        ("kind", "elsewhere"),
        ("tags", [5]),
        ("sizes", ["one"]),
        ("parts", [{"weight": "heavy"}]),
        ("parts", [{"value": ["a"]}]),
    ],
)
async def test_a_value_of_the_wrong_type_is_refused_by_name(scim: ScimClient, name: str, value: Any) -> None:
    response = await scim.post("/Samples", {"schemas": [SAMPLE], "code": "a", name: value})
    assert name in refused(response, 400, "invalidValue", "invalidSyntax")["detail"]
    assert await codes(scim) == []


async def test_numbers_are_compared_as_numbers(scim: ScimClient) -> None:
    await create(scim, "two", size=2, amount=2.5)
    await create(scim, "ten", size=10, amount=10)
    await create(scim, "none")
    await evaluate(
        scim,
        {
            "size gt 9": ["ten"],
            "size ge 2": ["two", "ten"],
            "size lt 10": ["two"],
            "size le 10": ["two", "ten"],
            "size eq 10": ["ten"],
            "size ne 10": ["two", "none"],
            "size pr": ["two", "ten"],
            "size eq -1": [],
            "amount eq 2.5": ["two"],
            "amount eq 10.0": ["ten"],
            "amount gt 2.49": ["two", "ten"],
            "amount lt 1e1": ["two"],
            "amount ge 10": ["ten"],
            "not (amount gt 5)": ["two", "none"],
        },
    )


async def test_times_are_compared_as_times_in_every_zone(scim: ScimClient) -> None:
    await create(scim, "early", due="2026-03-03T10:00:00+02:00")
    await create(scim, "late", due="2026-03-03T09:00:00Z")
    await evaluate(
        scim,
        {
            'due eq "2026-03-03T08:00:00Z"': ["early"],
            'due lt "2026-03-03T08:30:00Z"': ["early"],
            'due gt "2026-03-03T10:30:00+02:00"': ["late"],
            'due ge "2026-03-03T08:00:00.000Z"': ["early", "late"],
            'due ne "2026-03-03T08:00:00Z"': ["late"],
        },
    )
    assert await codes(scim, sortBy="due", sortOrder="descending") == ["late", "early"]


async def test_plain_values_are_compared_one_by_one(scim: ScimClient) -> None:
    await create(scim, "ab", tags=["Alpha", "Beta"], sizes=[1, 20])
    await create(scim, "c", tags=["gamma"], sizes=[3])
    await create(scim, "none")
    await evaluate(
        scim,
        {
            'tags eq "beta"': ["ab"],
            'tags ne "beta"': ["c", "none"],
            'tags co "am"': ["c"],
            'tags sw "a"': ["ab"],
            "tags pr": ["ab", "c"],
            "sizes gt 10": ["ab"],
            "sizes eq 3": ["c"],
            "sizes lt 4": ["ab", "c"],
            "sizes ne 20": ["c", "none"],
        },
    )


async def test_complex_values_are_compared_within_one_value(scim: ScimClient) -> None:
    heavy, light = {"value": "a", "weight": 10}, {"value": "b", "weight": 2}
    await create(scim, "one", parts=[heavy, light])
    await create(scim, "two", parts=[{"value": "a", "weight": 2, "made": "2026-03-03T10:00:00Z"}])
    await evaluate(
        scim,
        {
            'parts[value eq "a" and weight lt 5]': ["two"],
            'parts.value eq "a" and parts.weight lt 5': ["one", "two"],
            "parts[weight gt 9]": ["one"],
            'parts[made gt "2026-01-01T00:00:00Z"]': ["two"],
            "parts[not (weight gt 9)]": ["one", "two"],
            "parts.weight ne 10": ["two"],
        },
    )


@pytest.mark.parametrize(
    "filter_",
    [
        'size eq "2"',
        "size co 2",
        "size sw 2",
        "amount co 2",
        'amount gt "2"',
        "due gt 5",
        'due co "2026"',
        "open gt true",
        'blob gt "TUlJRA=="',
        "blob eq 5",
        "tags eq 5",
        'sizes eq "one"',
        'parts[weight co "2"]',
        "parts[made gt true]",
        'secret sw "s"',
        "size eq true",
    ],
)
async def test_an_operator_or_value_of_another_type_is_refused(scim: ScimClient, filter_: str) -> None:
    refused(await scim.get("/Samples", filter=filter_), 400, "invalidFilter")


async def test_a_code_that_is_case_exact_is_unique_in_its_case(scim: ScimClient) -> None:
    created = await create(scim, "code")
    refused(await scim.post("/Samples", {"schemas": [SAMPLE], "code": "code"}), 409, "uniqueness")
    await create(scim, "CODE")
    await evaluate(scim, {'code eq "code"': ["code"], 'code eq "Code"': []})
    response = await patch(scim, f"/Samples/{created['id']}", operation("replace", "code", "CODE"))
    refused(response, 409, "uniqueness")


async def test_a_second_unique_attribute_is_unique_too(scim: ScimClient) -> None:
    await create(scim, "a", label="One")
    refused(
        await scim.post("/Samples", {"schemas": [SAMPLE], "code": "b", "label": "ONE"}), 409, "uniqueness"
    )
    await create(scim, "c")
    await create(scim, "d")


async def test_a_freed_value_can_be_taken(scim: ScimClient) -> None:
    created = await create(scim, "a", label="One")
    await scim.patch_ok(f"/Samples/{created['id']}", operation("remove", "label"))
    await create(scim, "b", label="one")


async def test_an_immutable_attribute_is_set_once(scim: ScimClient) -> None:
    created = await create(scim, "a")
    path = f"/Samples/{created['id']}"
    await scim.patch_ok(path, operation("add", "serial", "1"))
    refused(await patch(scim, path, operation("replace", "serial", "2")), 400, "mutability")
    refused(await patch(scim, path, operation("remove", "serial")), 400, "mutability")
    refused(await scim.put(path, {"schemas": [SAMPLE], "code": "a", "serial": "2"}), 400, "mutability")
    same = accepted(await scim.put(path, {"schemas": [SAMPLE], "code": "a", "serial": "1"}))
    assert same["serial"] == "1"


async def test_an_immutable_attribute_survives_its_omission(scim: ScimClient) -> None:
    created = await create(scim, "a", serial="1")
    body = accepted(await scim.put(f"/Samples/{created['id']}", {"schemas": [SAMPLE], "code": "a"}))
    assert body["serial"] == "1"


async def test_what_is_never_returned_is_never_returned(scim: ScimClient) -> None:
    created = await create(scim, "a", secret="hush")
    path = f"/Samples/{created['id']}"
    answers = [created, await scim.read(path), accepted(await scim.get(path, attributes="secret"))]
    assert ["hush" in str(answer) for answer in answers] == [False, False, False]


async def test_what_is_always_returned_cannot_be_left_out(scim: ScimClient) -> None:
    path = f"/Samples/{(await create(scim, 'a', badge='B'))['id']}"
    for parameters in ({"attributes": "code"}, {"excludedAttributes": "badge"}, {"attributes": "shoe"}):
        assert accepted(await scim.get(path, **parameters))["badge"] == "B"


async def test_what_is_returned_on_request_must_be_asked_for(scim: ScimClient) -> None:
    parts = [{"value": "a", "stamp": "S"}]
    path = f"/Samples/{(await create(scim, 'a', history='H', parts=parts))['id']}"
    body = await scim.read(path)
    assert "history" not in body
    assert body["parts"] == [{"value": "a"}]
    assert accepted(await scim.get(path, attributes="history"))["history"] == "H"
    assert accepted(await scim.get(path, attributes="parts.stamp"))["parts"] == [{"stamp": "S"}]


async def test_what_was_written_on_request_only_is_in_the_answer_of_that_write(scim: ScimClient) -> None:
    path = f"/Samples/{(await create(scim, 'a', history='H'))['id']}"
    response = await patch(scim, f"{path}?attributes=history", operation("replace", "history", "H2"))
    assert accepted(response)["history"] == "H2"


async def test_plain_values_are_patched_one_by_one(scim: ScimClient) -> None:
    path = f"/Samples/{(await create(scim, 'a', tags=['x', 'y'], sizes=[1, 2]))['id']}"
    await scim.patch_ok(
        path,
        operation("add", "tags", ["z", "x"]),
        operation("remove", 'tags[value eq "y"]'),
        operation("remove", "sizes[value gt 1]"),
    )
    body = await scim.read(path)
    assert (body["tags"], body["sizes"]) == (["x", "z"], [1])


async def test_a_number_is_not_the_same_as_its_text(scim: ScimClient) -> None:
    path = f"/Samples/{(await create(scim, 'a', sizes=[1]))['id']}"
    refused(await patch(scim, path, operation("add", "sizes", ["2"])), 400, "invalidValue")
    refused(await patch(scim, path, operation("replace", "amount", "2.5x")), 400, "invalidValue")


async def test_one_primary_value_at_most(scim: ScimClient) -> None:
    path = f"/Samples/{(await create(scim, 'a', parts=[{'value': 'a', 'primary': True}]))['id']}"
    await scim.patch_ok(path, operation("add", "parts", [{"value": "b", "primary": True}]))
    parts = (await scim.read(path))["parts"]
    assert [part["value"] for part in parts if part.get("primary")] == ["b"]
