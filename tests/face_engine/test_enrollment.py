import cv2
import numpy as np
import pytest

from face_engine import calibration
from face_engine.alignment import align
from face_engine.door_check import opening_shares, unlikely_to_open
from face_engine.enrollment import judge, look, odd_one_out
from face_engine.errors import PhotoReason, PhotoRefused
from face_engine.faces import Face, Image
from face_engine.landmarks import refine
from face_engine.models import FacePack
from tests.face_engine.pictures import jpeg, relit


def refusal(pack: FacePack, *photos: bytes) -> tuple[PhotoReason, int]:
    with pytest.raises(PhotoRefused) as refused:
        judge(pack, photos)
    return refused.value.reason, refused.value.photo


@pytest.fixture(scope="module")
def good(portraits: list[Image]) -> Image:
    return portraits[0]


def test_a_good_photo_gives_a_template_of_that_person(
    pack: FacePack,
    good: Image,
    six_people: Image,
    six_faces: list[Face],
) -> None:
    judged = judge(pack, [jpeg(good)])
    assert judged.template.shape == (pack.encoder.dimension,)
    assert np.linalg.norm(judged.template) == pytest.approx(1, abs=1e-5)
    finer = [refine(pack.detector, six_people, face) for face in six_faces]
    crops = np.stack([align(six_people, face.landmarks) for face in finer])
    scores = pack.encoder.encode(crops) @ judged.template
    assert scores[0] > 0.8
    assert scores[1:].max() < 0.4


def test_several_photos_of_one_person_are_fused_by_quality(pack: FacePack, good: Image) -> None:
    soft = np.asarray(cv2.GaussianBlur(good, (0, 0), 3), np.uint8)
    judged = judge(pack, [jpeg(good), jpeg(relit(good, 0.8)), jpeg(soft)])
    assert len(judged.photos) == 3
    assert sum(photo.weight for photo in judged.photos) == pytest.approx(1)
    assert judged.photos[2].weight < judged.photos[0].weight


def test_two_different_people_in_one_enrollment_are_refused(
    pack: FacePack,
    portraits: list[Image],
) -> None:
    one, other = jpeg(portraits[0]), jpeg(portraits[2])
    again = jpeg(relit(portraits[0], 0.85, 10))
    assert refusal(pack, one, other) == (PhotoReason.DIFFERENT_PEOPLE, 1)
    assert refusal(pack, one, other, again) == (PhotoReason.DIFFERENT_PEOPLE, 1)
    assert refusal(pack, other, one, again) == (PhotoReason.DIFFERENT_PEOPLE, 0)


def test_a_picture_without_a_face_is_refused(pack: FacePack) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (600, 800, 3), dtype=np.uint8)
    assert refusal(pack, jpeg(noise)) == (PhotoReason.NO_FACE, 0)


def test_several_faces_are_refused(pack: FacePack, six_people: Image) -> None:
    assert refusal(pack, jpeg(six_people)) == (PhotoReason.SEVERAL_FACES, 0)


def test_a_tiny_face_is_refused(pack: FacePack, good: Image) -> None:
    canvas = np.full((700, 900, 3), 150, np.uint8)
    small = np.asarray(cv2.resize(good, (60, 60 * good.shape[0] // good.shape[1])), np.uint8)
    canvas[200 : 200 + len(small), 300:360] = small
    assert refusal(pack, jpeg(canvas)) == (PhotoReason.FACE_TOO_SMALL, 0)


@pytest.mark.parametrize(
    ("factor", "add", "reason"),
    [
        (0.15, 0, PhotoReason.TOO_DARK),
        (0.3, 200, PhotoReason.TOO_BRIGHT),
        (0.1, 110, PhotoReason.LOW_CONTRAST),
    ],
)
def test_bad_light_is_refused_with_its_name(
    pack: FacePack,
    good: Image,
    factor: float,
    add: float,
    reason: PhotoReason,
) -> None:
    assert refusal(pack, jpeg(relit(good, factor, add))) == (reason, 0)


def test_a_blurred_face_is_refused(pack: FacePack, good: Image) -> None:
    blurred = np.asarray(cv2.GaussianBlur(good, (0, 0), 14), np.uint8)
    assert refusal(pack, jpeg(blurred)) == (PhotoReason.BLURRED, 0)


def test_a_face_turned_far_away_is_refused(pack: FacePack, portraits: list[Image]) -> None:
    # The fifth person from the left stands in profile.
    reasons = []
    for portrait in portraits:
        try:
            judge(pack, [jpeg(portrait)])
        except PhotoRefused as refused:
            reasons.append(refused.reason)
    assert reasons == [PhotoReason.TURNED_AWAY]


def test_a_tilted_head_is_refused(pack: FacePack, good: Image) -> None:
    height, width = good.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 45, 0.8)
    tilted = np.asarray(cv2.warpAffine(good, turn, (width, height), borderValue=(99, 99, 99)))
    assert refusal(pack, jpeg(tilted.astype(np.uint8))) == (PhotoReason.TILTED, 0)


def test_a_face_that_reaches_out_of_the_picture_is_refused(
    pack: FacePack,
    good: Image,
) -> None:
    face = pack.detector.detect(good, longest_side=640)[0]
    left, _, width, _ = (int(value) for value in face.box)
    cut = np.ascontiguousarray(good[:, : left + int(width * 0.72)])
    assert refusal(pack, jpeg(cut)) == (PhotoReason.FACE_CUT_OFF, 0)


def test_the_refused_photo_is_named_by_its_place(pack: FacePack, good: Image) -> None:
    assert refusal(pack, jpeg(good), b"%PDF-1.7") == (PhotoReason.NOT_AN_IMAGE, 1)


def test_a_sideways_photo_simply_works(pack: FacePack, good: Image) -> None:
    lying = np.ascontiguousarray(np.rot90(good))
    whole = jpeg(lying)
    tag = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    data = whole[:2] + b"\xff\xe1" + (len(tag) + 2).to_bytes(2, "big") + tag + whole[2:]
    straight = judge(pack, [jpeg(good)]).template
    assert float(judge(pack, [data]).template @ straight) > 0.97


def test_a_selfie_as_large_as_phones_make_them_works(pack: FacePack, good: Image) -> None:
    large = np.asarray(cv2.resize(good, (3000, 3000 * good.shape[0] // good.shape[1])), np.uint8)
    straight = judge(pack, [jpeg(good)]).template
    assert float(judge(pack, [jpeg(large)]).template @ straight) > 0.9


def test_the_number_of_photos_has_a_limit(pack: FacePack, good: Image) -> None:
    for count in (0, 4):
        with pytest.raises(ValueError, match="1 to 3"):
            judge(pack, [jpeg(good)] * count)


def test_of_three_the_one_unlike_the_others_is_named() -> None:
    vectors = np.array([[1, 0], [0.1, 0.99], [0.99, 0.1]], np.float32)
    assert odd_one_out(vectors, 0.3) == 1
    assert odd_one_out(vectors[[0, 2]], 0.3) is None
    assert odd_one_out(vectors[:2], 0.3) == 1


def test_good_photos_would_open_the_door(pack: FacePack, good: Image) -> None:
    photos = [jpeg(good), jpeg(relit(good, 0.8)), jpeg(relit(good, 1.1, 5))]
    threshold = calibration.load(pack.template_space).threshold(0.001, 1000).value
    for count in (1, 3):
        assert judge(pack, photos[:count], threshold=threshold).template.shape


def test_photos_that_would_not_open_the_door_are_refused_at_enrollment(
    pack: FacePack, good: Image
) -> None:
    with pytest.raises(PhotoRefused) as refused:
        judge(pack, [jpeg(good)], threshold=0.99)
    assert (refused.value.reason, refused.value.photo) == (PhotoReason.WOULD_NOT_OPEN, 0)


def test_the_photo_least_likely_to_open_the_door_is_named(
    pack: FacePack, portraits: list[Image]
) -> None:
    alike = jpeg(portraits[0]), jpeg(relit(portraits[0], 0.9))
    looks = [look(pack, photo) for photo in (*alike, jpeg(portraits[2]))]
    vectors = pack.encoder.encode(np.stack([one.crop for one in looks]))
    shares = opening_shares(pack, looks, vectors, 0.4)
    assert unlikely_to_open(shares) == 2
    assert shares[2] == 0
    assert unlikely_to_open(opening_shares(pack, looks[:2], vectors[:2], 0.4)) is None
