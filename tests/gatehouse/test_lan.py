import ipaddress
import ssl
import stat
from pathlib import Path

from gatehouse.lan import lan_address, write_certificate


def test_the_address_is_an_ip_address() -> None:
    ipaddress.ip_address(lan_address())


def test_the_certificate_and_its_key_belong_together_and_the_key_is_private(
    tmp_path: Path,
) -> None:
    certificate, key = tmp_path / "lan.pem", tmp_path / "lan.key"
    write_certificate("127.0.0.1", certificate, key)
    ssl.create_default_context(cafile=str(certificate))
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
