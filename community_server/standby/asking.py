"""Asking the estate's other server: for the erasure keys, and in which epoch it is."""

import secrets
import time
from typing import Final

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from community_server.errors import LetterRefused
from community_server.standby.letters import (
    MEDIA_TYPE,
    NONCE_SIZE,
    EpochStated,
    KeyRing,
    KeysWanted,
    ask_epoch,
    read,
    read_keys,
    sign,
)
from community_server.standby.notes import StandsBy
from tier_link.channel import pairing_tls
from tier_link.sealing import new_sealing_key, sealing_public_bytes

PATIENCE_S: Final = 5.0
_MOST: Final = 64 * 1024
"""Bytes of an answer: a tenth is enough."""


def fetch_keys(
    note: StandsBy,
    root: Ed25519PrivateKey,
    holds: tuple[int, ...],
    behind_s: int,
    *,
    admit: bool = False,
) -> KeyRing:
    """Return the erasure keys of the server in service.

    Raises:
        LetterRefused: it does not answer (`server-away`), refuses, or is not of this community.
    """
    private = new_sealing_key()
    wanted = KeysWanted(
        node=note.node,
        admit=admit,
        at=int(time.time() * 1000),
        serving_address=note.serving_address,
        address=note.address,
        public=sealing_public_bytes(private),
        holds=holds,
        behind_s=behind_s,
    )
    asked = sign(wanted, root)
    answer = _post(f"{note.serving_address}/api/v1/standby/keys", asked)
    return read_keys(answer, asked, wanted, private, root.public_key())


def fetch_epoch(address: str, root: Ed25519PublicKey) -> EpochStated:
    """Return which epoch the other server is in.

    Raises:
        LetterRefused: it does not answer (`server-away`), or is not of this community.
    """
    nonce = secrets.token_bytes(NONCE_SIZE)
    stated = read(EpochStated, _post(f"{address}/api/v1/standby/epoch", ask_epoch(nonce)), root)
    if stated.nonce != nonce:
        raise LetterRefused("an old answer of the other server's")
    return stated


def _post(url: str, body: bytes) -> bytes:
    """Send a letter. TLS proves nothing here: what comes back is signed by the root."""
    try:
        with (
            httpx.Client(verify=pairing_tls(), timeout=PATIENCE_S, trust_env=False) as http,
            http.stream("POST", url, content=body, headers={"content-type": MEDIA_TYPE}) as answer,
        ):
            data = bytearray()
            for chunk in answer.iter_bytes(_MOST):
                data += chunk
                if len(data) > _MOST:
                    raise LetterRefused("the other server's answer is too long")
            if answer.is_success:
                return bytes(data)
            raise _refusal(answer.status_code, bytes(data))
    except httpx.HTTPError as error:
        raise LetterRefused(
            f"no server answers at {url}: {type(error).__name__}", code="server-away"
        ) from error


def _refusal(status: int, data: bytes) -> LetterRefused:
    """Return why the other server said no; a false one may at most choose among our own words."""
    for code, sentence in _REFUSALS.items():
        if f'"code":"{code}"'.encode() in data:
            return LetterRefused(sentence, code=code)
    return LetterRefused(f"the other server answered {status}", code="server-away")


_REFUSALS: Final = {
    "standby-clock": "the clocks of the two servers differ by more than ten minutes, or this one's "
    "was put back: set them",
    "standby-replaced": "another standby has taken this one's place; `gatehouse server standby` "
    "admits it anew",
    "letter-refused": "the server in service is of another community than this recovery kit",
}
