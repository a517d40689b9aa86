import asyncio

from tier_kit.security import (
    CONTENT_SECURITY_POLICY,
    Message,
    Receive,
    Scope,
    SecurityHeaders,
    Send,
)


def _headers(own: list[tuple[bytes, bytes]], *, https: bool) -> dict[bytes, bytes]:
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await send({"type": "http.response.start", "status": 200, "headers": own})

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(SecurityHeaders(app, https=https)({"type": "http"}, receive, send))
    return dict(sent[0]["headers"])


def test_every_answer_carries_the_policy_and_is_not_stored() -> None:
    headers = _headers([], https=True)
    assert headers[b"content-security-policy"].decode() == CONTENT_SECURITY_POLICY
    assert headers[b"cache-control"] == b"no-store"
    assert b"strict-transport-security" in headers


def test_an_application_may_let_its_static_files_be_stored() -> None:
    headers = _headers([(b"Cache-Control", b"public, immutable")], https=False)
    assert headers[b"Cache-Control"] == b"public, immutable"
    assert b"cache-control" not in headers
    assert b"strict-transport-security" not in headers


def test_the_policy_lets_no_inline_script_run() -> None:
    assert "unsafe" not in CONTENT_SECURITY_POLICY
