"""What is found of somebody's refusals, in the reader's language, for programs."""

from datetime import datetime
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field

from community_server.entries.asking import Answer
from community_server.entries.why import Explained, Obstacle
from community_server.pages import PAGES
from tier_kit.language import Language


class Sentence(BaseModel):
    """A code, stable for programs, and its sentence for people."""

    code: str
    text: str


class Refusal(BaseModel):
    """One refusal: the entry, what it means, what to do, what else is known of it."""

    entry: dict[str, object]
    why: str
    advice: str
    evidence: list[Sentence]


class NamedPerson(BaseModel):
    """One of several whom a name means."""

    person: str
    name: str = Field(repr=False)
    unit: str
    category: str


class WhyNot(BaseModel):
    """Why somebody was not let in.

    `near` is Unix seconds; `old` says that it is too long ago, and nothing was looked for.
    `several` is whom the name means where that is not one person (`count`, 20 of them listed).
    `person` is empty while nobody certain is meant; `doors` are those they may use. `unknown` is
    who was refused half an hour before and after without the door knowing them.
    """

    near: int
    old: bool
    several: list[NamedPerson]
    count: int
    person: str
    name: str = Field(repr=False)
    doors: list[str]
    obstacles: list[Sentence]
    entry: Refusal | None
    refusals: list[Refusal]
    unknown: list[Refusal]


def in_words(found: Answer, language: Language, zone: ZoneInfo) -> WhyNot:
    """Return an answer with its sentences."""

    def refusal(one: Explained) -> Refusal:
        return _refusal(one, language, zone)

    stands = found.standing
    return WhyNot(
        near=found.near,
        old=found.old,
        several=[
            NamedPerson(
                person=row.roster.person,
                name=row.name,
                unit=row.roster.unit,
                category=row.roster.category,
            )
            for row in found.several
        ],
        count=found.count,
        person=stands.person.person if stands else "",
        name=stands.person.name if stands else "",
        doors=stands.doors if stands else [],
        obstacles=[_obstacle(one, language) for one in stands.obstacles] if stands else [],
        entry=refusal(found.entry) if found.entry else None,
        refusals=[refusal(one) for one in found.refusals],
        unknown=[refusal(one) for one in found.unknown],
    )


def _refusal(one: Explained, language: Language, zone: ZoneInfo) -> Refusal:
    plain = PAGES.catalogue.branch(language, "reason_plain")
    advice = PAGES.catalogue.branch(language, "advice")
    evidence = [
        Sentence(
            code=fact.code,
            text=PAGES.catalogue.say(
                language,
                f"evidence.{fact.code}",
                minutes=fact.minutes,
                time=f"{datetime.fromtimestamp(fact.at, zone):%Y-%m-%d %H:%M}",
            ),
        )
        for fact in one.evidence
    ]
    return Refusal(
        entry=one.entry.as_json(),
        why=plain.get(one.entry.reason, plain["other"]),
        advice=advice.get(one.entry.reason, advice["other"]),
        evidence=evidence,
    )


def _obstacle(one: Obstacle, language: Language) -> Sentence:
    text = PAGES.catalogue.say(language, f"obstacle.{one.code}", door=one.door)
    return Sentence(code=one.code, text=text)
