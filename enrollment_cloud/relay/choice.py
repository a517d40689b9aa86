"""Opens the relay that the settings name."""

import ssl

from sqlalchemy import Engine

from enrollment_cloud.limits import ENVELOPE_LIFETIME
from enrollment_cloud.relay import Relay
from enrollment_cloud.relay.database import DatabaseRelay
from enrollment_cloud.settings import EMBEDDED, Settings
from tier_kit.settings import ConfigurationRefused

_MIB = 1 << 20


def open_relay(settings: Settings, engine: Engine) -> Relay:
    """Return the relay, already looking for its brokers if it has some.

    Raises:
        ConfigurationRefused: the client for NATS is not installed, or a file of the settings
            cannot be used.
    """
    if settings.relay == EMBEDDED:
        return DatabaseRelay(engine)
    try:
        # Only a cloud with brokers installs the client for them.
        from enrollment_cloud.relay.broker import Broker  # noqa: PLC0415
        from enrollment_cloud.relay.jetstream import JetStreamRelay  # noqa: PLC0415
        from enrollment_cloud.relay.stream import BrokerAccess  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ConfigurationRefused(
            "the setting 'cloud.relay' names brokers, but gatehouse-access[nats] is not installed"
        ) from error
    password = settings.relay_password
    access = BrokerAccess(
        servers=settings.relay_servers,
        replicas=settings.relay_replicas,
        memory=settings.relay_memory_mib * _MIB,
        lifetime=ENVELOPE_LIFETIME,
        user=settings.relay_user,
        password=None if password is None else password.get_secret_value(),
        tls=_tls(settings),
    )
    return JetStreamRelay(engine, Broker(access), access.memory)


def _tls(settings: Settings) -> ssl.SSLContext | None:
    """Return what checks the brokers and shows who we are; None where no TLS is spoken."""
    if not any(server.startswith("tls:") for server in settings.relay_servers):
        return None
    try:
        context = ssl.create_default_context(cafile=settings.relay_ca)
        if settings.relay_certificate is not None:
            context.load_cert_chain(settings.relay_certificate, settings.relay_key)
    except (OSError, ValueError) as error:
        raise ConfigurationRefused(
            "a file of 'cloud.relay_ca', 'cloud.relay_certificate' or 'cloud.relay_key' cannot be"
            f" used: {type(error).__name__}"
        ) from error
    return context
