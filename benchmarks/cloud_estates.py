"""Simulated estates for `benchmarks.cloud_scale`: each keeps a real link up, in one process.

A link is driven straight over `tier_link.protocol`, with marks and outbox in this process's memory,
which is never killed. An envelope takes effect as in a server: once for its sequence; a reply
goes back into the durable log.
"""

import asyncio
import hashlib
import os
import random
import sys
import time
from collections import deque
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from benchmarks.cloud_plan import (
    REPLY_BYTES,
    Plan,
    answer_questions,
    community,
    link_key,
    read_plan,
)
from tier_link.channel.dialer import STEADY_S, Failure, classify, delay
from tier_link.channel.websocket import DialedSocket
from tier_link.events import (
    Connected,
    DurableRecord,
    Marks,
    NodeIdentity,
    RecordArrived,
    RecordsAcknowledged,
)
from tier_link.messages import NONCE_SIZE
from tier_link.protocol import LinkCore
from tier_link.relay_messages import RELAY, EnvelopeDeposited, ReplySealed


@dataclass
class Tally:
    """What all estates together have seen."""

    up: int = 0
    dials: int = 0
    arrived: dict[str, list[float]] = field(default_factory=dict)
    """When each envelope took effect (Unix seconds); more than one time would be a double."""
    digests: dict[str, str] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)


@dataclass
class Estate:
    """One community's end of the link."""

    number: int
    plan: Plan
    tally: Tally
    seen_epoch: int = 0
    seen_sequence: int = 0
    next_sequence: int = 1
    outbox: deque[DurableRecord] = field(default_factory=deque)

    async def run(self) -> None:
        """Keep the link up, at whichever process a balancer would give."""
        attempts = 0
        while True:
            began = time.monotonic()
            failure = await self._attempt(random.choice(self.plan.clouds))
            attempts = 0 if time.monotonic() - began > STEADY_S else attempts + 1
            self.tally.failures[failure.why] = self.tally.failures.get(failure.why, 0) + 1
            await asyncio.sleep(delay(attempts, failure, random.random()))

    async def _attempt(self, cloud: str) -> Failure:
        try:
            await self._carry(cloud)
        except Exception as error:  # noqa: BLE001 - as the real dialer, which tries for ever
            return classify(error)
        return Failure("closed", refused=False)

    async def _carry(self, cloud: str) -> None:
        self.tally.dials += 1
        identity = NodeIdentity(community(self.number), link_key(self.number))
        core = LinkCore("dialer", identity, os.urandom(NONCE_SIZE))
        key = Ed25519PublicKey.from_public_bytes(self.plan.cloud_key)
        async with DialedSocket(f"{cloud.replace('http:', 'ws:')}/link", None) as socket:
            core.dial(
                "cloud", key, Marks(1, self.next_sequence, self.seen_epoch, self.seen_sequence)
            )
            try:
                while True:
                    self._feed(core)
                    while (frame := core.next_frame(time.monotonic())) is not None:
                        await socket.send(frame)
                    self._take(core, core.receive(await socket.recv(), time.monotonic()))
            finally:
                self.tally.up -= core.connected

    def _take(self, core: LinkCore, event: object) -> None:
        match event:
            case Connected(peer_epoch=epoch, resume_after=sequence):
                self.tally.up += 1
                if epoch > self.seen_epoch:
                    self.seen_epoch, self.seen_sequence = epoch, 0
                self._trim(sequence)
            case RecordsAcknowledged(sequence=sequence):
                self._trim(sequence)
            case RecordArrived(record=record):
                if record.sequence > self.seen_sequence:
                    self.seen_sequence = record.sequence
                    self._apply(record)
                core.acknowledge(record.sequence)

    def _apply(self, record: DurableRecord) -> None:
        message = RELAY.decode(record.kind, record.body)
        if not isinstance(message, EnvelopeDeposited):
            raise TypeError(record.kind)
        self.tally.arrived.setdefault(message.envelope, []).append(time.time())
        self.tally.digests[message.envelope] = hashlib.sha256(message.sealed).hexdigest()
        reply = ReplySealed(message.envelope, 1, final=True, sealed=os.urandom(REPLY_BYTES))
        body = RELAY.encode(reply)
        self.outbox.append(DurableRecord(self.next_sequence, RELAY.kind(reply), body))
        self.next_sequence += 1

    def _trim(self, sequence: int) -> None:
        while self.outbox and self.outbox[0].sequence <= sequence:
            self.outbox.popleft()

    def _feed(self, core: LinkCore) -> None:
        for record in self.outbox:
            if not core.wants_record:
                return
            if record.sequence > core.last_offered:
                core.offer(record)


@dataclass
class Estates:
    """All of them, which hang up and dial together."""

    everybody: list[Estate]
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def dial(self) -> int:
        """Begin to keep the links up."""
        self.tasks = [asyncio.create_task(one.run()) for one in self.everybody]
        return len(self.tasks)

    def hang_up(self) -> int:
        """End all links and let them be down."""
        for one in self.tasks:
            one.cancel()
        return len(self.tasks)


async def main(plan: Plan) -> None:
    """Run all estates until standard input ends."""
    tally = Tally()
    estates = Estates([Estate(number, plan, tally) for number in range(plan.estates)])
    estates.dial()
    await answer_questions(
        {
            "up": lambda: tally.up,
            "dial": estates.dial,
            "hang-up": estates.hang_up,
            "report": lambda: {
                "arrived": tally.arrived,
                "digests": tally.digests,
                "dials": tally.dials,
                "failures": tally.failures,
            },
        }
    )
    estates.hang_up()
    await asyncio.gather(*estates.tasks, return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(main(read_plan(sys.argv[1])))
