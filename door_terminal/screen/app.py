"""Routes of the unit's page."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from importlib import resources
from math import ceil
from typing import Any, Final

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from access_rules.decision import DecisionReason
from access_rules.people import Credential
from door_terminal.calls import RING_S, Call, CallState
from door_terminal.decisions.decider import Outcome
from door_terminal.decisions.renewal import DECLINED, Offer
from door_terminal.errors import ResetRefused
from door_terminal.looking import OFF
from door_terminal.screen.bodies import (
    CallAsked,
    CallCancelled,
    PinEntry,
    RenewalAnswered,
    StaffPin,
    picture_number,
    read_body,
    refusal,
)
from door_terminal.screen.guard import guarded
from door_terminal.screen.operation import operation_routes
from door_terminal.terminal import SOFTWARE, Terminal
from door_terminal.vision.messages import FaceBox
from tier_kit.language import LANGUAGES, Language
from tier_kit.pages import Pages

SCRIPTS: Final = frozenset({"door.js", "live.js", "call.js"})
LOOK_S: Final = 2.0
"""How long the page waits for a picture before it asks again: less than `LEASE_S`."""
_LONGEST_IN_SECONDS: Final = 90  # beyond it a wait is told in minutes

PAGES: Final = Pages("door_terminal")


def build_app(terminal: Terminal, port: int) -> ASGIApp:
    """Return the page's application.

    Args:
        terminal: What it shows and whom it tells of PINs.
        port: Where it is served; requests must name it.
    """
    return guarded(Starlette(routes=screen_routes(terminal)), port)


def screen_routes(terminal: Terminal) -> list[Route]:
    """Return the page's routes."""

    async def page(request: Request) -> Response:
        del request
        return HTMLResponse(PAGES.render("door.html.jinja", "zh-CN", catalogue=PAGES.catalogue))

    async def state(request: Request) -> Response:
        del request
        return JSONResponse(await run_in_threadpool(describe, terminal))

    async def pin(request: Request) -> Response:
        entry = await read_body(request, PinEntry)
        if isinstance(entry, Response):
            return entry
        outcome, check = await run_in_threadpool(terminal.enter_pin, entry.unit, entry.pin)
        return JSONResponse(_outcome(outcome, check.wait_s))

    async def end_fire(request: Request) -> Response:
        entry = await read_body(request, StaffPin)
        if isinstance(entry, Response):
            return entry
        try:
            check = await run_in_threadpool(terminal.end_fire, entry.pin)
        except ResetRefused as refused:
            return JSONResponse(_told(f"fire.{refused.code}", ended=False))
        if check.problem is not None:
            wrong = check.problem is DecisionReason.PIN_WRONG
            key = "fire.pin-wrong" if wrong else f"reason.{check.problem}"
            return JSONResponse(_told(key, ended=False, wait_s=check.wait_s))
        return JSONResponse(_told("fire.ended", ended=True))

    return [
        Route("/", page),
        Route("/script/{name}", _script),
        Route("/static/{name}", _static),
        Route("/state", state),
        *operation_routes(terminal),
        Route("/look", _looking(terminal)),
        Route("/pin", pin, methods=["POST"]),
        Route("/fire/end", end_fire, methods=["POST"]),
        Route("/renewal", _renewing(terminal), methods=["POST"]),
        *_calling(terminal),
    ]


def _renewing(terminal: Terminal) -> Callable[[Request], Awaitable[Response]]:
    async def renewal(request: Request) -> Response:
        entry = await read_body(request, RenewalAnswered)
        if isinstance(entry, Response):
            return entry
        reason = await run_in_threadpool(
            terminal.renewals.answer, entry.offer, entry.language, agreed=entry.agreed
        )
        return JSONResponse(renewal_told(reason))

    return renewal


def _looking(terminal: Terminal) -> Callable[[Request], Awaitable[Response]]:
    async def look(request: Request) -> Response:
        """Answer with the next picture after `after`, or 204 while there is nothing to see."""
        after = picture_number(request.query_params.get("after", ""))
        if terminal.looking == OFF:  # a picture would say that somebody is looked at
            await asyncio.sleep(LOOK_S)
            return Response(status_code=204)
        terminal.live.want()
        view = await terminal.live.after(after, LOOK_S)
        if view is None:
            return Response(status_code=204)
        faces = [_face(terminal, face) for face in view.preview.faces]
        headers = {
            "picture-number": str(view.number),
            "picture-faces": msgspec.json.encode(faces).decode(),
        }
        return Response(view.preview.jpeg, media_type="image/jpeg", headers=headers)

    return look


def _face(terminal: Terminal, face: FaceBox) -> dict[str, Any]:
    where = [face.left, face.top, face.width, face.height]
    return {"box": [round(one, 4) for one in where], "state": terminal.live.state(face)}


def _calling(terminal: Terminal) -> list[Route]:
    async def ring(request: Request) -> Response:
        asked = await read_body(request, CallAsked)
        if isinstance(asked, Response):
            return asked
        await run_in_threadpool(terminal.calls.ring)
        return JSONResponse(call_told(terminal.calls.shown, terminal))

    async def cancel(request: Request) -> Response:
        cancelled = await read_body(request, CallCancelled)
        if isinstance(cancelled, Response):
            return cancelled
        await run_in_threadpool(terminal.calls.cancel, cancelled.call)
        return JSONResponse(call_told(terminal.calls.shown, terminal))

    return [
        Route("/call", ring, methods=["POST"]),
        Route("/call/cancel", cancel, methods=["POST"]),
    ]


async def _script(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in SCRIPTS:
        return refusal(404, "not-found")
    content = resources.files("door_terminal.screen").joinpath(name).read_bytes()
    return Response(content, media_type="text/javascript")


async def _static(request: Request) -> Response:
    file = PAGES.static_folder / request.path_params["name"]
    if file.parent != PAGES.static_folder or not file.is_file():
        return refusal(404, "not-found")
    return FileResponse(file)


def describe(terminal: Terminal) -> dict[str, Any]:
    """Return the door's state as the page and `gatehouse door status` show it."""
    presence = terminal.presence()
    current = terminal.configuration.current
    last = terminal.last
    heartbeat = terminal.vision.heartbeat
    return {
        "door": current.wire.name if current else "",
        "id": terminal.pairing.door,
        "software": SOFTWARE,
        "configured": current is not None,
        "key": terminal.knows,
        "link": terminal.uplink.link is not None,
        "gate": presence.gate,
        "vision": presence.vision,
        "vision_starts": terminal.vision.starts,
        "camera": presence.camera,
        "mode": presence.mode,
        "mode_for_s": presence.mode_for_s,
        "slow": terminal.slow,
        "decision_ms": presence.decision_ms,
        "decisions_timed": presence.decisions,
        "disk_free": presence.disk_free,
        "temperature_c": presence.temperature_c,
        "template_space": presence.template_space,
        "model_pack": presence.model_pack,
        "model_pack_wanted": terminal.vision.trial.wanted.pack,
        "model_pack_problem": terminal.vision.trial.problem,
        "detect_ms": presence.detect_ms,
        "encode_ms": presence.encode_ms,
        "time_known": presence.time_known,
        "roster_version": presence.roster_version,
        "people": len(terminal.roster.book.people),
        "unsent": presence.queue,
        "reserve": len(terminal.reserve),
        "uptime_s": presence.uptime_s,
        "frames": heartbeat.frames if heartbeat else 0,
        "detections": heartbeat.detections if heartbeat else 0,
        "watching": heartbeat.watching if heartbeat else False,
        "looking": presence.looking,
        "turn": terminal.turn,
        "passes": current is not None and Credential.PASS in current.rules.accepts,
        "renewal": _offer(terminal.renewals.offer),
        "call": call_told(terminal.calls.shown, terminal),
        "fire": terminal.sensors.fire.active,
        "burning": terminal.sensors.burning,
        "card_reader": terminal.card_reader if terminal.reader else "card-reader-none",
        "cards": _takes_cards(terminal),
        "presence": _presence_needed(terminal),
        "locked_down": terminal.lockdown.current.active,
        "inputs": terminal.sensors.watch.levels(),
        "alarms": sorted(terminal.alarms.active()),
        "decisions": terminal.outcomes,
        "last": None if last is None else _outcome(last),
    }


def _presence_needed(terminal: Terminal) -> str:
    """Say what a face needs to count now: nothing, a sign (`needed`), or an input (`missing`)."""
    if terminal.wanted(time.monotonic()):
        return ""
    return "needed" if terminal.sensors.feels_presence else "missing"


def _takes_cards(terminal: Terminal) -> bool:
    """Say whether holding a card to this door does anything now."""
    current = terminal.configuration.current
    accepted = current is not None and Credential.CARD in current.rules.accepts
    return accepted and terminal.reader is not None and not terminal.card_reader


def renewal_told(reason: str) -> dict[str, Any]:
    """Return what somebody reads about the renewal of their face, and its code."""
    known = PAGES.catalogue.branch("en", "renewal.outcome")
    key = f"renewal.outcome.{reason if reason in known else 'refused'}"
    fine = reason in {"renewed", DECLINED}
    return {"reason": reason, "granted": fine, "message": _say(key, 0)}


def call_told(call: Call, terminal: Terminal) -> dict[str, Any]:
    """Return how a call stands, for the page: its state, the words, the seconds it goes on yet."""
    key = f"call.{call.state.value}"
    if call.state is CallState.REFUSED:
        known = PAGES.catalogue.branch("en", "call.refused")
        key = f"call.refused.{call.reason if call.reason in known else 'other'}"
    ringing = call.state is CallState.RINGING
    left_s = RING_S - terminal.calls.rung_s(call) if ringing else 0
    return {
        "call": call.id,
        "state": call.state.value,
        "message": None if call.state is CallState.NONE else _say(key, 0),
        "left_s": max(0, ceil(left_s)),
    }


def _offer(offer: Offer | None) -> dict[str, Any] | None:
    if offer is None:
        return None
    texts = {text.language: {"title": text.title, "text": text.text} for text in offer.texts}
    return {"offer": offer.id, "texts": texts}


def _outcome(outcome: Outcome, wait_s: float = 0.0) -> dict[str, Any]:
    return {
        "entry": outcome.entry,
        "granted": outcome.granted,
        "reason": outcome.reason.value,
        "credential": outcome.credential.value,
        "gate": outcome.gate,
        "age_s": (time.monotonic_ns() - outcome.decided_ns) / 1e9,
        "decided_ms": (outcome.decided_ns - outcome.needed_ns) / 1e6,
        "recorded_ms": _since(outcome.recorded_ns, outcome.needed_ns),
        "released_ms": _since(outcome.released_ns, outcome.needed_ns),
        "message": sentences(outcome.reason, gate=outcome.gate, wait_s=wait_s),
        "wait_s": ceil(wait_s),
    }


def sentences(reason: DecisionReason, *, gate: str = "", wait_s: float = 0.0) -> dict[str, str]:
    """Return what a person at the door reads, by language.

    Args:
        reason: Why the door opens or stays shut.
        gate: Why the gate did not open, if so.
        wait_s: Seconds until the next try counts.
    """
    return _say("gate.failed" if gate else f"reason.{reason.value}", wait_s)


def _told(key: str, *, ended: bool, wait_s: float = 0.0) -> dict[str, Any]:
    """Answer what the page asked about a fire release."""
    return {"ended": ended, "granted": ended, "message": _say(key, wait_s)}


def _say(key: str, wait_s: float) -> dict[str, str]:
    return {
        language: PAGES.catalogue.say(language, key) + _wait(language, wait_s)
        for language in LANGUAGES
    }


def _wait(language: Language, seconds: float) -> str:
    if seconds <= 0:
        return ""
    if seconds <= _LONGEST_IN_SECONDS:
        return "\n" + PAGES.catalogue.say(language, "wait.seconds", count=ceil(seconds))
    return "\n" + PAGES.catalogue.say(language, "wait.minutes", count=ceil(seconds / 60))


def _since(moment_ns: int, needed_ns: int) -> float | None:
    return (moment_ns - needed_ns) / 1e6 if moment_ns else None
