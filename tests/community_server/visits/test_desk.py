"""The desk's part: who asks and who is expected, pages and posters made, all of it noted."""

from datetime import datetime

from sqlalchemy import select

from community_server.audit.tables import AuditRow
from community_server.database import now
from tests.community_server.in_process import InProcess, code
from tests.community_server.visits.bench import HOUR, VisitBench, ask, invitation
from tier_link.invitations import parse_link
from tier_link.visits import Look


def noted(here: VisitBench, subject: str) -> list[str]:
    query = select(AuditRow.action).where(AuditRow.subject == subject).order_by(AuditRow.number)
    with here.bench.estate.reading() as session:
        return list(session.scalars(query))


def test_the_desk_sees_who_asks_and_lets_them_in(here: VisitBench, desk: InProcess) -> None:
    asked = here.seal(here.poster(here.door()), ask(visiting="9-999"))
    here.bench.deliver(asked.deposit)
    (visit,) = desk.call("visits")
    assert (visit["name"], visit["visiting"], visit["unit"]) == ("Li Na", "9-999", "")
    page = desk.get("/visitors").text
    assert "Li Na" in page
    assert 'data-testid="asking-count" data-count="1"' in page
    assert 'data-count="1"' in desk.get("/visitors/badge").text
    assert 'data-state="asked"' in page
    shown = desk.submit(f"/visitors/visits/{visit['visit']}/decision", decision="approve")
    assert 'data-done="visit-approved"' in shown.text
    assert here.answers(asked)[-1].qr_pass
    assert noted(here, visit["visit"]) == ["approve-visit"]
    again = desk.submit(f"/visitors/visits/{visit['visit']}/decision", decision="decline")
    assert 'data-code="already-decided"' in again.text


def test_the_desk_extends_and_ends_a_visit(here: VisitBench, desk: InProcess) -> None:
    visit = here.say(here.page(here.resident()), invitation()).visit
    until = now() + 30 * HOUR
    done = desk.send(f"visits/{visit}/extension", {"valid_until": until})
    assert done.status_code == 200
    assert (len(done.json()["pin"]), done.json()["unit"]) == (6, "1-101")
    assert "/pass#" in done.json()["link"]
    assert [one["valid_until"] for one in desk.call("visits")] == [until]
    day = datetime.fromtimestamp(until + HOUR, here.bench.estate.visiting.zone)
    page = desk.submit(f"/visitors/visits/{visit}/extension", valid_until=f"{day:%Y-%m-%dT%H:%M}")
    assert 'data-testid="pass-given"' in page.text  # whoever extends it hands the new pass on
    assert 'data-testid="pin"' in page.text
    assert 'data-testid="pass-given"' not in desk.get("/visitors").text
    shown = desk.submit(f"/visitors/visits/{visit}/end")
    assert 'data-done="visit-ended"' in shown.text
    assert desk.call("visits") == []
    assert noted(here, visit) == ["extend-visit", "extend-visit", "end-visit"]
    assert code(desk.send(f"visits/{visit}/extension", {"valid_until": until})) == "visit-unknown"


def test_a_residents_page_is_made_once_shown_and_withdrawn(
    here: VisitBench, desk: InProcess
) -> None:
    resident = here.resident()
    made = desk.send(f"people/{resident}/page", {}).json()["link"]
    assert parse_link(made).kind == "home"
    shown = desk.submit(f"/people/{resident}/page").text
    assert 'data-testid="own-page-link"' in shown
    assert here.say(parse_link(made).invitation, Look()).reason == "link-withdrawn"
    assert "own-page-link" not in desk.get(f"/people/{resident}").text
    gone = desk.submit(f"/people/{resident}/page/withdrawal")
    assert 'data-done="page-withdrawn"' in gone.text
    made_and_withdrawn = [one for one in noted(here, resident) if one != "look"]
    assert made_and_withdrawn == ["make-page", "make-page", "withdraw-page"]


def test_a_visitor_has_no_page_of_their_own(here: VisitBench, desk: InProcess) -> None:
    here.say(here.page(here.resident()), invitation())
    (visit,) = desk.call("visits")
    assert code(desk.send(f"people/{visit['person']}/page", {})) == "not-a-resident"


def test_a_poster_speaks_both_languages_and_is_shown_once(
    here: VisitBench, desk: InProcess
) -> None:
    door = here.door()
    poster = desk.submit(f"/doors/{door}/poster").text
    assert "来访请扫码" in poster
    assert "Visiting somebody?" in poster
    assert "#" in poster
    assert 'data-testid="poster-link"' in poster
    page = desk.get(f"/doors/{door}").text
    assert "poster-withdraw" in page
    assert "poster-link" not in page
    gone = desk.submit(f"/doors/{door}/poster/withdrawal")
    assert 'data-done="poster-withdrawn"' in gone.text
    assert noted(here, door) == ["make-poster", "withdraw-poster"]


def test_the_visitors_of_a_month_are_counted_by_unit(here: VisitBench, desk: InProcess) -> None:
    page = here.page(here.resident())
    for _ in range(2):
        here.say(page, invitation())
    zone = here.bench.estate.visiting.zone
    month = f"{datetime.fromtimestamp(now(), zone):%Y-%m}"
    assert desk.call(f"visits/counts/{month}") == {"1-101": 2}
