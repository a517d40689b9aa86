"""The answers of the forms' interface (`docs/api-cloud.md`), the same whoever serves it."""

from typing import Literal

from pydantic import BaseModel

Kind = Literal["resident", "visitor", "home", "poster"]
State = Literal["waiting", "collected"]


class CertificateView(BaseModel):
    """A certificate's JSON and the root's signature, both base64url without padding."""

    certificate: str
    signature: str


class ConsentView(BaseModel):
    """One consent in one language; the SHA-256 over `text` in UTF-8 goes into the enrollment."""

    id: str
    version: str
    language: str
    required: bool
    title: str
    text: str


class CommunityView(BaseModel):
    """What a community has published. `root_public` is base64url of 32 bytes (Ed25519)."""

    community: str
    name: str
    root_public: str
    certificates: list[CertificateView]
    consents: list[ConsentView]
    unsealed_uploads: bool
    languages: list[str]


class InvitationView(BaseModel):
    """An invitation that may be used; `expires_at` in Unix seconds."""

    state: Literal["open"] = "open"
    kind: Kind
    expires_at: int


class Taken(BaseModel):
    """The envelope is stored; `expires_at` (Unix seconds) is when it is forgotten."""

    envelope: str
    state: State
    expires_at: int


class ReplyView(BaseModel):
    """One sealed reply, base64url."""

    number: int
    sealed: str


class EnvelopeView(BaseModel):
    """All that whoever serves the form says; what "enrolled" means is in the sealed replies."""

    state: State
    replies: list[ReplyView]
