"""A `confidential` door asks the server for its key whenever a link comes up, until it has it."""

import logging
import time
from collections.abc import Callable
from threading import Thread
from typing import Final

from door_terminal.device_keys import DeviceKey
from door_terminal.wire import read
from tier_link.channel import LiveLink
from tier_link.errors import LinkDown, MalformedMessage, RequestError
from tier_link.estate_messages import ESTATE, DoorKey, DoorKeyWanted

_log = logging.getLogger(__name__)

DEADLINE_S: Final = 10.0
RETRY_S: Final = 5.0
"""After a refusal: an older server, or one that is still starting."""


class KeyCustody:
    """Fetches the key; `arrived` is called, on a thread of its own, once it is here."""

    def __init__(self, key: DeviceKey, arrived: Callable[[], None]) -> None:
        self._key = key
        self._arrived = arrived

    def link_up(self, link: LiveLink) -> None:
        """Ask over this link if the key is not here; returns at once."""
        if not self._key.here:
            Thread(target=self._fetch, args=(link,), name="key", daemon=True).start()

    def _fetch(self, link: LiveLink) -> None:
        question = DoorKeyWanted()
        while not self._key.here:
            try:
                answer = link.request(ESTATE.kind(question), ESTATE.encode(question), DEADLINE_S)
                self._key.provide(read(DoorKey, answer).key)
            except LinkDown:
                return  # the next link asks again
            except (RequestError, MalformedMessage) as refused:
                _log.warning("the server gave no key: %s", refused)
                time.sleep(RETRY_S)
            else:
                _log.info("the key has come from the server")
                self._arrived()
