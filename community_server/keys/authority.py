"""The estate's own certificate authority (X.509, RFC 5280): TLS for console and doors.

The CA lives as long as the estate; the server's certificate is made anew at every start, with
a key that never touches the disk in the clear.
"""

import ipaddress
import secrets
import socket
import ssl
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from sqlalchemy.orm import Session

from community_server.keys.named_secrets import keep_secret
from community_server.vault.safe import Safe

_SECRET_NAME: Final = "certificate-authority"  # noqa: S105 -- the name of a secret
CA_YEARS: Final = 20
LEAF_DAYS: Final = 397
"""Longest validity that browsers accept from any authority."""
BACKDATED: Final = timedelta(days=1)
"""A browser's clock may run behind."""


@dataclass(frozen=True)
class Authority:
    """The CA: certificate and key in one sealed PEM text."""

    certificate: x509.Certificate
    private: ec.EllipticCurvePrivateKey = field(repr=False)

    @property
    def pem(self) -> bytes:
        """The CA's certificate, as doors pin it and desks install it."""
        return self.certificate.public_bytes(Encoding.PEM)


def open_authority(session: Session, safe: Safe) -> Authority:
    """Return the estate's CA, made at the first start."""
    pem = keep_secret(session, safe, _SECRET_NAME, _make_authority)
    private = load_pem_private_key(pem, None)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise TypeError("the authority's key is not one of ours")
    return Authority(x509.load_pem_x509_certificate(pem), private)


def server_tls(authority: Authority, names: Iterable[str]) -> ssl.SSLContext:
    """Return a TLS 1.3 context with a fresh certificate for these names and addresses."""
    leaf = ec.generate_private_key(ec.SECP256R1())
    moment = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_name("Gatehouse server"))
        .issuer_name(authority.certificate.subject)
        .public_key(leaf.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - BACKDATED)
        .not_valid_after(moment - BACKDATED + timedelta(days=LEAF_DAYS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(_alternatives(names)), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.private.public_key()),
            critical=False,
        )
        .sign(authority.private, SHA256())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols(["http/1.1"])
    # The ssl module reads keys from files only: what is written is encrypted with a password
    # that nothing but this function ever holds.
    password = secrets.token_bytes(32).hex().encode()
    with tempfile.NamedTemporaryFile() as file:
        file.write(certificate.public_bytes(Encoding.PEM) + authority.pem)
        file.write(
            leaf.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(password))
        )
        file.flush()
        context.load_cert_chain(file.name, password=password)
    return context


def own_names(host: str, further: Iterable[str]) -> tuple[str, ...]:
    """Return the names and addresses under which this machine may be called."""
    names = {"localhost", "127.0.0.1", "::1", socket.gethostname(), *further}
    if host not in {"", "0.0.0.0", "::"}:  # noqa: S104 -- compared, not bound
        return tuple(sorted(names | {host}))
    for family, address in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        # Connecting a datagram socket sends nothing; it asks the routing table for the
        # address by which this machine would leave (the targets are for documentation, RFC 5737).
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((address, 9))
            except OSError:
                continue
            names.add(probe.getsockname()[0])
    return tuple(sorted(names))


def _make_authority() -> bytes:
    private = ec.generate_private_key(ec.SECP256R1())
    # The name carries some of the key, so that a browser tells two estates' CAs apart.
    name = _name(f"Gatehouse estate {secrets.token_hex(4)}")
    moment = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - BACKDATED)
        .not_valid_after(moment + timedelta(days=365 * CA_YEARS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=True,
                crl_sign=True,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(private.public_key()), critical=False
        )
        .sign(private, SHA256())
    )
    return certificate.public_bytes(Encoding.PEM) + private.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _alternatives(names: Iterable[str]) -> list[x509.GeneralName]:
    alternatives: list[x509.GeneralName] = []
    for name in names:
        try:
            alternatives.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            alternatives.append(x509.DNSName(name))
    return alternatives
