"""A configuration is taken whole, kept sealed, or refused while the old one stays."""

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from access_rules.people import Credential, Direction
from door_terminal.configuration import ConfigurationStore
from door_terminal.device_keys import DeviceKey
from face_engine.rotation import random_rotation
from tests.door_terminal.samples import configured
from tier_link.errors import MalformedMessage
from tier_link.estate_messages import DoorConfigured, LeaseHours

MATRIX = random_rotation(128, seed=3).astype("<f4")


def take(store: ConfigurationStore, engine: Engine, wire: DoorConfigured) -> None:
    with Session(engine) as session, session.begin():
        store.take(session, wire)


def test_a_configuration_takes_effect_and_survives_a_restart(
    engine: Engine, key: DeviceKey, tmp_path: Path
) -> None:
    store = ConfigurationStore(engine, key, "door")
    assert store.current is None
    changes: list[str] = []
    store.on_change = lambda: changes.append("changed")
    wire = configured(
        matrix=MATRIX.tobytes(),
        direction="out",
        pin_allowed=False,
        lease_hours=LeaseHours(resident=744, visitor=1, service=2),
        time_zone="Europe/Berlin",
    )
    take(store, engine, wire)
    assert changes == ["changed"]
    for one in (store, ConfigurationStore(engine, key, "door")):
        assert one.current is not None
        assert one.current.wire == wire
        assert one.current.rules.direction is Direction.OUT
        assert one.current.rules.accepts == {Credential.FACE}
        assert one.current.rules.leases.resident_hours == 720
        assert one.current.matrix is not None
        assert np.array_equal(one.current.matrix, MATRIX)
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("door.sqlite*"))
    assert MATRIX.tobytes()[:64] not in kept


@pytest.mark.parametrize(
    "nonsense",
    [
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "../../etc/passwd"},
        {"matrix": b"abc"},
        {"matrix": bytes(4 * 12)},
        {"matrix": bytes(4 * 16)},
        {"matrix": np.full((4, 4), np.nan, "<f4").tobytes()},
        {"matrix": (2 * MATRIX).tobytes()},
    ],
)
def test_nonsense_is_refused_and_the_old_one_stays(
    engine: Engine, key: DeviceKey, nonsense: dict[str, object]
) -> None:
    store = ConfigurationStore(engine, key, "door")
    take(store, engine, configured())
    with pytest.raises(MalformedMessage):
        take(store, engine, configured(**nonsense))
    assert store.current is not None
    assert store.current.wire == configured()
