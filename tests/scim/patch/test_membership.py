"""Edits of a membership: collected in order, never a target both added and removed."""

from scim_server.scim.filters.binding import Presence
from scim_server.scim.patch.membership import Membership, MembershipEdit
from tests.scim.samples import GROUP, known

MEMBERS = known(GROUP, "members")
ANY = Presence(known(GROUP, "members.value"))


def membership() -> Membership:
    return Membership(MEMBERS)


def test_targets_keep_the_order_in_which_they_were_named() -> None:
    edits = membership()
    edits.add(["c", "a"])
    edits.add(["b", "a"])
    assert edits.targets == ["c", "a", "b"]


def test_adding_what_was_removed_adds_it() -> None:
    edits = membership()
    edits.remove(["a"])
    edits.add(["a"])
    assert edits.edits == [MembershipEdit(added={"a": None})]


def test_removing_what_was_added_removes_it() -> None:
    edits = membership()
    edits.add(["a"])
    edits.remove(["a"])
    assert edits.edits == [MembershipEdit(removed={"a": True})]


def test_replacing_forgets_everything_before() -> None:
    edits = membership()
    edits.add(["a"])
    edits.remove_where(ANY)
    edits.replace(["b"])
    assert edits.edits == [MembershipEdit(cleared=True, added={"b": None})]


def test_removing_after_replacing_only_takes_it_from_the_new_members() -> None:
    edits = membership()
    edits.replace(["a", "b"])
    edits.remove(["a", "c"])
    assert edits.edits == [MembershipEdit(cleared=True, added={"b": None})]


def test_removing_by_condition_is_a_step_of_its_own() -> None:
    edits = membership()
    edits.add(["a"])
    edits.remove_where(ANY)
    edits.add(["b"])
    assert edits.edits == [
        MembershipEdit(added={"a": None}),
        MembershipEdit(condition=ANY, added={"b": None}),
    ]


def test_targets_of_every_step_are_named_once() -> None:
    edits = membership()
    edits.add(["a", "b"])
    edits.remove_where(ANY)
    edits.add(["b", "c"])
    assert edits.targets == ["a", "b", "c"]


def test_nothing_done_is_no_step() -> None:
    assert membership().edits == []
