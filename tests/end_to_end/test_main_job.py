"""A person enrolls with a photo, and the gate opens for that person and for nobody else."""

from gatehouse.camera_feed import CameraFeed
from gatehouse.demo import INVITED, Demo
from gatehouse.local_estate import LocalEstate
from gatehouse.sample_people import NAMES


def test_the_gate_opens_for_the_enrolled_and_for_nobody_else(
    estate: LocalEstate, feed: CameraFeed
) -> None:
    demo = Demo(estate, feed, print)
    door = demo.run()
    assert demo.result.enrolled == list(INVITED)
    assert demo.result.admitted == list(INVITED)
    assert demo.result.refused == [name for name in NAMES if name not in INVITED]
    openings = (estate.folder / f"door-{door}" / "gate.jsonl").read_text().splitlines()
    assert len(openings) == len(INVITED)
