"""What has to happen by itself: time runs out for people, keys and codes; traces are wiped."""

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Final

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from community_server.alarms.watch import EstateWatch, Surroundings
from community_server.audit.heads import head_is_due, sign_end
from community_server.change import CLOUD
from community_server.cloud_news import publish_audit_head, publish_profile
from community_server.consents.rounds import due_to_stop, end_round, stop_face
from community_server.database import now
from community_server.doors.tables import RosterMember
from community_server.erasure import remove_person
from community_server.estate import Estate
from community_server.households.leaving import end_residence
from community_server.households.queries import moved_out
from community_server.households.tables import Residence
from community_server.intake.held_back import HeldBack
from community_server.keys.certified import renew_keys
from community_server.own_forms.service import forget_replies
from community_server.passes.queries import forget_passes
from community_server.people.queries import overdue_people
from community_server.people.tables import Person
from community_server.receipts.settling import Hearing, forget_erasures, settle
from community_server.retention.running import Retention
from community_server.services.inside import list_inside
from community_server.services.queries import workers_to_forget
from community_server.services.stays import forget_strays
from community_server.setup.community import find_community
from community_server.standby.queries import holds
from community_server.visits.answers import tell_homes
from community_server.visits.by_desk import adopt_visitors, has_visitors_alone
from community_server.visits.sweeping import forget_overdue

_log = logging.getLogger(__name__)

SWEEP_EVERY: Final = 15.0
"""Seconds between two sweeps: a visit ends on the door's own clock, this only tidies up."""
RENEWAL_EVERY: Final = 20 * 3600
"""Seconds after which the erasure key is renewed: within a day of any erasure."""
STANDBY_PATIENCE: Final = 2 * 3600
"""Seconds for which that waits for a standby: a day's promise is kept with or without it."""


@dataclass(frozen=True)
class Sweeper:
    """Sweeps one estate."""

    estate: Estate
    watch: EstateWatch
    retention: Retention

    @classmethod
    def of(cls, estate: Estate) -> "Sweeper":
        """Return the sweeper of an estate whose doors are all taken for seen just now."""
        return cls(estate, EstateWatch(Surroundings.of(estate)), Retention(estate))

    async def run(self) -> None:
        """Sweep for ever; what fails is logged and tried again."""
        while True:
            try:
                await asyncio.to_thread(self.sweep)
            except Exception:  # noqa: BLE001 -- logged, and tried again
                _log.exception("sweep=failed action=retry")
            await asyncio.sleep(SWEEP_EVERY)

    def sweep(self) -> None:
        """Do whatever is due now."""
        estate, moment = self.estate, now()
        with Session(estate.engine) as session:
            is_set_up = find_community(session) is not None
        if is_set_up and estate.gate.is_open:
            self._renew_keys(moment)
            self._adopt_visitors()
            self._forget_visitors(moment)
            self._forget_workers(moment)
            self._forget_visits(moment)
            self._move_out(moment)
            self._retire_overdue(moment)
            self._count_scores()
            self._forget_passes(moment)
            self._end_consent_round(moment)
            self._take_up_held()
            self._settle_erasures(moment)
            self._configure_doors()
            self._sign_audit(moment)
            self._watch()
            self._forget_replies(moment)
            self._keep_schedule(moment)
        elif is_set_up:  # put back, and waiting for the ledger: see `ledger.recovery`
            self._sign_audit(moment)
            self._watch()
        self._renew_erasure_key()
        estate.codes.prune()
        estate.links.prune(moment)
        estate.changer.traces.sweep()

    def _renew_keys(self, moment: int) -> None:
        estate = self.estate
        with estate.changer.change() as change:
            community = find_community(change.session)
            if community is None:
                return
            changed = renew_keys(change.session, estate.safe, community.slug, moment)
            if changed and community.cloud_key is not None:
                uploads = estate.settings.unsealed_uploads
                publish_profile(change, estate.links, unsealed_uploads=uploads)

    def _adopt_visitors(self) -> None:
        """Give the visitors a visit of whom an older server kept none."""
        estate = self.estate
        with estate.reading() as session:
            alone = has_visitors_alone(session)
        if alone:
            with estate.changer.change() as change:
                adopted = adopt_visitors(change)
            _log.info("visitors=adopted count=%d", adopted)

    def _forget_visitors(self, moment: int) -> None:
        """Remove visitors whose time is over, one transaction each."""
        estate = self.estate
        with estate.reading() as session:
            overdue = [
                row.id for row in overdue_people(session, moment) if row.category == "visitor"
            ]
        for person in overdue:
            with estate.changer.change() as change:
                remove_person(change, estate.links, person)
            _log.info("person=%s forgotten=yes reason=window-over", person)

    def _forget_workers(self, moment: int) -> None:
        """Remove service workers whose company's retention is over, one transaction each.

        Not while they are inside: who that is, is not forgotten before they have left.
        """
        estate = self.estate
        with estate.reading() as session:
            due, inside = workers_to_forget(session, moment), list_inside(session, moment)
        people = sorted(set(due) - {one.person for one in inside})
        for person in people:
            with estate.changer.change() as change:
                remove_person(change, estate.links, person)
            _log.info("person=%s forgotten=yes reason=retention-over", person)
        if people:
            with estate.changer.change() as change:
                forget_strays(change.session)

    def _forget_visits(self, moment: int) -> None:
        """End visits that nobody decided on, or whose time is over with no visitor left."""
        with self.estate.changer.change() as change:
            forget_overdue(change, self.estate.visiting, moment)

    def _move_out(self, moment: int) -> None:
        """Erase whoever moves out now, or keep them without a home, one transaction each."""
        estate = self.estate
        with estate.reading() as session:
            people = [row.person_id for row in moved_out(session, moment)]
        for person in people:
            with estate.changer.change() as change:
                residence = change.session.get(Residence, person)
                if residence is not None:
                    end_residence(change, estate.links, residence)
            _log.info("person=%s moved-out=yes", person)

    def _retire_overdue(self, moment: int) -> None:
        """Take others whose time is over off the doors."""
        with self.estate.changer.change() as change:
            held = exists().where(RosterMember.person_id == Person.id)
            overdue = select(Person.id).where(
                Person.valid_until != 0, Person.valid_until <= moment, held
            )
            for person in change.session.scalars(overdue).all():
                change.touch(person)

    def _forget_passes(self, moment: int) -> None:
        """Delete passes whose time is over, and take them off their people's rows."""
        with self.estate.changer.change() as change:
            for person in forget_passes(change.session, moment):
                change.touch(person)

    def _end_consent_round(self, moment: int) -> None:
        """Erase the faces of those who were asked to agree anew and did not, one by one."""
        estate = self.estate
        with estate.reading() as session:
            people = due_to_stop(session, moment)
        if people is None:
            return
        for person in people:
            with estate.changer.change() as change:
                stop_face(change, estate.visiting, person)
            _log.info("person=%s face=erased reason=consent-round", person)
        with estate.changer.change() as change:
            end_round(change)

    def _take_up_held(self) -> None:
        """Look at photos that were held while faces were off; keys and doors wait for nothing."""
        try:
            HeldBack(self.estate.changer, self.estate.intake).take_up()
        except Exception:  # noqa: BLE001 -- logged, and tried again
            _log.exception("held=not-taken-up action=retry")

    def _settle_erasures(self, moment: int) -> None:
        """Sign for the erasures that every door has confirmed, or was given up for."""
        estate = self.estate
        hearing = Hearing(
            estate.watch.find,
            estate.configurer.leases,
            estate.links,
            estate.settings.backup_days,
            lambda change, people: tell_homes(change, estate.visiting, people),
        )
        with estate.changer.change() as change:
            settle(change, hearing)
            forget_erasures(change, moment)

    def _count_scores(self) -> None:
        """Compare the people with one another when many have changed; keep what was counted."""
        try:
            self._save_scores()
        except Exception:  # noqa: BLE001 -- logged, and tried again; a count holds nothing else up
            _log.exception("scores=unsaved action=retry")

    def _save_scores(self) -> None:
        estate = self.estate
        estate.thresholds.measure_people(estate.book)
        with Session(estate.engine) as session, session.begin():
            estate.thresholds.scores.save(session)
            if estate.former:
                estate.former.thresholds.scores.save(session)
            estate.fading.save(session, estate.safe)

    def _watch(self) -> None:
        """Raise and end the alarms that this server itself notices; on a full disk it cannot."""
        try:
            with self.estate.changer.change() as change:
                self.watch.look(change)
        except Exception:  # noqa: BLE001 -- logged, and tried again; keys and visits go before
            _log.exception("alarms=not-looked-at action=retry")

    def _forget_replies(self, moment: int) -> None:
        with Session(self.estate.engine) as session, session.begin():
            forget_replies(session, moment)

    def _keep_schedule(self, moment: int) -> None:
        """Forget what the schedule says; the doors' news and the keys do not wait for it."""
        try:
            self.retention.sweep(moment)
        except Exception:  # noqa: BLE001 -- logged, and tried again
            _log.exception("retention=not-kept action=retry")

    def _configure_doors(self) -> None:
        with self.estate.changer.change() as change:
            self.estate.configurer.send_due(change)

    def _sign_audit(self, moment: int) -> None:
        """Sign the end of the audit log's chain, hourly while rows come; the cloud gets a copy."""
        with self.estate.reading() as session:
            due = head_is_due(session, moment)
        if due:
            with self.estate.changer.change() as change:
                sign_end(change.session, change.safe, moment)
                publish_audit_head(change, self.estate.links)

    def _renew_erasure_key(self) -> None:
        """Renew the erasure key daily; the older one goes a sweep after the last key left it.

        A standby has the new one first, or could not read what is wrapped by it. The key of what
        waits for doors is renewed before: it is then wrapped by no erasure key that stays.
        """
        safe = self.estate.safe
        if safe.renewing:
            with Session(self.estate.engine) as session, session.begin():
                left = safe.rewrap(session)
                if not left:
                    safe.finish_renewal(session)
        elif safe.drawn or time.time() - safe.renewed_at > RENEWAL_EVERY:
            generation = safe.draw_next()
            with self.estate.reading() as session:
                held = holds(session, generation)
            if not held and time.time() - safe.renewed_at < STANDBY_PATIENCE:
                return
            if not held:
                _log.error("standby=behind generation=%d action=renewed-without-it", generation)
            self._renew_outbox_key()
            safe.begin_renewal()
            with Session(self.estate.engine) as session, session.begin():
                safe.rewrap(session)

    def _renew_outbox_key(self) -> None:
        """Renew the key of what waits for doors, and put everything under it.

        The next one is in use before: whoever still writes under the older one holds the lock of
        the door's row, for which the rewriting waits.
        """
        safe, links, cipher = self.estate.safe, self.estate.links, self.estate.cipher
        with Session(self.estate.engine) as session, session.begin():
            if not cipher.renewing:  # else a restart came between
                cipher.add_key(session, safe)
        with Session(self.estate.engine) as session, session.begin():
            cipher.read_keys(session, safe)
        with Session(self.estate.engine) as session, session.begin():
            for peer in links.peers(session):
                if peer != CLOUD:
                    links.rewrite(session, peer, lambda _, body: body)
            cipher.destroy_older(session, safe)
        with Session(self.estate.engine) as session, session.begin():
            cipher.read_keys(session, safe)
