"""The cloud keeps the end of a community's audit log, and nobody makes it shorter."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy.orm import Session

from enrollment_cloud.command import cloud
from enrollment_cloud.communities.audit import find_audit_head
from enrollment_cloud.database import Database
from enrollment_cloud.records import CommunityRecords
from tests.enrollment_cloud.samples import COMMUNITY, CommunityKeys, populate
from tier_link.relay_messages import RELAY, AuditHeadSigned

HEADS = [AuditHeadSigned(count, bytes([count]) * 32, 1_800_000_000, bytes(64)) for count in (3, 7)]


def tell(session: Session, records: CommunityRecords, head: AuditHeadSigned) -> None:
    records.apply(session, COMMUNITY, RELAY.kind(head), RELAY.encode(head))


def test_the_longest_log_counts_and_no_other_takes_its_place(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = CommunityRecords(deposits=None)  # type: ignore[arg-type]  # no envelope is about
    with database.write.begin() as session:
        populate(session, CommunityKeys())
        assert find_audit_head(session, COMMUNITY) is None
    other = AuditHeadSigned(7, bytes(32), 1_900_000_000, bytes(64))
    for told, kept in zip([*HEADS, HEADS[0], other], [*HEADS, HEADS[1], HEADS[1]], strict=True):
        with database.write.begin() as session:
            tell(session, records, told)
        with database.read() as session:
            found = find_audit_head(session, COMMUNITY)
            assert found is not None
            assert (found.count, found.head, found.signed_at) == (
                kept.count,
                kept.head,
                kept.signed_at,
            )
    monkeypatch.setenv("GATEHOUSE_CLOUD_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("GATEHOUSE_CLOUD_DATABASE", database.engine.url.render_as_string(False))
    printed = CliRunner().invoke(cloud, ["audit-head", COMMUNITY])
    assert printed.exit_code == 0, printed.output
    assert json.loads(printed.output)["count"] == HEADS[1].count
    assert CliRunner().invoke(cloud, ["audit-head", "nowhere-0000"]).exit_code == 1
