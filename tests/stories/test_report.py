"""The page of `tracelog report`, in a real browser."""

from __future__ import annotations

import argparse
import base64
import importlib.util
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tracelog.answers.columns import page_data
from tracelog.answers.gathered import Gathered
from tracelog.answers.report import make_page
from tracelog.commands import report


def load_browser():
    spec = importlib.util.spec_from_file_location("browser", Path(__file__).with_name("browser.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Browser, module.find_chromium


Browser, find_chromium = load_browser()

pytestmark = pytest.mark.skipif(
    find_chromium() is None, reason="no Chromium here: apt-get install chromium"
)

START = datetime(2026, 11, 22, 10, tzinfo=UTC)
PLACE = "app/reports.py:41 make_report"
CAUSE = f"284 ms: loop held by nils's message 3 in {PLACE} (blocking call)"
HOSTILE = (
    "</script><script>window.broken=1</script><img src=x onerror=window.broken=1>"
    "<!--{{script}} \u202e\u2028\x1b[2J&lt;"
)


def line(ms, event, **fields):
    moment = f"{START + timedelta(milliseconds=ms):%Y-%m-%dT%H:%M:%S.%f}Z"
    head = {"timestamp": moment, "level": "warning", "logger": "app", "event": event}
    return json.dumps({**head, **fields}) + "\n"


def verdict(ms, user, trace, boxes, **fields):
    total = sum(boxes)
    names = ("socket_ms", "queue_ms", "loop_ms", "code_ms", "await_ms", "send_ms")
    arrived = f"{START + timedelta(milliseconds=ms):%Y-%m-%dT%H:%M:%S.%f}Z"
    about = {"user_id": user, "trace_id": trace, "connection_id": f"c-{user}", "kind": "websocket"}
    known = {"total_ms": total, "late": total >= 200, "arrived_at": arrived, "utterance": 3}
    values = {**about, **known, **dict(zip(names, boxes, strict=True)), **fields}
    return line(ms + total, "utterance", **values)


def held(user, trace, where=PLACE):
    return {"ms": 284.0, "trace_id": trace, "user_id": user, "what": "message 3", "where": where}


LOG = "".join(
    [
        line(20, "message handled", trace_id="t-ada", room="lobby"),
        verdict(0, "nils", "t-nils", (0, 0, 0, 302, 0, 0), held=[{"ms": 302, "where": PLACE}]),
        line(
            *(800, "loop held"),
            **{"held_at": "2026-11-22T10:00:00Z", "held_ms": 302, "where": PLACE},
            **{"kind": "blocking call", "user_id": "nils", "trace_id": "t-nils", "delayed": 2},
        ),
        verdict(
            *(18, "ada", "t-ada", (284, 1, 0, 0, 4, 0)),
            **{"blocked_by": [held("nils", "t-nils")], "cause": CAUSE},
            awaits=[{"ms": 4, "what": "lock", "where": "app/db.py:9 save"}],
            spans=[{"name": "llm", "count": 1, "total_ms": 4, "own_ms": 4}],
        ),
        verdict(40, "ben", "t-ben", (260, 0, 2, 0, 0, 0), blocked_by=[held("nils", "t-nils")]),
        verdict(2000, "ada", "t-calm", (0, 0, 0, 1, 4, 0)),
    ]
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    browser = Browser(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()


@pytest.fixture
def look(browser, tmp_path):
    """Make a page of a log, and open it."""

    def open_page(text=LOG, width=1400, scheme="light"):
        (tmp_path / "app.log").write_text(text)
        parser = argparse.ArgumentParser()
        report.configure(parser)
        report.run(parser.parse_args(["app.log"]))
        resize(browser, width)
        prefer(browser, scheme)
        browser.open(tmp_path / "report.html")
        return browser

    yield open_page
    assert browser.said == [], "the console has something to say"


def resize(browser, width):
    browser.call(
        "Emulation.setDeviceMetricsOverride",
        **{"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": False},
    )


def prefer(browser, scheme):
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.call("Emulation.setEmulatedMedia", media="", features=features)


def text_of(browser, selector):
    return browser.ask(f"document.querySelector({selector!r}).innerText")


def pixels(browser):
    """Count how many points of the timeline have which colour."""
    return browser.ask("""(() => {
        const canvas = document.querySelector('canvas');
        const size = [canvas.width, canvas.height];
        const copy = new OffscreenCanvas(...size).getContext('2d', { willReadFrequently: true });
        copy.drawImage(canvas, 0, 0);
        const { data } = copy.getImageData(0, 0, ...size);
        const found = {};
        for (let k = 0; k < data.length; k += 4) {
            const colour = [...data.slice(k, k + 4)].join();
            found[colour] = (found[colour] || 0) + 1;
        }
        return found;
    })()""")


def test_the_page_says_who_was_late(look):
    """The worst is open when it comes up; the tables say what the terminal's do."""
    page = look()

    assert text_of(page, "#summary") == "app.log, 2026-11-22 10:00:00 to 10:00:02 UTC"
    assert text_of(page, "#figures div").split() == ["late", "utterances", "3", "of", "4"]
    assert text_of(page, "#detail h2") == "nils, message 3"
    assert text_of(page, "#matching") == "3 utterances"
    first = text_of(page, "#utterance-table .space .row:nth-child(2)")
    assert [*first.splitlines()[:2], first.splitlines()[-1]] == ["10:00:00.018", "ada", CAUSE]
    assert PLACE in text_of(page, "#blame-table .space")
    assert text_of(page, "#people-table .space .row").split()[:4] == ["nils", "1", "1", "302.0"]


def test_the_timeline_is_drawn(look):
    """Marks in their boxes' colours, and a band where the loop was held."""
    found = pixels(look())

    assert found["0,114,178,255"] > 500  # socket: ada and ben
    assert found["224,161,0,255"] > 500  # code: nils
    assert found["185,192,199,255"] > 0  # on time
    assert sum(count for colour, count in found.items() if not colour.endswith(",255")) > 5_000


def test_the_keyboard_is_enough(look):
    """Arrows go from one late utterance to others, Enter opens one, Escape goes back."""
    page = look()
    page.ask("document.getElementById('chart').focus()")

    page.press("ArrowDown")
    assert text_of(page, "#said") == f"ada, message 3: 289.0 ms, late, 10:00:00.018. {CAUSE}"
    page.press("Enter")

    assert page.ask("document.activeElement.id") == "detail-title"
    assert text_of(page, "#detail-title") == "ada, message 3"
    assert text_of(page, ".cause") == CAUSE
    heads = "[...document.querySelectorAll('.fall tbody:first-of-type th[scope=row] span')]"
    boxes = page.ask(f"{heads}.map((head) => head.innerText)")
    assert boxes == ["socket", "queue", "loop", "code", "await", "send"]
    page.press("Escape")
    assert page.ask("document.activeElement.id") == "chart"


def test_a_holder_leads_to_its_own_utterance(look):
    """Who is to blame is one click away, and so are the lines of both."""
    page = look()
    page.ask("document.querySelectorAll('#utterance-table .space .row')[1].click()")
    assert "app/db.py:9 save" in text_of(page, ".fall")
    assert "message handled" in text_of(page, ".lines")
    assert page.ask("document.querySelectorAll('.fall .bar:not(.loose)').length") == 4

    page.ask("document.querySelector('.fall .link').click()")

    assert text_of(page, "#detail-title") == "nils, message 3"
    page.ask("document.querySelector('.lines details').open = true")
    page.wait_until("document.querySelector('.lines pre') !== null")
    assert "total_ms: 302" in text_of(page, ".lines pre")


def test_the_mouse_chooses_and_zooms(look):
    """A click opens what is under it; a drag shows that part of the time, and `0` all again."""
    page = look()
    box = page.ask("document.getElementById('chart').getBoundingClientRect().toJSON()")
    top = box["top"] + 26 + 26 + 16  # ada's lane

    page.click(box["left"] + 132 + 40, top)
    assert text_of(page, "#detail-title") == "ada, message 3"

    before = pixels(page)["0,114,178,255"]
    page.click(box["left"] + 132 + 2, top, to=(box["left"] + 132 + 160, top))
    page.settle()
    assert pixels(page)["0,114,178,255"] > 2 * before


def test_a_table_is_found_by_its_roles(look):
    """For those who hear the page: a grid of so many rows, named columns, a row that is active."""
    page = look()
    page.ask("document.querySelector('#utterance-table .grid').focus()")

    page.press("ArrowDown")
    page.press("ArrowDown")

    active = page.ask(
        "document.getElementById(document.activeElement.getAttribute('aria-activedescendant'))"
        ".innerText"
    )
    assert "ada" in active
    nodes = page.call("Accessibility.getFullAXTree")["nodes"]
    named = {
        (node["role"]["value"], node["name"]["value"])
        for node in nodes
        if not node["ignored"] and "name" in node
    }
    assert ("application", "Utterances by user and time") in named
    assert ("grid", "Utterances, the worst first") in named
    assert {("columnheader", "time"), ("columnheader", "why"), ("button", "Earlier")} <= named
    assert not {name for role, name in named if role in ("button", "searchbox") and not name}
    page.press("Enter")
    assert text_of(page, "#detail-title") == "ada, message 3"


def test_columns_sort_and_words_filter(look):
    """What is looked for is found in users, traces and causes."""
    page = look()

    page.ask("document.querySelector('#utterance-table [role=columnheader] button').click()")
    assert page.ask("document.querySelector('[aria-sort=ascending], [aria-sort=descending]')") == {}
    page.ask("document.getElementById('only-late').click()")
    assert text_of(page, "#matching") == "4 utterances"
    for words, count in (("BEN", 1), ("t-calm", 1), ("loop held by", 1), ("nobody", 0)):
        page.ask(
            "(() => { const box = document.getElementById('filter');"
            f"box.value = {words!r}; box.dispatchEvent(new Event('input')); }})()"
        )
        assert page.ask("document.querySelectorAll('#utterance-table .space .row').length") == count


def test_hostile_content_is_text(look):
    """Markup, scripts and controls of a log are shown, and do nothing."""
    entry = {"ms": 250, "user_id": HOSTILE, "what": HOSTILE, "where": HOSTILE, "kind": HOSTILE}
    lists = {"blocked_by": [entry], "awaits": [{**entry, "until": entry}], "spans": [entry, 1]}
    page = look(
        verdict(
            *(0, HOSTILE, HOSTILE, (0, 0, 250, 0, 0, 0)),
            **{**lists, "cause": HOSTILE, "path": HOSTILE, "method": [HOSTILE], "kind": HOSTILE},
        )
        + verdict(0, "big", "big", (0, 0, 240, 0, 0, 0), cause="x" * 999_999)
        + verdict(0, {"a": 1}, "odd", (0, 0, 230, 0, 0, 0), awaits="x", arrived_at=[], failed="x")
        + line(0, HOSTILE, logger=HOSTILE, level=HOSTILE, trace_id=HOSTILE)
        + line(0, "loop held", held_ms=9, held_at=START.isoformat(), where=HOSTILE, user_id=HOSTILE)
    )

    for number in range(3):
        page.ask(f"document.querySelectorAll('#utterance-table .space .row')[{number}].click()")
    page.ask("document.querySelector('#utterance-table .space .row').click()")

    assert page.ask("[window.broken, document.images.length, document.scripts.length]") == [
        *(None, 0, 2),
    ]
    shown = page.ask("document.body.innerText")
    assert "</script><script>window.broken=1</script>" in shown
    assert "\\u202e\\u2028\\u001b[2J&lt;" in shown
    assert not {"\u202e", "\u2028", "\x1b"} & set(shown)


def test_the_policy_is_a_second_lock(look):
    """Even a mistake in the page's own script couldn't make markup of a text, or ask somebody."""
    page = look()

    refused = page.ask(
        "(() => { try { document.body.innerHTML = '<b>x</b>'; } catch (e) { return e.name; } })()"
    )
    asked = page.ask("fetch('http://127.0.0.1:9/').then(() => 'asked', () => 'refused')")

    assert (refused, asked) == ("TypeError", "refused")
    page.said.clear()  # it has complained, as it should


@pytest.mark.parametrize(("scheme", "other"), [("light", "dark"), ("dark", "light")])
def test_it_is_light_or_dark_as_one_likes(look, scheme, other):
    """As the system says, until the button says otherwise; the canvas goes along."""
    brightness = (
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
        ".reduce((a, b) => a + b) > 382 ? 'light' : 'dark'"
    )
    page = look(scheme=scheme)
    assert page.ask(brightness) == scheme
    before = pixels(page)

    page.ask("document.getElementById('theme').click()")

    assert page.ask(brightness) == other
    assert page.ask("document.getElementById('theme').ariaPressed") == str(other == "dark").lower()
    page.settle()
    assert pixels(page).keys() != before.keys()


@pytest.mark.parametrize("width", [360, 700, 1600])
def test_it_fits_any_width(look, width):
    """Nothing has to be scrolled sideways."""
    page = look(width=width)

    assert page.ask("document.documentElement.scrollWidth <= innerWidth")


def test_it_prints(look):
    """On paper it is light, and tables say how many of their rows aren't there."""
    many = "".join(verdict(n, f"user-{n}", f"t-{n}", (0, 0, 300, 0, 0, 0)) for n in range(80))
    page = look(many, scheme="dark")

    pdf = base64.b64decode(page.call("Page.printToPDF", printBackground=True)["data"])

    assert pdf.startswith(b"%PDF")
    page.ask("dispatchEvent(new Event('beforeprint'))")
    assert text_of(page, "#utterance-table .paper") == "and 20 more rows on the screen"
    assert page.ask("document.querySelectorAll('#utterance-table .space .row').length") == 60
    page.ask("dispatchEvent(new Event('afterprint'))")
    assert page.ask("document.querySelector('#utterance-table .paper').innerText") == ""


def test_an_empty_log_is_a_page_that_says_so(look):
    """No error, no empty axes without a word."""
    page = look("")

    assert text_of(page, "#left-out") == 'No utterance in 0 lines: none has "event": "utterance".'
    assert text_of(page, "#utterance-table .none") == "None."


def test_a_hundred_thousand_utterances_stay_fluent(browser, tmp_path):
    """Only what is in sight is drawn: the page has as many elements as a small one."""
    boxes = [1.0, 2.0, 200.0, 3.0, 40.0, 4.0]
    rows = [
        (
            n * 36_000,
            250.0 - n / 1000,
            n < 20_000,
            boxes,
            f"user-{n % 900}",
            "c",
            f"t-{n}",
            n,
            "x",
            None,
        )
        for n in range(100_000)
    ]
    found = Gathered(utterances=100_000, late=20_000, utterance_rows=rows)
    (tmp_path / "report.html").write_bytes(make_page(page_data(found, ["app.log"])))
    resize(browser, 1400)

    browser.open(tmp_path / "report.html")
    browser.ask("document.getElementById('only-late').click()")
    browser.ask("document.querySelector('#utterance-table .scroller').scrollTop = 1e6")
    browser.wait_until(
        "document.querySelector('#utterance-table .space .row').ariaRowIndex > 30000"
    )
    browser.ask("document.getElementById('chart').focus()")
    for key in ("ArrowRight", "ArrowDown", "+", "+", "Enter"):
        browser.press(key)

    assert text_of(browser, "#matching") == "100,000 utterances"
    assert browser.ask("document.querySelectorAll('*').length") < 1_000
    assert browser.ask("document.activeElement.id") == "detail-title"
    assert browser.said == []
