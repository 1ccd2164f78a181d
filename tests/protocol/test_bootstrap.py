"""The token that the settings bring along."""

from tests.protocol.messages import Serve


async def test_a_bootstrap_token_lets_an_administrator_in_without_an_end(serve: Serve) -> None:
    client = await serve(bootstrap_token="chosen-by-the-operator-0123456789")
    headers = {"Authorization": "Bearer chosen-by-the-operator-0123456789"}
    assert (await client.request("GET", "/Users", headers=headers)).status_code == 200


async def test_a_bootstrap_token_with_a_wrong_checksum_is_said_to_be_wrong(serve: Serve) -> None:
    client = await serve(bootstrap_token=f"scim_{'0' * 49}")
    answer = await client.request("GET", "http://scim.test/readyz")
    assert (answer.status_code, "SCIM_BOOTSTRAP_TOKEN" in answer.text) == (503, True)
