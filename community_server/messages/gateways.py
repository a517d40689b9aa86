"""The two ways out of the estate: its own SMTP server, and one HTTP gateway for text messages."""

import hashlib
import hmac
import smtplib
import ssl
import time
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Final, Literal, Protocol

import httpx
import msgspec

from community_server.settings import Settings

TIMEOUT_S: Final = 15.0
SIGNATURE_HEADER: Final = "x-gatehouse-signature"
TIME_HEADER: Final = "x-gatehouse-time"
_TRY_AGAIN: Final = frozenset({408, 425, 429})
_PERMANENT: Final = 500
"""SMTP replies from here on are final (RFC 5321, 4.2.1); of HTTP, answers from here on are not."""

Channel = Literal["mail", "sms"]


class Letter(msgspec.Struct, frozen=True):
    """One message as it is sent; silent when printed."""

    id: str
    to: str
    subject: str
    text: str

    def __repr__(self) -> str:
        return "Letter(…)"


class NotSent(Exception):
    """A message was not taken; `final` says that trying again is of no use."""

    def __init__(self, code: str, *, final: bool) -> None:
        """Take the code of what went wrong."""
        super().__init__(code)
        self.code = code
        self.final = final


class Gateway(Protocol):
    """Takes messages."""

    def send(self, letter: Letter) -> None:
        """Hand a message over.

        Raises:
            NotSent: it was not taken.
        """


@dataclass(frozen=True)
class MailGateway:
    """An SMTP server; TLS is checked against the system's authorities, or the one named."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    ca: Path | None
    user: str
    password: str = field(repr=False)
    sender: str

    def send(self, letter: Letter) -> None:
        """Hand a mail over; the message's id is its own, so that a second one is seen as such."""
        try:
            mail = self._compose(letter)
            with self._connect() as server:
                if self.user:
                    server.login(self.user, self.password)
                server.send_message(mail)
        except smtplib.SMTPAuthenticationError as error:
            raise NotSent("mail-login-refused", final=False) from error
        except smtplib.SMTPRecipientsRefused as error:
            code = max(answer for answer, _ in error.recipients.values())
            raise NotSent("address-refused", final=code >= _PERMANENT) from error
        except smtplib.SMTPResponseException as error:
            raise NotSent("mail-refused", final=error.smtp_code >= _PERMANENT) from error
        except ssl.SSLError as error:
            raise NotSent("gateway-untrusted", final=False) from error
        except (OSError, smtplib.SMTPException) as error:
            raise NotSent("gateway-away", final=False) from error
        except (UnicodeError, ValueError) as error:
            raise NotSent("address-refused", final=True) from error

    def _compose(self, letter: Letter) -> EmailMessage:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = self.sender, letter.to, letter.subject
        mail["Message-ID"] = f"<{letter.id}@{self.sender.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(letter.text)
        return mail

    def _connect(self) -> smtplib.SMTP:
        if self.security == "none":
            return smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_S)
        context = _trusting(self.ca)
        if self.security == "tls":
            return smtplib.SMTP_SSL(self.host, self.port, timeout=TIMEOUT_S, context=context)
        server = smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_S)
        try:
            server.starttls(context=context)
        except BaseException:
            server.close()
            raise
        return server


@dataclass(frozen=True)
class HttpGateway:
    """A gateway that takes `{"id", "to", "text"}` as JSON, signed, and answers 2xx.

    The signature is HMAC-SHA-256 in hex, under the shared secret, of the time (Unix seconds), a
    point, and the body.
    """

    url: str
    secret: bytes = field(repr=False)
    ca: Path | None

    def send(self, letter: Letter) -> None:
        """Hand a text message over; the same id may come twice, and means the same message."""
        message = {"id": letter.id, "to": letter.to, "text": letter.text}
        body, moment = msgspec.json.encode(message), str(int(time.time()))
        headers = {
            "content-type": "application/json",
            TIME_HEADER: moment,
            SIGNATURE_HEADER: sign(self.secret, moment, body),
        }
        try:
            with httpx.Client(
                timeout=TIMEOUT_S, trust_env=False, verify=_trusting(self.ca)
            ) as client:
                answer = client.post(self.url, content=body, headers=headers)
        except httpx.HTTPError as error:
            raise NotSent("gateway-away", final=False) from error
        if not answer.is_success:
            passing = answer.status_code in _TRY_AGAIN or answer.status_code >= _PERMANENT
            raise NotSent("gateway-refused", final=not passing)


def sign(secret: bytes, moment: str, body: bytes) -> str:
    """Return the signature of a request to the gateway."""
    return hmac.new(secret, moment.encode() + b"." + body, hashlib.sha256).hexdigest()


def open_gateways(settings: Settings) -> dict[Channel, Gateway]:
    """Return the gateways that the estate has."""
    gateways: dict[Channel, Gateway] = {}
    if settings.mail_host:
        gateways["mail"] = MailGateway(
            settings.mail_host,
            settings.mail_port,
            settings.mail_security,
            settings.mail_ca,
            settings.mail_user,
            settings.mail_password,
            settings.mail_from,
        )
    if settings.sms_url:
        secret = settings.sms_secret.encode()
        gateways["sms"] = HttpGateway(settings.sms_url, secret, settings.sms_ca)
    return gateways


def _trusting(authority: Path | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority) if authority else None)
