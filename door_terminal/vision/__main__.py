"""Entry of the vision process; the controller starts it with its end of a pair of sockets."""

import logging
import os
import socket
import sys

from door_terminal.settings import Settings
from door_terminal.vision.messages import LENGTH_SIZE, REHEARSE, Unable, body_length, frame
from door_terminal.vision.process import rehearse, run
from face_engine.errors import FaceEngineError
from tier_kit.process_memory import guard_process

_log = logging.getLogger("door_terminal.vision")


def main() -> None:
    """Take the settings from the controller and look until it goes away."""
    guard_process()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    if sys.argv[1] == REHEARSE:
        _rehearse()
        return
    connection = socket.socket(fileno=int(sys.argv[1]))
    settings = Settings.model_validate_json(_first_message(connection))
    try:
        run(settings, connection)
    except FaceEngineError as error:
        _log.error("vision cannot start code=%s: %s", error.code, error)
        connection.sendall(frame(Unable(error.code)))
        sys.exit(os.EX_CONFIG)


def _rehearse() -> None:
    """Say on stdout what keeps the models from being loaded; say nothing when nothing does."""
    settings = Settings.model_validate_json(sys.stdin.buffer.read())
    try:
        rehearse(settings)
    except FaceEngineError as error:
        _log.warning("models cannot be used code=%s: %s", error.code, error)
        sys.stdout.write(error.code)


def _first_message(connection: socket.socket) -> bytes:
    length = body_length(connection.recv(LENGTH_SIZE, socket.MSG_WAITALL))
    return connection.recv(length, socket.MSG_WAITALL)


if __name__ == "__main__":
    main()
