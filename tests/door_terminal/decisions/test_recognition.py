"""Matched here, at the server, or here first; and never stuck because a server is silent."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from door_terminal.configuration import Configuration
from door_terminal.decisions.recognition import Recogniser
from door_terminal.errors import RecognitionFailed
from door_terminal.roster import RosterBook
from door_terminal.settings import Mode
from door_terminal.vision.messages import Sighting
from face_engine.gallery_index import GalleryIndex
from face_engine.rotation import random_rotation, turn
from tests.door_terminal.samples import SPACE, configured, packed, person, unit_vector
from tier_link.errors import DeadlinePassed, LinkDown
from tier_link.estate_messages import ESTATE, MatchAnswer, MatchRequest, RosterPerson

MATRIX = random_rotation(128, seed=5)
ADA_FACE, BAO_FACE = unit_vector(1), unit_vector(2)
ADA = person("a", template=packed(turn(ADA_FACE, MATRIX)))
BAO = person("b")  # without a template here; the server may still know the face
CROP = b"\xff\xd8 a picture"


def book() -> RosterBook:
    index = GalleryIndex(128)
    index.add(ADA.person, turn(ADA_FACE, MATRIX))
    return RosterBook(people={one.person: one for one in (ADA, BAO)}, index=index)


def blend(cosine: float) -> NDArray[np.float32]:
    """Return a face at this cosine from Ada's."""
    across = BAO_FACE - (BAO_FACE @ ADA_FACE) * ADA_FACE
    across /= np.linalg.norm(across)
    return np.asarray(cosine * ADA_FACE + np.sqrt(1 - cosine**2) * across, np.float32)


class Server:
    def __init__(self, answer: MatchAnswer | Exception) -> None:
        self.answer = answer
        self.asked: list[MatchRequest] = []

    def request(self, kind: str, body: bytes, deadline: float) -> bytes:
        assert deadline < 3
        question = ESTATE.decode(kind, body)
        assert isinstance(question, MatchRequest)
        self.asked.append(question)
        if isinstance(self.answer, Exception):
            raise self.answer
        return ESTATE.encode(self.answer)


def encoding(face: NDArray[np.float32]) -> Callable[[str, tuple[bytes, ...]], bytes]:
    return lambda _sighting, _crops: packed(face)


def no_vision(_sighting: str, _crops: tuple[bytes, ...]) -> bytes:
    raise RecognitionFailed("vision is not there", code="vision-down")


def recogniser(
    server: Server | None = None,
    *,
    encode: Callable[[str, tuple[bytes, ...]], bytes] = no_vision,
    space: str = SPACE,
    configuration: Configuration | None = None,
    count: Callable[[str, float, int], None] = lambda *_: None,
    margin: Callable[[RosterPerson, float], None] = lambda *_: None,
    held: RosterBook | None = None,
) -> Recogniser:
    configuration = configuration or Configuration.of(
        configured(matrix=MATRIX.astype("<f4").tobytes())
    )
    return Recogniser(
        book=lambda: held or book(),
        configuration=lambda: configuration,
        space=lambda: space,
        link=lambda: server,
        encode=encode,
        count=count,
        margin=margin,
    )


def seen(face: NDArray[np.float32] | None, *, crops: tuple[bytes, ...] = (CROP,)) -> Sighting:
    return Sighting("s", 0, 0, 2, b"" if face is None else packed(face), crops)


@pytest.mark.parametrize(
    ("cosine", "whose"), [(1.0, ADA), (0.43, ADA), (0.41, None), (0.0, None), (-1.0, None)]
)
def test_a_face_is_a_persons_from_the_threshold_on(cosine: float, whose: object) -> None:
    found = recogniser().recognise(seen(blend(cosine)), "local")
    assert (found.person, found.where) == (whose, "local")


def test_a_book_that_lags_behind_its_index_names_nobody_it_does_not_know() -> None:
    ahead = book()
    assert ahead.index is not None
    ahead.index.add("f" * 32, turn(BAO_FACE, MATRIX))
    found = recogniser(held=ahead).recognise(seen(BAO_FACE), "local")
    assert (found.person, found.where) == (None, "local")
    assert recogniser(held=ahead).recognise(seen(ADA_FACE), "local").person == ADA


def test_what_cannot_be_counted_keeps_nobody_out() -> None:
    def broken(*_: object) -> None:
        raise ValueError("a row of other bins")

    found = recogniser(margin=broken).recognise(seen(ADA_FACE), "local")
    assert found.person == ADA
    found.learn()


def test_of_a_match_made_here_the_best_of_other_households_is_counted_and_of_no_other() -> None:
    index = GalleryIndex(128)
    family = person("c", template=packed(turn(blend(0.9), MATRIX)))
    other = person("d", unit="9-9", template=packed(turn(blend(0.3), MATRIX)))
    people = {one.person: one for one in (ADA, family, other)}
    for one in people.values():
        index.add(one.person, np.frombuffer(one.template, "<f4"))
    counted: list[tuple[str, float, int]] = []

    def count(space: str, score: float, people: int) -> None:
        counted.append((space, round(score, 3), people))

    found = recogniser(count=count, held=RosterBook(people=people, index=index))
    match = found.recognise(seen(ADA_FACE), "local")
    assert (match.person, counted) == (ADA, [])
    match.learn()
    assert counted == [(SPACE, 0.3, 2)]
    found.recognise(seen(unit_vector(9)), "local").learn()
    assert len(counted) == 1


@pytest.mark.parametrize("renewable", [False, True])
def test_the_server_says_whose_face_may_be_renewed(*, renewable: bool) -> None:
    server = Server(MatchAnswer(BAO.person, "match", renewable))
    assert recogniser(server).recognise(seen(None), "remote").renewable is renewable
    assert not recogniser(server).recognise(seen(ADA_FACE), "local").renewable


def test_a_remote_door_asks_the_server_and_believes_it() -> None:
    server = Server(MatchAnswer(BAO.person, ""))
    found = recogniser(server).recognise(seen(None), "remote")
    assert (found.person, found.where) == (BAO, "remote")
    assert server.asked == [MatchRequest(SPACE, (CROP,))]


def test_somebody_whom_this_door_does_not_hold_is_nobody() -> None:
    server = Server(MatchAnswer("f" * 32, ""))
    assert recogniser(server).recognise(seen(None), "remote").person is None


@pytest.mark.parametrize("server", [None, Server(DeadlinePassed("late")), Server(LinkDown("gone"))])
def test_a_silent_server_is_done_without(server: Server | None) -> None:
    found = recogniser(server, encode=encoding(ADA_FACE)).recognise(seen(None), "remote")
    assert (found.person, found.where) == (ADA, "local")


@pytest.mark.parametrize(
    ("cosine", "asked", "whose"), [(0.5, 0, ADA), (0.38, 1, BAO), (0.1, 0, None)]
)
def test_hybrid_asks_only_when_unsure(cosine: float, asked: int, whose: object) -> None:
    server = Server(MatchAnswer(BAO.person, ""))
    found = recogniser(server).recognise(seen(blend(cosine)), "hybrid")
    assert (len(server.asked), found.person) == (asked, whose)


def test_hybrid_in_doubt_without_server_lets_nobody_in() -> None:
    assert recogniser(None).recognise(seen(blend(0.38)), "hybrid").person is None


@pytest.mark.parametrize("mode", ["local", "remote", "hybrid"])
def test_templates_of_another_model_are_not_compared_but_faces_are_at_the_server(
    mode: Mode,
) -> None:
    server = Server(MatchAnswer(BAO.person, ""))
    found = recogniser(server, space="another-model").recognise(seen(ADA_FACE), mode)
    assert (found.person, found.where) == (BAO, "remote")
    with pytest.raises(RecognitionFailed) as failed:
        recogniser(None, space="another-model").recognise(seen(ADA_FACE), mode)
    assert failed.value.code == "other-template-space"


@pytest.mark.parametrize("mode", ["local", "hybrid"])
def test_whom_only_an_earlier_model_knows_is_asked_for_at_the_server(mode: Mode) -> None:
    server = Server(MatchAnswer(BAO.person, ""))
    wire = configured(matrix=MATRIX.astype("<f4").tobytes(), ask_unknown=True)
    asking = recogniser(server, configuration=Configuration.of(wire))
    assert asking.recognise(seen(ADA_FACE), mode).where == "local"
    assert asking.recognise(seen(BAO_FACE), mode).person == BAO
    alone = recogniser(None, configuration=Configuration.of(wire))
    assert alone.recognise(seen(BAO_FACE), mode).person is None


def test_neither_server_nor_vision_is_said_plainly() -> None:
    with pytest.raises(RecognitionFailed) as failed:
        recogniser().recognise(seen(None), "remote")
    assert failed.value.code == "vision-down"
