from pathlib import Path

import cv2
import numpy as np
import pytest

from face_engine.errors import EvaluationImpossible
from face_engine.evaluation.liveness.recordings import has_recordings, read_recordings
from face_engine.faces import Image
from tests.face_engine.pictures import jpeg


def picture(shade: int) -> Image:
    return np.full((48, 64, 3), shade, np.uint8)


def video(path: Path, frames: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 20.0, (64, 48))
    for number in range(frames):
        writer.write(picture(number))
    writer.release()


def write(path: Path, shade: int = 100) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(jpeg(picture(shade)))


def test_recordings_are_found_by_kind_and_person(tmp_path: Path) -> None:
    for number in (2, 1):
        write(tmp_path / "live" / "ann" / f"{number}.jpg", number * 40)
    write(tmp_path / "live" / "bob.jpg")
    video(tmp_path / "attacks" / "screen" / "ann" / "one.avi", 40)
    video(tmp_path / "attacks" / "screen" / "ann" / "two.avi", 40)
    write(tmp_path / "attacks" / "print" / "bob" / "first" / "0.png")
    write(tmp_path / "card" / "bob.jpg")
    (tmp_path / "live" / "notes.txt").write_text("not a recording")
    assert has_recordings(tmp_path)
    recordings = read_recordings(tmp_path)
    assert sorted((one.kind, one.person, len(one.files)) for one in recordings) == [
        ("card", "bob", 1),
        ("live", "ann", 2),
        ("live", "bob", 1),
        ("print", "bob", 1),
        ("screen", "ann", 1),
        ("screen", "ann", 1),
    ]
    frames = list(recordings[0].frames())
    assert [at for at, _ in frames] == [0, 0.1]
    assert frames[0][1].mean() < frames[1][1].mean()


def test_a_video_is_thinned_out_to_ten_a_second(tmp_path: Path) -> None:
    write(tmp_path / "live" / "ann.jpg")
    video(tmp_path / "attacks" / "screen" / "ann.avi", 40)
    times = [at for at, _ in read_recordings(tmp_path)[-1].frames()]
    assert times == pytest.approx([number / 10 for number in range(20)])


def test_live_alone_or_a_broken_file_cannot_be_evaluated(tmp_path: Path) -> None:
    write(tmp_path / "live" / "ann.jpg")
    with pytest.raises(EvaluationImpossible, match="attacks/KIND"):
        read_recordings(tmp_path)
    broken = tmp_path / "attacks" / "print" / "ann.jpg"
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b"no picture")
    with pytest.raises(EvaluationImpossible, match=r"ann\.jpg cannot be read"):
        list(read_recordings(tmp_path)[-1].frames())
    broken.rename(broken.with_suffix(".mp4"))
    with pytest.raises(EvaluationImpossible, match="not a video"):
        list(read_recordings(tmp_path)[-1].frames())
