"""Simulated people for `benchmarks.cloud_scale`: upload at a steady rate, ask, send again.

As the form's page: what is refused for now is tried again; then it asks for replies, and where the
envelope is unknown it sends again. It turns to any process, as a balancer would have it.
"""

import asyncio
import hashlib
import os
import random
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import Final

import httpx

from benchmarks.cloud_plan import SEALED_BYTES, Plan, answer_questions, community, read_plan
from tier_link.sealing import SUITE_NAME

ASK_S: Final = 1.0
"""Seconds between questions; the page asks as often at first."""
RETRY_S: Final = 3.0
"""As the page, where nothing says how long to wait."""

_TAIL: Final = os.urandom(SEALED_BYTES - 32)


@dataclass
class Person:
    """One enrollment, from the form's side. Times are Unix seconds."""

    envelope: str
    digest: str
    begun_at: float
    taken_at: float = 0.0
    answered_at: float = 0.0
    put_off: int = 0
    sent_again: int = 0
    refused: str = ""


@dataclass
class People:
    """Everybody, in one process."""

    plan: Plan
    client: httpx.AsyncClient
    paused: bool = True
    began: int = 0
    done: int = 0
    everybody: list[Person] = field(default_factory=list)

    async def come(self) -> None:
        """Begin one enrollment after the other, at the plan's rate, while not paused."""
        tasks = set()
        due = time.monotonic()
        while True:
            due = max(due + 1 / self.plan.rate, time.monotonic() - 1)
            await asyncio.sleep(max(0, due - time.monotonic()))
            if not self.paused and self.began < len(self.plan.invitations):
                tasks.add(task := asyncio.create_task(self._enroll(self.began)))
                task.add_done_callback(tasks.discard)
                self.began += 1

    async def _enroll(self, number: int) -> None:
        sealed = os.urandom(32) + _TAIL
        person = Person(os.urandom(16).hex(), hashlib.sha256(sealed).hexdigest(), time.time())
        self.everybody.append(person)
        path = f"/api/v1/communities/{community(number % self.plan.estates)}/envelopes"
        await self._send(person, f"{path}/{person.envelope}", number, sealed)
        while not (person.answered_at or person.refused):
            await asyncio.sleep(ASK_S)
            try:
                answer = await self.client.get(
                    f"{random.choice(self.plan.clouds)}{path}/{person.envelope}"
                )
            except httpx.HTTPError:
                continue
            if answer.status_code == httpx.codes.NOT_FOUND:
                person.sent_again += 1
                await self._send(person, f"{path}/{person.envelope}", number, sealed)
            elif answer.is_success and answer.json()["replies"]:
                person.answered_at = time.time()
        self.done += 1

    async def _send(self, person: Person, path: str, number: int, sealed: bytes) -> None:
        query = f"?invitation={self.plan.invitations[number]}&key=w1&suite={SUITE_NAME}"
        while True:
            wait = RETRY_S
            try:
                answer = await self.client.put(
                    f"{random.choice(self.plan.clouds)}{path}{query}",
                    content=sealed,
                    headers={"content-type": "application/octet-stream"},
                )
            except httpx.HTTPError:
                person.put_off += 1
            else:
                if answer.status_code == httpx.codes.ACCEPTED:
                    person.taken_at = person.taken_at or time.time()
                    return
                if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                    person.refused = answer.text
                    return
                person.put_off += 1
                wait = float(answer.headers.get("retry-after", RETRY_S))
            await asyncio.sleep(wait)


async def main(plan: Plan) -> None:
    """Let people come until standard input ends."""
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=60)
    async with httpx.AsyncClient(trust_env=False, timeout=30, limits=limits) as client:
        people = People(plan, client)
        coming = asyncio.create_task(people.come())

        def pause(paused: bool) -> bool:  # noqa: FBT001 - what the two words below say
            people.paused = paused
            return paused

        await answer_questions(
            {
                "go": lambda: pause(False),
                "pause": lambda: pause(True),
                "open": lambda: people.began - people.done,
                "done": lambda: people.done,
                "report": lambda: [asdict(one) for one in people.everybody],
            }
        )
        coming.cancel()


if __name__ == "__main__":
    asyncio.run(main(read_plan(sys.argv[1])))
