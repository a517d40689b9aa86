import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tier_link.strategies import FUZZ
from tier_link.errors import InvitationMalformed
from tier_link.invitations import (
    FRAGMENT_LENGTH,
    InvitationKind,
    InvitationSecret,
    invitation_link,
    new_invitation,
    parse_fragment,
    parse_link,
)

SECRETS = st.builds(
    InvitationSecret, st.binary(min_size=16, max_size=16), st.binary(min_size=32, max_size=32)
)


@FUZZ
@given(SECRETS)
def test_an_invitation_goes_through_its_fragment_and_back(invitation: InvitationSecret) -> None:
    assert len(invitation.fragment) == FRAGMENT_LENGTH
    assert parse_fragment(invitation.fragment) == invitation


@pytest.mark.parametrize("kind", ["resident", "visitor"])
@pytest.mark.parametrize("cloud", ["https://cloud.example", "http://127.0.0.1:8000/base/"])
def test_an_invitation_goes_through_its_link_and_back(kind: InvitationKind, cloud: str) -> None:
    invitation = new_invitation(bytes(32))
    parsed = parse_link(invitation_link(cloud, "sunny-court", kind, invitation))
    assert (parsed.community, parsed.kind, parsed.invitation) == ("sunny-court", kind, invitation)
    assert parsed.cloud == cloud.rstrip("/")


def test_the_cloud_cannot_go_from_the_id_to_what_else_is_derived() -> None:
    one = new_invitation(bytes(32))
    assert len(one.id) == 32
    assert len(one.auth) == 32
    assert not one.auth.hex().startswith(one.id)
    assert new_invitation(bytes(32)).id != one.id


def test_a_secret_stays_out_of_logs() -> None:
    invitation = new_invitation(bytes(32))
    assert repr(invitation.secret) not in repr(invitation)


@FUZZ
@given(st.text(max_size=80))
def test_foreign_fragments_are_invitations_or_our_error(text: str) -> None:
    try:
        invitation = parse_fragment(text)
    except InvitationMalformed:
        return
    assert invitation.fragment == text


@FUZZ
@given(st.text(max_size=120))
def test_foreign_links_are_refused(text: str) -> None:
    with pytest.raises(InvitationMalformed):
        parse_link(text)


@pytest.mark.parametrize(
    "link",
    [
        "https://cloud.example/c/sunny/enroll",
        "https://cloud.example/c/sunny/enroll#" + "A" * 63,
        "https://cloud.example/c/sunny/enroll#" + "=" * 64,
        "https://cloud.example/c/sunny/other#" + "A" * 64,
        "https://cloud.example/c//enroll#" + "A" * 64,
        "ftp://cloud.example/c/sunny/enroll#" + "A" * 64,
        "https://[cloud/c/sunny/enroll#" + "A" * 64,
    ],
)
def test_links_that_are_incomplete_or_changed_are_refused(link: str) -> None:
    with pytest.raises(InvitationMalformed) as refusal:
        parse_link(link)
    assert refusal.value.code == "invitation-malformed"
