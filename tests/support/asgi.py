"""One request to an application in the test's own process."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx


def get(app: Callable[..., Any], path: str, *, token: str = "") -> httpx.Response:
    """Ask for a page, with a bearer's token if one is given; what the application raises is 500."""

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        headers = {"authorization": f"Bearer {token}"} if token else {}
        async with httpx.AsyncClient(transport=transport, base_url="https://own.example") as client:
            return await client.get(path, headers=headers)

    return asyncio.run(send())
