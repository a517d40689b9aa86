"""A key that may have leaked is retired at once, at doors, at browsers, and for receipts."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from community_server.database import now
from community_server.errors import InputRefused
from community_server.estate import Estate, open_estate
from community_server.keys.certified import (
    KeyGone,
    envelope_key,
    pass_signer,
    published_certificates,
    receipt_signer,
)
from community_server.keys.retiring import Retired, list_keys, retire, signed_list
from community_server.keys.tables import CertifiedKey
from community_server.passes.queries import pass_of
from community_server.passes.service import GivenPass, give_pass
from community_server.receipts.signing import sign
from community_server.settings import Settings
from community_server.setup.community import get_community
from gatehouse.command import main
from tests.community_server.backups.estates import pair_door
from tests.community_server.bench import STAFF, Bench, prepare
from tests.community_server.in_process import InProcess, code
from tier_link.errors import PassRefused
from tier_link.estate_messages import ESTATE, DoorConfigured
from tier_link.passes import PassTrust, read_pass, verify_pass
from tier_link.receipts import PhotosDestroyed


@pytest.fixture(scope="module")
def court(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """One estate for all: what is retired stays so."""
    estate = open_estate(Settings(data=tmp_path_factory.mktemp("keys"), models=models))
    prepare(estate)
    yield Bench(estate)
    estate.close()


def told(estate: Estate, door: str) -> PassTrust:
    """Return by what a paired door judges passes, as the newest news for it says."""
    news = [ESTATE.decode(one.kind, one.body) for one in estate.links.pending(door, 0, limit=999)]
    rules = [one for one in news if isinstance(one, DoorConfigured)][-1].passes
    certificates = [(one.certificate, one.signature) for one in rules.certificates]
    return PassTrust.of(rules.community, rules.root, certificates, rules.revoked)


def retire_keys(estate: Estate, use: str, since: int = 0) -> Retired:
    with estate.changer.change() as change:
        return retire(change, estate.links, STAFF, use, since=since, unsealed_uploads=False)


def given(bench: Bench, person: str) -> GivenPass:
    with bench.estate.changer.change() as change:
        return give_pass(change, person)


def judged(bench: Bench, door: str, one: GivenPass) -> str:
    try:
        verify_pass(read_pass(one.text), told(bench.estate, door))  # type: ignore[arg-type]  # a fixed one
    except PassRefused as refused:
        return refused.code
    return ""


def test_a_retired_pass_keys_passes_are_refused_once_the_door_has_heard_and_new_ones_hold(
    court: Bench,
) -> None:
    estate, door = court.estate, pair_door(court)
    _, guest = court.invite("visitor", name="Guest")
    before = given(court, guest)
    assert judged(court, door, before) == ""
    with estate.reading() as session:
        leaked = pass_signer(session, estate.safe).key
    retired = retire_keys(estate, "pass")
    assert (retired.keys, retired.people) == (1, [guest])
    assert judged(court, door, before) == "pass-key-unknown"
    after = given(court, guest)
    assert judged(court, door, after) == ""
    with estate.reading() as session:
        row = session.get_one(CertifiedKey, leaked)
        assert (row.private, bool(row.retired_at)) == (None, True)
        assert pass_signer(session, estate.safe).key != leaked
        assert pass_of(session, guest) is not None


def test_browsers_get_another_envelope_key_at_once_and_what_is_on_its_way_still_opens(
    court: Bench,
) -> None:
    estate = court.estate
    key, _ = court.envelope_key()
    on_its_way, _ = court.invite(name="Bao", unit="1-102")
    draft = court.draft(on_its_way, [])
    retire_keys(estate, "envelope")
    fresh, _ = court.envelope_key()
    assert fresh != key
    with estate.reading() as session:
        assert len(published_certificates(session, now())) == 1
        envelope_key(session, estate.safe, draft.key, now())
        with pytest.raises(KeyGone):
            envelope_key(session, estate.safe, key, now() + 24 * 3600 + 1)
    profile = court.profile()
    assert profile is not None


def test_a_receipt_signed_after_the_moment_is_not_believed_and_one_from_before_is(
    court: Bench, tmp_path: Path
) -> None:
    estate = court.estate

    def receipt(name: str) -> Path:
        with estate.changer.change() as change:
            text = sign(change.session, change.safe, PhotosDestroyed("e" * 32, 1, ""))
        file = tmp_path / name
        file.write_text(text)
        return file

    forged = receipt("forged")
    with estate.reading() as session:
        community = get_community(session).slug
    retire_keys(estate, "receipt", since=now() - 1)
    ours = receipt("ours")
    with estate.changer.change() as change:
        (tmp_path / "list").write_text(signed_list(change))
        signer = receipt_signer(change.session, change.safe, community, now())
        assert signer.certificate.certificate

    def verify(file: Path, *more: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["verify-receipt", str(file), "--language", "en", *more])
        return done.exit_code, done.output

    listed = ("--retired", str(tmp_path / "list"))
    assert verify(forged, *listed)[0] == 1
    assert "retired its key" in verify(forged, *listed)[1]
    assert verify(ours, *listed)[0] == 0
    status, said = verify(forged)  # nobody can know without the list, which is said
    assert status == 0
    assert "--retired" in said


def test_it_takes_a_password_given_just_now_and_says_whose_passes_went(court: Bench) -> None:
    _, guest = court.invite("visitor", name="Kanarienvogel")
    given(court, guest)
    with InProcess(court.estate) as desk:
        assert code(desk.send("certified-keys/envelopes/retirement", {})) == "key-use-unknown"
        ahead = {"since": now() + 3600}
        assert code(desk.send("certified-keys/receipt/retirement", ahead)) == "time-unreadable"
        shown = desk.submit("/keys/pass")
        assert shown.status_code == 200
        assert "Kanarienvogel" in shown.text
        uses = {one["use"] for one in desk.call("certified-keys") if one["retired_at"]}
        assert "pass" in uses
        assert "RETIRED KEYS" in desk.get("/keys/retired").text
    with court.estate.reading() as session:
        assert {one.use for one in list_keys(session)} == {"envelope", "reply", "pass", "receipt"}
        actions = session.scalars(select(CertifiedKey.retired_at)).all()
    assert any(actions)


def test_a_key_that_never_was_is_not_retired(court: Bench) -> None:
    with pytest.raises(InputRefused):
        retire_keys(court.estate, "receipt", since=now() + 60)
