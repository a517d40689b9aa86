"""Links over real connections: the drivers around `tier_link.protocol`.

A lower tier runs a `Dialer`; an upper tier hands every accepted WebSocket to its `LinkHub`.
Both call the tier's `LinkHandler` in worker threads, never on the event loop.
"""

from tier_link.channel.asgi import AsgiSocket, Scope, SocketEndpoint
from tier_link.channel.dialer import Dialer, DialerState
from tier_link.channel.handler import Journal, LinkHandler, MessageSocket
from tier_link.channel.hub import LinkHub, Pace
from tier_link.channel.live_link import LiveLink
from tier_link.channel.pairing import accept_pairing, dial_pairing
from tier_link.channel.websocket import pairing_tls, pinned_tls, public_tls
from tier_link.events import NodeIdentity

__all__ = [
    "AsgiSocket",
    "Dialer",
    "DialerState",
    "Journal",
    "LinkHandler",
    "LinkHub",
    "LiveLink",
    "MessageSocket",
    "NodeIdentity",
    "Pace",
    "Scope",
    "SocketEndpoint",
    "accept_pairing",
    "dial_pairing",
    "pairing_tls",
    "pinned_tls",
    "public_tls",
]
