import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from enrollment_cloud.communities.service import (
    cloud_key,
    create_community,
    find_link_key,
    new_community_id,
    pair_community,
    revoke_community,
)
from enrollment_cloud.database import Database
from tier_kit.forms.errors import FormRefused
from tier_kit.forms.identifiers import community_id


@given(st.text(max_size=100))
def test_every_name_makes_an_id_that_passes_the_gate(name: str) -> None:
    assert community_id(new_community_id(name))


def test_an_id_is_read_from_the_name_where_it_can_be() -> None:
    assert new_community_id("Sunny Court, Phase 2").startswith("sunny-court-phase-2-")
    assert new_community_id("阳光小区").startswith("community-")


@pytest.mark.parametrize("name", ["", "   ", "n" * 101])
def test_a_name_is_neither_empty_nor_endless(database: Database, name: str) -> None:
    with database.write() as session, pytest.raises(FormRefused):
        create_community(session, name, 1)


def test_a_community_may_link_from_pairing_to_revocation(database: Database) -> None:
    key = Ed25519PrivateKey.generate().public_key()
    with database.write.begin() as session:
        community = create_community(session, "Sunny Court", 1).id
        assert find_link_key(session, community) is None
        pair_community(session, community, key.public_bytes_raw(), 2)
        assert find_link_key(session, community) == key
        revoke_community(session, community, 3)
        assert find_link_key(session, community) is None
        with pytest.raises(FormRefused):
            pair_community(session, community, key.public_bytes_raw(), 4)
    with database.read() as session:
        assert find_link_key(session, "nowhere-0000") is None


def test_every_process_is_the_same_cloud(database: Database) -> None:
    keys = set()
    for _ in range(2):
        with database.write.begin() as session:
            keys.add(cloud_key(session).private_bytes_raw())
    assert len(keys) == 1
