"""Whose face is this? Here, at the server, or here first and at the server when unsure."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol

import numpy as np
from sqlalchemy.exc import SQLAlchemyError

from door_terminal.configuration import Configuration
from door_terminal.errors import RecognitionFailed
from door_terminal.roster import RosterBook
from door_terminal.settings import Mode
from door_terminal.vision.messages import Sighting
from door_terminal.wire import read
from face_engine.faces import Vectors
from face_engine.rotation import turn
from tier_link.errors import LinkDown, MalformedMessage, RequestError
from tier_link.estate_messages import ESTATE, MAX_CROP, MatchAnswer, MatchRequest, RosterPerson

_log = logging.getLogger(__name__)

REMOTE_DEADLINE_S: Final = 1.5
"""How long the server may think: with it, and a local match after it, a person still waits less
than the three seconds after which people start to shuffle."""
UNSURE: Final = 0.10
"""Hybrid: this far below the threshold the server is asked, whose gallery has the same people but
whose encoder may be the better one. Farther below, nobody of the roster is there."""


class MatchLink(Protocol):
    """The part of a live link that a match needs."""

    def request(self, kind: str, body: bytes, deadline: float) -> bytes:
        """Ask, and wait for the answer. Raises `RequestError`."""
        ...


@dataclass(frozen=True, slots=True)
class Recognised:
    """Whose face it is.

    Attributes:
        person: The one, or None for nobody.
        where: "local" or "remote".
        probe: The (d,) unit vector, not turned; None where the server alone has looked.
        learn: Counts the match; to be called once for a sighting that the rules let pass.
        renewable: Whether the face may be renewed here: the server knows it by the model before.
    """

    person: RosterPerson | None
    where: str
    probe: Vectors | None = field(repr=False)
    learn: Callable[[], None] = lambda: None
    renewable: bool = False


class Recogniser:
    """Matches sightings against the roster or asks the server."""

    def __init__(
        self,
        *,
        book: Callable[[], RosterBook],
        configuration: Callable[[], Configuration | None],
        space: Callable[[], str],
        link: Callable[[], MatchLink | None],
        encode: Callable[[str, tuple[bytes, ...]], bytes],
        count: Callable[[str, float, int], None],
        margin: Callable[[RosterPerson, float], None],
    ) -> None:
        """Take where each thing is to be found now.

        `encode` has vision encode the crops of a sighting and waits; raises `RecognitionFailed`.
        `count` takes, of each match learned from here, template space, best score among the
        others, and how many those are; `margin` whose match it was and how far above the threshold.
        """
        self._book = book
        self._configuration = configuration
        self._space = space
        self._link = link
        self._encode = encode
        self._count = count
        self._margin = margin

    def recognise(self, sighting: Sighting, mode: Mode) -> Recognised:
        """Say whose face a sighting shows.

        A server that does not answer in time is done without. Aligned faces are the same for every
        model, so a terminal whose model is not the estate's any more leaves it to the server.

        Raises:
            RecognitionFailed: neither server nor terminal can tell.
        """
        configuration = self._configuration()
        if configuration is None:
            raise RecognitionFailed("the server has not configured this door yet")
        fits = configuration.wire.template_space == self._space()
        if mode == "remote" or not fits:
            try:
                return self._ask_server(sighting, configuration, None)
            except (RequestError, MalformedMessage) as error:
                _log.warning("server did not match code=%s", error.code)
        if not fits:
            raise RecognitionFailed(
                "the roster's templates are of another model", code="other-template-space"
            )
        return self._match_here(sighting, configuration, may_ask=mode == "hybrid")

    def _match_here(
        self, sighting: Sighting, configuration: Configuration, *, may_ask: bool
    ) -> Recognised:
        packed = sighting.probe or self._encode(sighting.sighting, sighting.crops)
        probe = np.frombuffer(packed, "<f4").astype(np.float32)
        matrix = configuration.matrix
        if matrix is not None and matrix.shape[0] != probe.size:
            raise RecognitionFailed(
                "the estate's matrix is for another model", code="other-template-space"
            )
        book = self._book()
        turned = probe if matrix is None else turn(probe, matrix)
        nearest = book.nearest(turned)
        threshold = configuration.wire.threshold
        # The index may be a step ahead of the book that it was taken from: news comes any time.
        person = None if nearest is None else book.people.get(nearest[0])
        if nearest is not None and person is not None and nearest[1] >= threshold:
            margin = nearest[1] - threshold
            learn = partial(self._learn, book, turned, person, margin, configuration)
            return Recognised(person, "local", probe, learn)
        unsure = may_ask and nearest is not None and nearest[1] >= threshold - UNSURE
        if unsure or configuration.wire.ask_unknown:
            try:
                return self._ask_server(sighting, configuration, probe)
            except (RequestError, MalformedMessage) as error:
                _log.warning("server was not asked in doubt code=%s", error.code)
        return Recognised(None, "local", probe)

    def _learn(
        self,
        book: RosterBook,
        turned: Vectors,
        person: RosterPerson,
        margin: float,
        configuration: Configuration,
    ) -> None:
        """Count the margin, and what somebody else of this population would have scored here."""
        try:
            other = book.nearest_other(turned, person.person)
            if other is not None and book.index is not None:
                self._count(configuration.wire.template_space, other, len(book.index) - 1)
            self._margin(person, margin)
        except (SQLAlchemyError, ValueError):
            # What is learned from an opening must never stand in its way.
            _log.exception("a match was not counted")

    def _ask_server(
        self, sighting: Sighting, configuration: Configuration, probe: Vectors | None
    ) -> Recognised:
        crops = tuple(one for one in sighting.crops if len(one) <= MAX_CROP)
        link = self._link()
        if link is None or not crops:
            raise LinkDown("there is no link to the server")
        question = MatchRequest(configuration.wire.template_space, crops)
        answer = read(
            MatchAnswer,
            link.request(ESTATE.kind(question), ESTATE.encode(question), REMOTE_DEADLINE_S),
        )
        person = self._book().people.get(answer.person)
        return Recognised(person, "remote", probe, renewable=answer.renewable)
