import time

import msgspec
import pytest

from enrollment_cloud.communities.profiles import (
    ChosenConsent,
    current_envelope_key,
    find_profile,
    shown_consents,
    takes_unsealed_uploads,
)
from enrollment_cloud.database import Database
from tests.enrollment_cloud.samples import COMMUNITY, HOUR, WEEK, CommunityKeys, populate
from tier_kit.forms.errors import Busy, NotFound
from tier_link.certificates import root_public_bytes
from tier_link.relay_messages import CarriedCertificate
from tier_link.sealing import new_sealing_key, sealing_public_bytes

NOW = int(time.time())


def certificate(keys: CommunityKeys, name: str, since: int, lasts: int) -> CarriedCertificate:
    public = sealing_public_bytes(new_sealing_key())
    return keys.certify("envelope", name, public, lasts=lasts, since=since)


def chosen_key(keys: CommunityKeys, *certificates: CarriedCertificate) -> str:
    profile = msgspec.structs.replace(keys.profile(), certificates=certificates)
    return current_envelope_key(profile, keys.community, NOW).key


def test_a_published_profile_comes_back(database: Database) -> None:
    keys = CommunityKeys()
    with database.write.begin() as session:
        populate(session, keys)
    with database.read() as session:
        assert find_profile(session, COMMUNITY).root_public == root_public_bytes(keys.root)
        with pytest.raises(NotFound, match="community-unknown"):
            find_profile(session, "nowhere-0000")


def test_of_the_keys_that_hold_the_one_that_lasts_longest_is_taken() -> None:
    keys = CommunityKeys()
    offered = (
        certificate(keys, "over", -WEEK, WEEK - HOUR),
        certificate(keys, "short", -HOUR, 2 * HOUR),
        certificate(keys, "long", -HOUR, 5 * HOUR),
        certificate(keys, "early", HOUR, WEEK),
        keys.certify("reply", "reply", root_public_bytes(keys.reply), lasts=WEEK),
    )
    assert chosen_key(keys, *offered) == "long"


def test_a_key_that_the_root_did_not_certify_is_never_sealed_to() -> None:
    keys, impostor = CommunityKeys(), CommunityKeys()
    with pytest.raises(Busy, match="community-not-ready"):
        chosen_key(keys, certificate(impostor, "forged", -HOUR, WEEK))
    other = CommunityKeys("other-court-0000", root=keys.root)
    with pytest.raises(Busy, match="community-not-ready"):
        chosen_key(keys, certificate(other, "elsewhere", -HOUR, WEEK))


def test_unsealed_uploads_need_the_switch_and_the_consent() -> None:
    keys = CommunityKeys()
    assert not takes_unsealed_uploads(keys.profile())
    assert takes_unsealed_uploads(keys.profile(unsealed=True))
    silent = msgspec.structs.replace(keys.profile(unsealed=True), consents=())
    assert not takes_unsealed_uploads(silent)


def test_only_consents_that_were_published_count() -> None:
    profile = CommunityKeys().profile()
    shown = shown_consents(profile, (ChosenConsent("encode", "1", "en"),))
    assert shown is not None
    assert [(text.id, text.language) for text in shown] == [("encode", "en")]
    assert shown_consents(profile, (ChosenConsent("encode", "2", "en"),)) is None
    assert shown_consents(profile, ()) == ()
