from pathlib import Path

import pytest

from face_engine.errors import EvaluationImpossible
from face_engine.evaluation.liveness import evaluate as module
from face_engine.evaluation.liveness.evaluate import evaluate_liveness
from face_engine.evaluation.liveness.judging import Judged
from face_engine.evaluation.liveness.scenes import Kind, Portrait, film
from face_engine.faces import Image
from face_engine.models import FacePack
from tests.face_engine.pictures import jpeg


def test_recordings_of_a_head_and_of_a_print_are_told_apart(
    tmp_path: Path, pack: FacePack, sitters: list[Portrait]
) -> None:
    for place, kind in (("live/ann", Kind.LIVE_STILL), ("attacks/print/ann", Kind.PRINT)):
        folder = tmp_path / place
        folder.mkdir(parents=True)
        for number, frame in enumerate(film(sitters[0], kind, turn=-27)):
            (folder / f"{number:02}.jpg").write_bytes(jpeg(frame, 95))
    result = evaluate_liveness(tmp_path, pack.detector, None)
    assert result["source"] == "recordings"
    (live,), (attack,) = result["live"], result["attacks"]
    assert (live["accepted"], live["bpcer"]) == (1, 0)
    assert (attack["kind"], attack["apcer"], attack["detected"]) == ("print", 0, 1)
    # One person says little: none of one is also what a rate of 80% would give.
    assert attack["apcer_high"] > 0.8
    assert "mask" in result["limits"]


def test_photos_are_rendered_with_and_without_a_challenge(
    tmp_path: Path, pack: FacePack, portraits: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, portrait in (("a", portraits[1]), ("b", portraits[5])):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.jpg").write_bytes(jpeg(portrait))
    monkeypatch.setattr(module, "judge", lambda *_: Judged("live", 0.9, 1.0))
    result = evaluate_liveness(tmp_path, pack.detector, None, people=1)
    assert result["source"] == "rendered"
    assert {row["kind"] for row in result["attacks"]} == {
        str(kind) for kind in Kind if not kind.live
    }
    assert result["apcer"] == 1
    assert {row["presentations"] for row in result["challenge"]["attacks"]} == {1}
    assert "not on people" in result["note"]


def test_people_left_out_are_not_among_those_that_are_measured(
    tmp_path: Path, pack: FacePack, portraits: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.jpg").write_bytes(jpeg(portraits[5]))
    shown: list[str] = []

    def film_of(portrait: Portrait, kind: Kind, **_: object) -> list[Image]:
        del kind
        shown.append(portrait.name)
        return [portrait.photo]

    monkeypatch.setattr(module, "film", film_of)
    monkeypatch.setattr(
        module, "judge", lambda frames, *_: Judged("live", 0.9, float(len(list(frames))))
    )
    seen = []
    for skip in (0, 1):
        evaluate_liveness(tmp_path, pack.detector, None, people=1, skip=skip)
        seen.append(set(shown))
        shown.clear()
    assert sorted(map(sorted, seen)) == [["a"], ["b"]]
    with pytest.raises(EvaluationImpossible, match="beyond the first 2 people"):
        evaluate_liveness(tmp_path, pack.detector, None, skip=2)


def test_without_a_face_straight_ahead_there_is_nothing_to_render(
    tmp_path: Path, pack: FacePack, portraits: list[Image]
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.jpg").write_bytes(jpeg(portraits[1]))  # turned by 32 degrees
    with pytest.raises(EvaluationImpossible, match="straight ahead"):
        evaluate_liveness(tmp_path, pack.detector, None)
