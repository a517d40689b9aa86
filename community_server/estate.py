"""One running server put together: everything it holds, opened in order, closed in order."""

import gc
import logging
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from secrets import token_bytes
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from numpy.typing import NDArray
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from community_server.access.groups import load_groups
from community_server.address_limits import AddressLimits
from community_server.analysis.patterns import PatternBook
from community_server.backups.restoring import refuse_unfinished
from community_server.budget import Budget
from community_server.calls.book import CallBook
from community_server.change import Change, Changer, eraser
from community_server.cloud_connection import CloudConnection
from community_server.cloud_link import CloudRecords
from community_server.database import report_full_disk, text_refused
from community_server.door_links import DoorRecords
from community_server.doors.hub import DoorHub
from community_server.doors.service import Configurer, named_pack
from community_server.doors.watch import DoorWatch
from community_server.entries.live import LiveEntries
from community_server.errors import StartRefused, VaultLocked
from community_server.events.publisher import EventPublisher
from community_server.gallery import Gallery
from community_server.imports.book import ImportBook
from community_server.imports.service import Importer
from community_server.instance_lock import InstanceLock
from community_server.intake.judging import PhotoJudge
from community_server.intake.service import Intake
from community_server.keys.authority import Authority, open_authority
from community_server.keys.named_secrets import keep_secret
from community_server.keys.root import root_key
from community_server.ledger.gate import LedgerGate
from community_server.ledger.recovery import LedgerRecovery
from community_server.ledger.service import defer, find_wait, write_ledger
from community_server.link_cipher import KEY_SIZE, OutboxCipher
from community_server.lockdown.service import LockdownWatch
from community_server.matching import Matcher, SharedEncoder, Space
from community_server.messages.gateways import Channel, Gateway, open_gateways
from community_server.metrics.meters import Meters
from community_server.own_forms.limits import FormLimits
from community_server.people.fading import FadingBook
from community_server.people.sealed_pins import seal_pins_of_0_1
from community_server.receipts.erasures import note_versions
from community_server.renewal import Renewals
from community_server.rosters.book import RosterBook, read_everybody, read_rows
from community_server.rosters.news import Rosters
from community_server.settings import Settings
from community_server.setup.code import SetupCode
from community_server.setup.community import find_community
from community_server.staff.backoff import Backoff
from community_server.staff.rate import RequestRate
from community_server.staff.signing_in import Entrance
from community_server.standby.rivals import Rivals
from community_server.thresholds import ScoreBook, Thresholds
from community_server.vault.erasure_key import open_erasure_keys
from community_server.vault.master_key import choose_source
from community_server.vault.safe import Safe, SafeBroken
from community_server.visits.visiting import Visiting
from community_server.webhooks.addresses import read_networks
from community_server.webhooks.courier import Courier
from community_server.webhooks.sender import Sender
from face_engine import calibration
from face_engine.models import FacePack, load_pack
from face_engine.rotation import random_rotation
from tier_kit.forms.limits import RateLimit
from tier_kit.private_files import write_private
from tier_link.store import (
    LinkStore,
    PairingCodes,
    bring_up_to_date,
    open_database,
    reading,
    refuse_nul,
)

_log = logging.getLogger(__name__)

CA_FILE: Final = "ca.pem"


@dataclass(frozen=True)
class Secrets:
    """The estate's own secrets, opened once at the start."""

    link_key: Ed25519PrivateKey = field(repr=False)
    outbox_key: bytes = field(repr=False)
    card_key: bytes = field(repr=False)
    attempts_key: bytes = field(repr=False)
    matrix: NDArray[np.float32] = field(repr=False)
    authority: Authority = field(repr=False)


@dataclass(frozen=True)
class Estate:
    """Everything a request, a link or the sweeper may need."""

    settings: Settings
    engine: Engine
    safe: Safe
    secrets: Secrets = field(repr=False)
    links: LinkStore
    cipher: OutboxCipher
    codes: PairingCodes
    pack: FacePack
    book: RosterBook
    gallery: Gallery
    former: Space | None
    rosters: Rosters
    thresholds: Thresholds
    fading: FadingBook
    patterns: PatternBook
    changer: Changer
    intake: Intake
    configurer: Configurer
    watch: DoorWatch
    live: LiveEntries
    calls: CallBook
    doors: DoorHub
    cloud: CloudConnection
    entrance: Entrance
    programs: RequestRate
    publisher: EventPublisher
    courier: Courier
    importer: Importer
    imports: ImportBook
    form_limits: FormLimits
    addresses: AddressLimits
    gateways: Mapping[Channel, Gateway]
    visiting: Visiting
    setup_code: SetupCode
    gate: LedgerGate
    recovery: LedgerRecovery
    rivals: Rivals
    lock: InstanceLock

    @property
    def backoff(self) -> Backoff:
        """What slows down who guesses."""
        return self.entrance.backoff

    @property
    def meters(self) -> Meters:
        """What is counted as it happens."""
        return self.intake.meters

    def reading(self) -> Session:
        """Open a session for reads alone; use it in a `with` block."""
        return Session(reading(self.engine))

    def name_of(self, person: str) -> str:
        """Return a person's name from memory, empty for nobody and for people forgotten."""
        row = self.book.find(person)
        return row.name if row else ""

    def close(self) -> None:
        """Let go of the database and the data folder."""
        self.engine.dispose()
        self.lock.release()


def open_estate(settings: Settings) -> Estate:
    """Open everything one server needs; nothing listens yet.

    Raises:
        StartRefused: another server runs here, the vault is locked, the settings do not fit.
        face_engine.errors.FaceEngineError: a model is missing or damaged.
        tier_link.errors.DatabaseAddressRefused: not a database we run on.
    """
    lock = InstanceLock(settings.data)
    try:
        refuse_unfinished(settings.data)
        return _open(settings, lock)
    except BaseException:
        lock.release()
        raise


def _open(settings: Settings, lock: InstanceLock) -> Estate:
    vault = settings.data / "vault"
    safe = Safe(open_erasure_keys(vault / "erasure.key", choose_source(settings.master_key, vault)))
    engine = open_database(settings.database_url)
    report_full_disk(engine)
    refuse_nul(engine, text_refused)
    try:
        return _open_with(settings, lock, safe, engine)
    except BaseException:
        engine.dispose()
        raise


def _open_with(settings: Settings, lock: InstanceLock, safe: Safe, engine: Engine) -> Estate:
    lock.take_database(engine)
    bring_up_to_date(engine, "community")
    pack = load_pack(
        settings.model_pack,
        settings.models,
        threads=settings.encoder_threads,
        runtime=settings.model_runtime,
    )
    secrets = _open_secrets(engine, safe, pack)
    write_public(settings, secrets.authority)
    cipher, links = _open_links(engine, safe, secrets)
    codes = PairingCodes(engine)
    book, gallery = RosterBook(), Gallery(pack.encoder.dimension)
    former = _open_former(settings, engine, safe, pack, gallery)
    former_name = former.name if former else ""
    rosters = Rosters(engine, safe, links, book, pack.template_space, former_name)
    fading = FadingBook(pack.template_space)
    thresholds = Thresholds(
        Budget(settings, calibration.load(pack.template_space, settings.models)),
        gallery,
        ScoreBook(pack.template_space),
        former.gallery if former else None,
    )
    live, calls, gate = LiveEntries(), CallBook(), LedgerGate(waiting=_waits(engine))

    def refresh(people: Collection[str]) -> None:
        with Session(reading(engine)) as session:
            changes = read_rows(session, safe, people, pack.template_space, former_name)
            book.update(changes, load_groups(session))
        gallery.update(changes)
        if former:
            former.gallery.update(changes)

    def wake(peer: str) -> None:
        doors.wake(peer)
        cloud.wake(peer)

    changer = Changer(
        engine,
        safe,
        lambda change: _tell_doors(change, rosters, configurer, gate),
        refresh,
        wake,
        eraser(engine),
    )
    space = Space(pack, SharedEncoder(pack.encoder), secrets.matrix, gallery, thresholds)
    judge = PhotoJudge(space, former)
    intake = Intake(links, judge, settings)
    watch = DoorWatch(rosters, links, changer, gate)
    configurer = Configurer(
        links,
        rosters,
        thresholds,
        secrets.matrix,
        pack.template_space,
        settings.time_zone,
        settings.unsupported_budget == "demand",
        former_name,
        model_pack=named_pack(settings.model_pack),
        card_key=secrets.card_key,
        resident_lease_days=settings.resident_lease_days,
    )
    renewals = Renewals(engine, changer, space, former)
    rivals = Rivals(engine, links, settings.data, lambda: _root(engine, safe))
    records = DoorRecords(
        engine,
        changer,
        rosters,
        Matcher(space, former, book, fading, renewals.may_ask),
        renewals,
        watch,
        LockdownWatch(changer, links),
        live,
        thresholds.scores,
        fading,
        calls,
        lambda person: _name(book, person),
        ZoneInfo(settings.time_zone),
        gate,
        rivals,
        intake.meters,
    )
    doors = DoorHub(
        engine, links, codes, changer, configurer, records, secrets.link_key, secrets.authority
    )
    gateways = open_gateways(settings)
    visiting = Visiting(links, settings, frozenset(gateways))
    cloud = CloudConnection(
        engine,
        links,
        changer,
        CloudRecords(changer, intake, visiting, gate, rivals),
        secrets.link_key,
        settings,
    )
    estate = Estate(
        settings=settings,
        engine=engine,
        safe=safe,
        secrets=secrets,
        links=links,
        cipher=cipher,
        codes=codes,
        pack=pack,
        book=book,
        gallery=gallery,
        former=former,
        rosters=rosters,
        thresholds=thresholds,
        fading=fading,
        patterns=PatternBook(),
        changer=changer,
        intake=intake,
        configurer=configurer,
        watch=watch,
        live=live,
        calls=calls,
        doors=doors,
        cloud=cloud,
        entrance=_open_entrance(settings, changer, secrets),
        programs=RequestRate(),
        publisher=EventPublisher(settings),
        courier=Courier(
            engine,
            changer,
            safe,
            Sender(read_networks(settings.webhook_networks), settings.webhook_ca),
        ),
        importer=Importer(safe, links, ZoneInfo(settings.time_zone)),
        imports=ImportBook(),
        form_limits=FormLimits(),
        addresses=AddressLimits(RateLimit(settings.requests_per_minute)),
        gateways=gateways,
        visiting=visiting,
        setup_code=SetupCode(settings.data),
        gate=gate,
        recovery=LedgerRecovery(
            engine,
            changer,
            links,
            gate,
            configurer,
            settings.unsealed_uploads,
            door_link=doors.link,
            cloud_link=lambda: cloud.link,
            drop_door=doors.drop,
        ),
        rivals=rivals,
        lock=lock,
    )
    with estate.reading() as session, _nothing_collected():
        everybody = read_everybody(session, safe, pack.template_space, former_name)
        book.update(everybody, load_groups(session))
        gallery.update(everybody)
        if former:
            former.gallery.update(everybody)
            former.thresholds.scores.load(session)
        is_set_up = find_community(session) is not None
        thresholds.scores.load(session)
    if not is_set_up:
        estate.setup_code.ensure()
    _log.info("people=%d faces=%d space=%s", len(everybody), len(gallery), pack.template_space)
    return estate


def _open_entrance(settings: Settings, changer: Changer, secrets: Secrets) -> Entrance:
    return Entrance(
        lambda: Session(reading(changer.engine)),
        changer,
        Backoff(changer.engine, secrets.attempts_key),
        frozenset(settings.second_factor_roles),
    )


def _tell_doors(change: Change, rosters: Rosters, configurer: Configurer, gate: LedgerGate) -> None:
    if not gate.is_open:
        # Doors go on with what they hold, and are told everything once the ledger is here.
        defer(change)
        note_versions(change)
        return
    # Hours before people: a door lets nobody in by a group of which it knows no hours.
    configurer.tell_doors(change)
    rosters.tell_doors(change)
    note_versions(change)
    write_ledger(change, rosters.links)


def _waits(engine: Engine) -> bool:
    with Session(engine) as session:
        wait = find_wait(session)
        return wait is not None and wait.state == "waiting"


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Pause the garbage collector while much is built that is there to stay.

    Walking it again and again takes a third of a large estate's start.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def write_public(settings: Settings, authority: Authority) -> None:
    """Put the CA's certificate where people and programs on this machine find it."""
    file = settings.data / CA_FILE
    if not file.exists() or file.read_bytes() != authority.pem:
        write_private(file, authority.pem)
        file.chmod(0o644)


def _open_secrets(engine: Engine, safe: Safe, pack: FacePack) -> Secrets:
    try:
        with Session(engine) as session, session.begin():
            link_key = keep_secret(
                session,
                safe,
                "link-key",
                lambda: Ed25519PrivateKey.generate().private_bytes_raw(),
            )
            seal_pins_of_0_1(session, safe)
            return Secrets(
                link_key=Ed25519PrivateKey.from_private_bytes(link_key),
                outbox_key=keep_secret(session, safe, "outbox-key", _random_key),
                card_key=keep_secret(session, safe, "card-key", _random_key),
                attempts_key=keep_secret(session, safe, "attempts-key", _random_key),
                matrix=_keep_matrix(session, safe, pack),
                authority=open_authority(session, safe),
            )
    except SafeBroken as error:
        raise VaultLocked(
            "this vault does not belong to this database: one of the two was replaced"
        ) from error


def _open_links(engine: Engine, safe: Safe, secrets: Secrets) -> tuple[OutboxCipher, LinkStore]:
    cipher = OutboxCipher(secrets.outbox_key)
    with Session(engine) as session, session.begin():
        cipher.read_keys(session, safe)
    return cipher, LinkStore(engine, keep_acknowledged=timedelta(0), cipher=cipher)


def _keep_matrix(session: Session, safe: Safe, pack: FacePack) -> NDArray[np.float32]:
    dimension = pack.encoder.dimension
    matrix = keep_secret(
        session,
        safe,
        f"matrix/{pack.template_space}"[:64],
        lambda: random_rotation(dimension).astype("<f4").tobytes(),
    )
    return np.frombuffer(matrix, "<f4").reshape(dimension, dimension).copy()


def _open_former(
    settings: Settings, engine: Engine, safe: Safe, pack: FacePack, beside: Gallery
) -> Space | None:
    """Open the space that faces were encoded into before, if one is named.

    Raises:
        StartRefused: it is the present one.
        face_engine.errors.FaceEngineError: a model or its calibration is missing or damaged.
    """
    if not settings.former_pack:
        return None
    former = load_pack(
        settings.former_pack,
        settings.models,
        threads=settings.encoder_threads,
        runtime=settings.model_runtime,
    )
    if former.template_space == pack.template_space:
        raise StartRefused("former_pack and model_pack are one and the same", code="pack-twice")
    with Session(engine) as session, session.begin():
        matrix = _keep_matrix(session, safe, former)
    gallery = Gallery(former.encoder.dimension, lambda row: row.former)
    budget = Budget(settings, calibration.load(former.template_space, settings.models))
    thresholds = Thresholds(budget, gallery, ScoreBook(former.template_space), beside)
    return Space(former, SharedEncoder(former.encoder), matrix, gallery, thresholds)


def _root(engine: Engine, safe: Safe) -> Ed25519PublicKey | None:
    """Return the community's root, None before set-up has drawn it."""
    with Session(reading(engine)) as session:
        if find_community(session) is None:
            return None
        return root_key(session, safe).public_key()


def _random_key() -> bytes:
    return token_bytes(KEY_SIZE)


def _name(book: RosterBook, person: str) -> str:
    row = book.find(person)
    return row.name if row else ""
