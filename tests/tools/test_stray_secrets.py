"""A secret that strays into a file is found, whatever form it has, and never shown whole."""

import secrets
import string
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from community_server.keys.root import make_recovery_kit
from community_server.staff.tokens import PREFIX
from community_server.webhooks.sender import SECRET_PREFIX
from tier_link.base64url import encode_base64url
from tier_link.invitations import invitation_link, new_invitation
from tier_link.pairing import new_code
from tier_link.passes import pass_fragment, phone_secret
from tools.stray_secrets import FORMS, SHOWN, Allowed, finds_in, read_allowed, stray_secrets

LETTERS = string.ascii_letters + string.digits


def drawn(length: int, letters: str = LETTERS) -> str:
    return "".join(secrets.choice(letters) for _ in range(length))


def pem(form: PrivateFormat) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


def pass_link() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return f"https://estate/pass#{pass_fragment(phone_secret(key, bytes(32), '02' * 8))}"


def jwt() -> str:
    head, body = (encode_base64url(part) for part in (b'{"alg":"HS256"}', b'{"sub":"somebody"}'))
    return f"{head}.{body}.{drawn(43)}"


UPPER = string.ascii_uppercase + string.digits
MADE: dict[str, Callable[[], str]] = {
    "private key": lambda: pem(PrivateFormat.PKCS8),
    "private key of PuTTY": lambda: f"PuTTY-User-Key-File-{3}: ssh-ed25519",
    "private key of age": lambda: "AGE-SECRET-KEY-1" + drawn(58, UPPER),
    "access key of AWS": lambda: "AKIA" + drawn(16, UPPER),
    "access key of Alibaba Cloud": lambda: "LTAI" + drawn(20),
    "access key of Tencent Cloud": lambda: "AKID" + drawn(32),
    "key of Google": lambda: "AIza" + drawn(35),
    "token of GitHub": lambda: "ghp_" + drawn(36),
    "token of GitLab": lambda: "glpat-" + drawn(20),
    "token of Slack": lambda: "xoxb-" + drawn(24),
    "token of a package registry": lambda: "npm_" + drawn(36),
    "key of Stripe": lambda: "sk_live_" + drawn(24),
    "signed token (JWT)": jwt,
    "address with a password": lambda: f"postgresql+psycopg://gate:{drawn(12)}@db.example/court",
    "secret of a second factor": lambda: (
        "otpauth://totp/Court:ada?secret=" + drawn(32, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    ),
    "link that lets somebody in": lambda: invitation_link(
        "https://cloud", "court", "resident", new_invitation(secrets.token_bytes(32))
    ),
    "link that shows a pass": pass_link,
    "pairing or set-up code": lambda: "K7QM-4T2X-" + new_code()[10:],
    "token of a program": lambda: PREFIX + secrets.token_urlsafe(32),
    "secret of a webhook": lambda: SECRET_PREFIX + drawn(32),
    "recovery secret": lambda: make_recovery_kit(Ed25519PrivateKey.generate(), "Court", 0).secret,
}


def test_every_form_has_a_sample_here() -> None:
    assert MADE.keys() == FORMS.keys()


@pytest.mark.parametrize("what", FORMS)
def test_what_has_a_form_is_found_and_only_its_beginning_is_told(what: str) -> None:
    secret = MADE[what]()
    found = [
        one for one in finds_in("notes.md", f"first line\nkept: {secret}\n") if one.what == what
    ]
    assert [one.line for one in found] == [2]
    assert secret not in str(found[0])
    assert len(found[0].begins) <= SHOWN


@pytest.mark.parametrize("form", [PrivateFormat.TraditionalOpenSSL, PrivateFormat.OpenSSH])
def test_private_keys_are_found_in_each_way_of_writing_them(form: PrivateFormat) -> None:
    assert [one.what for one in finds_in("key", pem(form))] == ["private key"]


@pytest.mark.parametrize(
    "text",
    [
        'password = "{}"',
        "api_key: '{}'",
        '"client_secret": "{}"',
        'SECRET_TOKEN: Final = "{}"',
        "webhook_secret=b'{}'",
    ],
)
def test_a_text_drawn_at_random_that_is_given_to_such_a_name_is_found(text: str) -> None:
    # Of letters that are all different, so that chance makes no test fail.
    drawn_once = "".join(secrets.SystemRandom().sample(LETTERS, 24))
    assert [one.what for one in finds_in("a.py", text.format(drawn_once))] == [
        "text drawn at random"
    ]


@pytest.mark.parametrize(
    "text",
    [
        'password = "correct-horse-battery-staple"',
        'password = "short"',
        'secret_name = "enrollment-cloud-signing"',
        'sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"',
        "postgresql+psycopg://user@host/name and https://example.com:8443/path",
        "0000-0000-0000-0000 and 2026-1127-0830-0000",
        "-----BEGIN PUBLIC KEY-----",
        "https://cloud/c/court/enroll#short",
    ],
)
def test_what_opens_nothing_is_left_alone(text: str) -> None:
    assert list(finds_in("a.py", text)) == []


def test_a_line_of_the_list_lets_one_place_pass_and_has_to_be_needed() -> None:
    secret = MADE["access key of AWS"]()
    text = f"key = {secret}"
    allowed = [Allowed("a.md", secret[:SHOWN], "of a document")]
    assert list(stray_secrets([("a.md", text)], allowed)) == []
    assert list(stray_secrets([("a.md", text), ("b.md", text)], allowed)) != []
    (stale,) = stray_secrets([("a.md", "nothing")], allowed)
    assert "nothing begins so" in stale


def test_the_list_says_why() -> None:
    assert read_allowed("# a comment\n\na.md | AKIA | of a document\n") == [
        Allowed("a.md", "AKIA", "of a document")
    ]
    for line in ("a.md | AKIA", "a.md | AKIA | "):
        with pytest.raises(ValueError, match=r"not enough|no reason"):
            read_allowed(line)
