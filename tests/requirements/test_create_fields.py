"""The fields of a new user: what people have to fill in, with messages, and what connectors may omit."""

from typing import Any

import pytest

from scim_server.lifecycle.urns import CONNECTOR, ENTERPRISE, LIFECYCLE
from scim_server.store.database import Database
from tests.protocol.messages import accepted, refused, user
from tests.support.catalogue import create_department, create_role, load_catalogue
from tests.support.client import USER_SCHEMA, ScimClient
from tests.support.people import because, departments, events, hire, person, replace, said, told
from tests.support.time import Clock

LETTERS = "can only contain letters, spaces, hyphens, and apostrophes"
TAKEN = "A user with this email already exists"


async def refusal(
    client: ScimClient, body: dict[str, Any], status: int = 400, kind: str = "invalidValue"
) -> str:
    """Return the detail of the error that a POST of a user is answered with."""
    detail: str = refused(await client.post("/Users", body), status, kind)["detail"]
    return detail


@pytest.mark.proves("CRE-06")
async def test_everything_that_is_missing_is_reported_together(admin: ScimClient) -> None:
    await create_role(admin, "recruiter")
    await create_department(admin, "SALES")
    body = {"schemas": [USER_SCHEMA], "userName": "ann", LIFECYCLE: {"status": "active"}}
    assert (await refusal(admin, body)).split("; ") == [
        "First name is required",
        "Last name is required",
        "Email is required",
        "Please select a role for this user",
        "Please select a department for this user",
    ]


@pytest.mark.proves("CRE-06", "CRE-14")
async def test_a_missing_user_name_is_reported_with_everything_else(admin: ScimClient) -> None:
    detail = await refusal(admin, {"schemas": [USER_SCHEMA]})
    assert detail.split("; ") == [
        "userName is required",
        "First name is required",
        "Last name is required",
        "Email is required",
    ]


@pytest.mark.proves("CRE-07", "CRE-08")
@pytest.mark.parametrize(("part", "label"), [("givenName", "First name"), ("familyName", "Last name")])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "is required"),
        ("  ", "is required"),
        ("R2D2", LETTERS),
        ("A" * 51, "cannot exceed 50 characters"),
    ],
)
async def test_people_give_names_of_letters(
    admin: ScimClient, part: str, label: str, text: str | None, said: str
) -> None:
    name = {"givenName": "Ann", "familyName": "Lee", part: text}
    assert await refusal(admin, person(name=name)) == f"{label} {said}"


@pytest.mark.proves("CRE-07", "CRE-08")
async def test_names_of_any_script_are_names(admin: ScimClient) -> None:
    name = {"givenName": "Jean-François", "familyName": "O'Brien Ōtani"}
    created = accepted(await admin.post("/Users", person(name=name)), 201)
    assert created["name"] == name


@pytest.mark.proves("CRE-07")
async def test_a_connector_may_send_any_name_and_that_is_recorded(
    scim: ScimClient, admin: ScimClient
) -> None:
    created = await scim.create_user("r2d2", name={"givenName": "R2D2", "familyName": "Unit"})
    assert told((await events(admin, created["id"]))[0]) == [("R-NAME", "recorded", f"First name {LETTERS}")]


@pytest.mark.proves("CRE-09")
@pytest.mark.parametrize(
    ("emails", "said"),
    [
        ([], "Email is required"),
        ([{"value": "ann"}], "Please enter a valid email address"),
        ([{"value": "ann@localhost"}], "Please enter a valid email address"),
        ([{"value": f"ann@{'a.' * 124}example"}], "Please enter a valid email address"),
    ],
)
async def test_people_give_a_well_formed_email(
    admin: ScimClient, emails: list[dict[str, str]], said: str
) -> None:
    assert await refusal(admin, person(userName="ann", emails=emails)) == said


@pytest.mark.proves("CRE-09", "CRE-13")
async def test_a_connector_may_make_a_user_without_email(scim: ScimClient) -> None:
    created = await scim.create_user("ann")
    assert created["active"] is True
    assert "emails" not in created


@pytest.mark.proves("CRE-13")
async def test_where_the_policy_asks_nobody_for_an_email_people_may_leave_it_out(
    admin: ScimClient, database: Database
) -> None:
    await load_catalogue(database, policies={"email": {"required": []}})
    created = accepted(await admin.post("/Users", person(userName="ann", emails=[])), 201)
    assert "emails" not in created


@pytest.mark.proves("CRE-10")
async def test_people_cannot_give_two_users_one_email(admin: ScimClient) -> None:
    await hire(admin, "ann")
    body = person("bob", userName="bob", emails=[{"value": "ANN@Example.com"}])
    assert await refusal(admin, body, 409, "uniqueness") == TAKEN


@pytest.mark.proves("CRE-10")
async def test_people_cannot_change_an_email_to_that_of_somebody_else(admin: ScimClient) -> None:
    await hire(admin, "ann")
    bob = await hire(admin, "bob")
    change = replace("emails", [{"value": "ann@example.com"}])
    body = refused(await admin.patch(f"/Users/{bob['id']}", change), 409, "uniqueness")
    assert body["detail"] == TAKEN


@pytest.mark.proves("CRE-10")
@pytest.mark.parametrize(
    ("profile", "status"), [("idp", 201), ("hris", 409), ("import", 409), ("admin", 409)]
)
async def test_an_email_is_unique_for_everybody_but_identity_providers(
    connect: Any, admin: ScimClient, profile: str, status: int
) -> None:
    await hire(admin, "ann")
    client = await connect(profile=profile)
    body = {**person("ann", userName="second"), "name": {"givenName": "Bob", "familyName": "Lee"}}
    response = await client.post("/Users", body)
    assert response.status_code == status, response.text


@pytest.mark.proves("CRE-10")
async def test_a_setting_has_identity_providers_refused_too(scim: ScimClient, database: Database) -> None:
    await load_catalogue(database, policies={"rules": {"R-EMAIL-UNIQ": {"idp": "enforce"}}})
    await scim.create_user("ann", emails=[{"value": "ann@example.com"}])
    body = user("bob", emails=[{"value": "ann@example.com"}])
    assert await refusal(scim, body, 409, "uniqueness") == TAKEN


@pytest.mark.proves("CRE-11")
async def test_emails_may_be_kept_to_the_domains_of_the_organisation(
    admin: ScimClient, database: Database
) -> None:
    await load_catalogue(database, policies={"email": {"domains": ["company.com"]}})
    assert await refusal(admin, person()) == "Only @company.com email addresses are allowed"
    accepted(await admin.post("/Users", person(emails=[{"value": "ann@Company.com"}])), 201)


@pytest.mark.proves("CRE-12")
async def test_the_primary_email_is_the_user_name_where_people_give_none(admin: ScimClient) -> None:
    emails = [{"value": "home@example.com"}, {"value": "work@example.com", "primary": True}]
    created = accepted(await admin.post("/Users", person(emails=emails)), 201)
    assert created["userName"] == "work@example.com"


@pytest.mark.proves("CRE-14")
async def test_a_user_name_is_required_of_connectors(scim: ScimClient) -> None:
    body = {"schemas": [USER_SCHEMA], "emails": [{"value": "ann@example.com"}]}
    assert await refusal(scim, body) == "userName is required"


@pytest.mark.proves("CRE-14")
async def test_a_user_name_is_unique_in_any_case(scim: ScimClient) -> None:
    await scim.create_user("Ann")
    refused(await scim.post("/Users", user("aNN")), 409, "uniqueness")


@pytest.mark.proves("CRE-15")
async def test_employee_numbers_are_made_for_those_whom_people_create(
    admin: ScimClient, clock: Clock
) -> None:
    clock.at("2026-03-02T12:00:00+00:00")
    first, second = await hire(admin, "ann"), await hire(admin, "bob")
    numbers = [one[ENTERPRISE]["employeeNumber"] for one in (first, second)]
    assert numbers == ["EMP-2026-0001", "EMP-2026-0002"]


@pytest.mark.proves("CRE-15")
async def test_a_number_that_somebody_has_is_passed_over(admin: ScimClient, clock: Clock) -> None:
    clock.at("2026-03-02T12:00:00+00:00")
    await hire(admin, "ann", **{ENTERPRISE: {"employeeNumber": "emp-2026-0001"}})
    bob = await hire(admin, "bob")
    assert bob[ENTERPRISE]["employeeNumber"] == "EMP-2026-0002"


@pytest.mark.proves("CRE-15")
@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("EMP 1", "Employee ID must be alphanumeric"),
        ("E" * 21, "Employee ID cannot exceed 20 characters"),
    ],
)
async def test_employee_numbers_are_alphanumeric(
    admin: ScimClient, number: str, said: str, *, flat: bool
) -> None:
    extension = {CONNECTOR: {"employeeId": number}} if flat else {ENTERPRISE: {"employeeNumber": number}}
    assert await refusal(admin, person(**extension)) == said


@pytest.mark.proves("CRE-15")
@pytest.mark.parametrize("profile", ["idp", "hris", "import", "admin"])
async def test_an_employee_number_belongs_to_one_user(connect: Any, admin: ScimClient, profile: str) -> None:
    await hire(admin, "ann", **{ENTERPRISE: {"employeeNumber": "E-7"}})
    client = await connect(profile=profile)
    body = person("bob", userName="bob", **{ENTERPRISE: {"employeeNumber": "e-7"}})
    assert await refusal(client, body, 409, "uniqueness") == "This employee ID is already in use"


@pytest.mark.proves("CRE-15")
async def test_both_forms_of_the_employee_number_say_the_same(scim: ScimClient) -> None:
    created = await scim.create_user("ann", **{CONNECTOR: {"employeeId": "E-7"}})
    assert created[ENTERPRISE]["employeeNumber"] == "E-7"
    assert created[CONNECTOR]["employeeId"] == "E-7"


@pytest.mark.proves("CRE-16", "CRE-17", "CRE-20")
async def test_phone_bio_and_one_user_type_are_kept_as_given(admin: ScimClient) -> None:
    given = {
        "phoneNumbers": [{"value": "+1 555 0100", "type": "work"}],
        "userType": "Employee",
        CONNECTOR: {"bio": "Recruits engineers.", "startDate": "2026-11-20"},
    }
    created = await hire(admin, "ann", **{**given, CONNECTOR: {"bio": "Recruits engineers."}})
    read = await admin.read(f"/Users/{created['id']}")
    assert read["phoneNumbers"] == given["phoneNumbers"]
    assert read["userType"] == "Employee"
    assert read[CONNECTOR]["bio"] == "Recruits engineers."


@pytest.mark.proves("CRE-20")
async def test_a_user_has_no_two_user_types(admin: ScimClient) -> None:
    await refusal(admin, person(userType=["Employee", "Contractor"]))


@pytest.mark.proves("CRE-30")
@pytest.mark.parametrize(
    ("date", "said"),
    [
        ("2025-12-01", "Start date cannot be more than 90 days in the past"),
        ("2026-06-01", "Start date cannot be more than 90 days in the future"),
        ("soon", "startDate must be a date or a dateTime"),
    ],
)
async def test_people_start_within_ninety_days(admin: ScimClient, clock: Clock, date: str, said: str) -> None:
    clock.at("2026-03-02T12:00:00+00:00")
    assert await refusal(admin, person(**{CONNECTOR: {"startDate": date}})) == said


@pytest.mark.proves("CRE-30")
async def test_people_start_today_where_nobody_says_otherwise(admin: ScimClient, clock: Clock) -> None:
    clock.at("2026-03-02T02:00:00+00:00")
    ann = await hire(admin)
    assert ann[CONNECTOR]["startDate"] == "2026-03-01", "it is still yesterday in New York"
    assert ann["active"] is True


@pytest.mark.proves("CRE-30")
async def test_the_hr_system_may_load_people_who_began_long_ago(connect: Any) -> None:
    hris = await connect(profile="hris")
    created = await hris.create_user("ann", **{CONNECTOR: {"startDate": "1999-05-01"}})
    assert created[CONNECTOR]["startDate"] == "1999-05-01"
    assert created["active"] is True


@pytest.mark.proves("CRE-38")
async def test_people_without_a_time_zone_get_that_of_new_york(admin: ScimClient) -> None:
    first, second = await hire(admin, "ann"), await hire(admin, "bob", timezone="Europe/Berlin")
    assert [first["timezone"], second["timezone"]] == ["America/New_York", "Europe/Berlin"]


@pytest.mark.proves("CRE-38")
async def test_the_time_zone_for_new_people_is_a_setting(admin: ScimClient, database: Database) -> None:
    await load_catalogue(database, policies={"default_timezone": "Pacific/Auckland"})
    assert (await hire(admin))["timezone"] == "Pacific/Auckland"


@pytest.mark.proves("UPD-05")
async def test_a_record_that_violates_a_rule_already_can_be_changed_elsewhere(
    scim: ScimClient, admin: ScimClient
) -> None:
    created = await scim.create_user("r2d2", name={"givenName": "R2D2"})
    changed = await admin.patch(f"/Users/{created['id']}", replace("title", "Droid"))
    assert accepted(changed)["title"] == "Droid"


@pytest.mark.proves("CRE-34")
async def test_the_reason_of_a_creation_is_in_the_audit_trail_and_in_no_answer(admin: ScimClient) -> None:
    await create_department(admin, "SALES")
    context = because(note="From the March fair")["value"]
    ann = await hire(admin, **departments("SALES"), **{LIFECYCLE: {"changeContext": context}})
    assert "changeContext" not in ann.get(LIFECYCLE, {})
    assert await said(admin, ann["id"]) == {"note": "From the March fair"}
