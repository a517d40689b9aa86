"""Everything `door_terminal` raises.

Each error has a stable, kebab-case `code` for programs and a sentence for people::

    DoorError
    ├── StartRefused       the terminal cannot start as it is set up
    ├── CameraLost         the camera does not deliver pictures now
    ├── GateFailed         the gate did not confirm that it opened
    ├── PeerUnreachable    a broker of the estate is not there, or does not take what is sent
    ├── ResetRefused       the fire release cannot be ended now
    ├── OpeningRefused     an order of staff to open is not taken
    ├── CallEnded          a call that somebody answers does not ring any more
    ├── NotRecordable      an entry could not be made durable anywhere
    ├── KeyAwaited         the key of a confidential door has not come from the server yet
    ├── SecretDamaged      something sealed under the device's key does not open
    ├── ChannelBroken      the other process of this terminal sent what it must not, or went away
    └── RecognitionFailed  nobody could be asked whose face this is
"""


class DoorError(Exception):
    """Base of all errors of this package."""

    code = "door-error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        """Take a sentence for people and, where a class has several, the code."""
        super().__init__(message)
        if code is not None:
            self.code = code


class StartRefused(DoorError):
    """The terminal cannot start as it is set up.

    Codes: `not-paired`, `already-running`, `configuration-malformed`, `data-unusable`,
    `pairing-failed`, `already-paired`, `wiring-unusable`.
    """

    code = "not-paired"


class CameraLost(DoorError):
    """The camera does not deliver pictures now; it is tried again.

    Codes: `camera-absent`, `camera-silent`, `camera-ended` (a file has been played to its end).
    """

    code = "camera-absent"


class GateFailed(DoorError):
    """The gate did not confirm that it opened. It is never asked again for the same entry.

    Codes: `gate-unreachable`, `gate-refused`, `gate-busy`.
    """

    code = "gate-unreachable"


class PeerUnreachable(DoorError):
    """A broker of the estate is not there, or does not take what is sent; nothing is sent later."""

    code = "peer-unreachable"


class ResetRefused(DoorError):
    """The fire release cannot be ended now.

    Codes: `no-fire`, `fire-still-active`.
    """

    code = "no-fire"


class OpeningRefused(DoorError):
    """An order of staff to open is not taken, and nothing opens.

    Codes: `nonce-unknown` (never drawn here, used, or of a link that is gone), `opening-lapsed`,
    `not-configured`, `not-recordable`.
    """

    code = "nonce-unknown"


class CallEnded(DoorError):
    """A call cannot be answered: nobody rings by that name any more.

    Codes: `call-over` (cancelled, or rang too long), `call-taken` (answered already).
    """

    code = "call-over"


class NotRecordable(DoorError):
    """An entry could not be made durable, neither in the database nor in the reserve."""

    code = "not-recordable"


class KeyAwaited(DoorError):
    """The key of a `confidential` door has not come from the server yet."""

    code = "key-awaited"


class SecretDamaged(DoorError):
    """Something sealed under the device's key does not open: altered, or another device's."""

    code = "secret-damaged"


class ChannelBroken(DoorError):
    """The channel between vision and controller ended or carried something malformed."""

    code = "channel-broken"


class RecognitionFailed(DoorError):
    """Nobody could be asked whose face this is.

    Codes: `no-configuration`, `other-template-space`, `server-unreachable`, `vision-down`.
    """

    code = "no-configuration"
