"""Two link cores facing each other, with what they say in between under the test's hand."""

from collections import deque
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tier_link.events import Connected, Event, Marks, NodeIdentity
from tier_link.protocol import LinkCore

DOOR_KEY = Ed25519PrivateKey.generate()
SERVER_KEY = Ed25519PrivateKey.generate()
DOOR = NodeIdentity("d00f", DOOR_KEY)
SERVER = NodeIdentity("sunny-court-4f2a", SERVER_KEY)
FRESH = Marks(epoch=100, next_sequence=1, seen_epoch=0, seen_sequence=0)


@dataclass
class Pair:
    """A door that dials and a server that accepts."""

    door_marks: Marks = FRESH
    server_marks: Marks = FRESH
    door_identity: NodeIdentity = DOOR
    server_identity: NodeIdentity = SERVER
    knows_door: bool = True
    now: float = 0.0
    nonces: deque[bytes] = field(default_factory=lambda: deque([b"d" * 32, b"s" * 32]))

    def __post_init__(self) -> None:
        self.door = LinkCore("dialer", self.door_identity, self.nonces.popleft())
        self.server = LinkCore("acceptor", self.server_identity, self.nonces.popleft())
        self.door.dial(SERVER.node, SERVER_KEY.public_key(), self.door_marks)

    def step(self, sender: LinkCore, receiver: LinkCore) -> tuple[bytes | None, Event | None]:
        """Carry one frame, if there is one to send."""
        frame = sender.next_frame(self.now)
        return frame, None if frame is None else receiver.receive(frame, self.now)

    def welcome(self) -> None:
        self.server.welcome(DOOR_KEY.public_key() if self.knows_door else None, self.server_marks)

    def shake_hands(self) -> tuple[Connected, Connected]:
        """Return what both sides learn: the door's event, then the server's."""
        self.step(self.door, self.server)
        self.welcome()
        _, at_door = self.step(self.server, self.door)
        _, at_server = self.step(self.door, self.server)
        assert isinstance(at_door, Connected)
        assert isinstance(at_server, Connected)
        return at_door, at_server
