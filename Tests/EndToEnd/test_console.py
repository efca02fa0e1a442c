"""The reviewer's console in a real headless Chromium: its journeys, its looks, its fence."""

import csv
import io
import json
import re
import subprocess

import pytest

import contract
import documents
import page_evidence
from browser import Browser
from instance import shirushi

SHOTS = contract.ROOT / "var" / "screenshots"
WIDTHS = (390, 1440)
LANGUAGES = ("ja", "en")
# What axe-core judges of each page; phones are dark here and desks are light, so both have their contrast checked.
JUDGED = {(390, "ja"), (1440, "en")}
# A client system's name, a holder's name: what strangers and authorities may bring into a record.
HOSTILE_CLIENT = "\"><img/src=x/onerror=document.title='injected'>"
HOSTILE_NAME = "<script>document.title='injected'</script>"


@pytest.fixture(scope="module")
def console(shared):
    """The shared instance with signatures, refusals and a crafted record in its log."""
    for _ in range(3):
        assert shared.prescribe(documents.prescribing()).status_code == 200
    prescription = documents.registered(documents.document_of(shared.prescribe(documents.prescribing())))
    assert shared.dispense(documents.dispensing(prescription)).status_code == 200
    for _ in range(4):
        assert shared.prescribe(documents.prescribing(), holder="nurse-1").status_code == 403
    crafted = shared.token("nurse-1", "--client", HOSTILE_CLIENT)
    shared.prescribe(documents.prescribing(), token=crafted)
    shirushi(
        *("holders", "put", "hostile-1", "--home", shared.home, "--authority", "medis", "--role", "Medical Doctor"),
        *("--romaji-name", HOSTILE_NAME, "--japanese-name", HOSTILE_NAME),
    )
    return shared


@pytest.fixture(scope="module")
def browser(shared):
    browser = Browser(shared.home / "development" / "tls" / "server.pem")
    yield browser
    browser.close()


@pytest.fixture(autouse=True)
def clean(request):
    """Each test of a page begins signed out, with scripts on and a wide light screen."""
    if "browser" in request.fixturenames:
        browser = request.getfixturevalue("browser")
        browser.call("Network.clearBrowserCookies")
        browser.screen(1440)


def token(instance, role):
    return shirushi("token", "--home", instance.home, "--reviewer", role).stdout.strip()


def sign_in(browser, instance, who="auditor", holder=None, language="en"):
    browser.open(f"{instance.url}/console/sign-in?lang={language}")
    text = instance.token(holder) if holder else token(instance, who)
    browser.eval("document.getElementById('token').focus()")
    browser.type(text)
    browser.act("document.querySelector('main button').click()")


def pages(browser, instance):
    """The address of every page that an auditor sees, by its name; records that exist are found by search."""
    browser.open(f"{instance.url}/console/search?kind=intent&holder=doctor-1")
    record = browser.eval("document.querySelector('tbody th a').getAttribute('href')")
    return {
        "overview": "/console",
        "search": "/console/search",
        "record": record,
        "key": browser.eval("document.querySelector('tbody a[href^=\"/console/keys/\"]').getAttribute('href')"),
        "holder": "/console/holders/doctor-1",
        "find": "/console/find",
        "anomalies": "/console/anomalies",
        "policies": "/console/policies",
        "log": "/console/log",
        "error": "/console/records/999999999",
    }


def test_every_page_at_both_widths_in_both_languages_without_a_serious_fault(console, browser):
    faults = {}
    for language in LANGUAGES:
        browser.call("Network.clearBrowserCookies")
        browser.open(f"{console.url}/console/sign-in?lang={language}")
        for width in WIDTHS:
            browser.screen(width, dark=width == 390)
            browser.screenshot(SHOTS / f"console-sign-in-{width}-{language}.png")
            if (width, language) in JUDGED:
                faults[f"sign-in {language} {width}"] = browser.axe()
        browser.screen(1440)
        sign_in(browser, console, language=language)
        for name, path in pages(browser, console).items():
            browser.screen(1440)
            browser.open(console.url + path)
            assert browser.eval("document.documentElement.lang") == language
            for width in WIDTHS:
                browser.screen(width, dark=width == 390)
                assert browser.eval("document.documentElement.scrollWidth") <= width, f"{name} is wider than {width}"
                browser.screenshot(SHOTS / f"console-{name}-{width}-{language}.png")
                if (width, language) in JUDGED:
                    faults[f"{name} {language} {width}"] = browser.axe()
        browser.screen(360)
        assert browser.eval("document.documentElement.scrollWidth") <= 360, f"{name} is wider than 360"
    assert {name: each for name, each in faults.items() if each} == {}


def test_a_reviewer_follows_one_use_from_the_overview_to_its_record(console, browser):
    sign_in(browser, console)
    assert "Key use over time" in browser.text() and browser.eval("document.querySelectorAll('.s-signed').length") > 1
    browser.act("document.querySelector('.nav a[href=\"/console/search\"]').click()")
    browser.eval("document.getElementById('f-holder').value = 'doctor-1'")
    browser.eval("document.getElementById('f-kind').value = 'intent'")
    browser.act("document.querySelector('main button').click()")
    assert "holder=doctor-1" in browser.eval("location.search") and "kind=intent" in browser.eval("location.search")
    browser.act("document.querySelector('tbody th a').click()")
    assert "Digest of the document" in browser.text() and "Deciding rule" in browser.text()
    browser.act("document.querySelector('dd a[href^=\"/console/records/\"]').click()")
    assert "signed" in browser.text() and "Its intent" in browser.text()
    browser.act("document.querySelector('dd a[href^=\"/console/records/\"]').click()")
    browser.act("document.querySelector('dd a[href^=\"/console/keys/\"]').click()")
    assert "Uses by day" in browser.text() and "active" in browser.text()
    browser.act("document.querySelector('dd a[href^=\"/console/holders/\"]').click()")
    assert "Second keys" in browser.text()
    browser.act("document.querySelector('.who button').click()")
    assert "You have signed out" in browser.text()
    browser.open(f"{console.url}/console/search")
    assert browser.eval("location.pathname") == "/console/sign-in"


def test_looking_is_itself_in_the_log(console, browser):
    sign_in(browser, console)
    browser.open(f"{console.url}/console/holders/doctor-1")
    browser.open(f"{console.url}/console/search?kind=inspection&holder=doctor-1")
    assert "inspection" in browser.text() and "doctor-1" in browser.text()


def test_a_crafted_record_cannot_inject(console, browser):
    sign_in(browser, console)
    browser.faults()
    browser.open(f"{console.url}/console/search?holder=nurse-1")
    assert HOSTILE_CLIENT in browser.text()
    rows = "[...document.querySelectorAll('tbody tr')]"
    browser.act(f"{rows}.find(row => row.innerText.includes('onerror')).querySelector('a').click()")
    assert HOSTILE_CLIENT in browser.text()
    browser.open(f"{console.url}/console/holders/hostile-1")
    assert HOSTILE_NAME in browser.text()
    assert "injected" not in browser.eval("document.title")
    assert browser.eval("document.querySelectorAll('img, script:not([src])').length") == 0
    assert browser.faults() == []


def test_all_works_without_javascript(console, browser):
    browser.screen(1440, script=False)
    sign_in(browser, console)
    for path in pages(browser, console).values():
        browser.open(console.url + path)
        assert browser.eval("document.querySelector('h1').innerText")
    browser.open(f"{console.url}/console/find")
    browser.eval("document.getElementById('f-holder').value = 'doctor-1'")
    browser.act("document.getElementById('f-holder').form.requestSubmit()")
    assert browser.eval("location.pathname") == "/console/holders/doctor-1"


def test_the_keyboard_is_enough(console, browser):
    def focused():
        return browser.eval("document.activeElement.id || document.activeElement.getAttribute('href') || ''")

    def tab_to(wanted, most=40):
        for _ in range(most):
            browser.press("Tab")
            assert browser.eval(
                "(() => { const s = getComputedStyle(document.activeElement); "
                "return document.activeElement === document.body || parseFloat(s.outlineWidth) >= 2; })()"
            ), f"{focused()} shows no focus"
            if focused() == wanted:
                return
        raise AssertionError(f"{wanted} is not reached by Tab")

    browser.open(f"{console.url}/console/sign-in?lang=en")
    browser.press("Tab")
    assert focused() == "#main"
    tab_to("token")
    browser.type(token(console, "auditor"))
    browser.press("Tab")
    browser.events.clear()
    browser.press("Enter")
    browser.wait("Page.loadEventFired")
    assert browser.eval("location.pathname") == "/console"
    tab_to("/console/search")
    browser.events.clear()
    browser.press("Enter")
    browser.wait("Page.loadEventFired")
    tab_to("f-holder")
    browser.type("doctor-1")
    browser.events.clear()
    browser.press("Enter")
    browser.wait("Page.loadEventFired")
    assert browser.eval("location.search").endswith("holder=doctor-1&document=&failure=&key=&client=&facility=&text=")
    browser.press("Tab")
    browser.events.clear()
    browser.press("Enter")  # the skip link: what follows is the content
    assert browser.eval("location.hash") == "#main"


@pytest.mark.parametrize("role", ["security-officer", "administrator", "operator"])
def test_a_role_sees_its_own_part(console, browser, role):
    sign_in(browser, console, role)
    doors = browser.eval("[...document.querySelectorAll('.nav a')].map(a => a.getAttribute('href'))")
    assert ("/console/search" in doors) == (role == "security-officer")
    assert ("/console/find" in doors) == (role != "operator")
    browser.open(f"{console.url}/console/search")
    assert ("Your role does not see this" in browser.text()) == (role != "security-officer")


def test_a_holder_sees_the_uses_of_their_own_key_alone(console, browser):
    sign_in(browser, console, holder="doctor-1")
    assert browser.eval("location.pathname") == "/console/my-key"
    assert "doctor-1-a" in browser.text() or browser.eval("document.querySelectorAll('tbody tr').length") >= 3
    for width in WIDTHS:
        browser.screen(width)
        browser.screenshot(SHOTS / f"console-uses-{width}-en.png")
        assert browser.axe() == []
    browser.screen(1440)
    browser.open(f"{console.url}/console/holders/dentist-1")
    assert "Your role does not see this" in browser.text()


def test_an_export_holds_what_the_search_found(console):
    session = console.session()
    page = session.get(f"{console.url}/console/sign-in", timeout=10).text
    form = re.search(r'name="form" value="([0-9a-f]{64})"', page)[1]
    fields = {"form": form, "to": "", "token": token(console, "auditor")}
    page = session.post(f"{console.url}/console/sign-in", data=fields, timeout=10)
    assert page.status_code == 200 and page.url.endswith("/console")
    form = re.search(r'name="form" value="([0-9a-f]{64})"', page.text)[1]
    wanted = {"form": form, "holder": "nurse-1", "kind": "refusal"}
    answer = session.post(f"{console.url}/console/export", data={**wanted, "format": "csv"}, timeout=10)
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) >= 5 and {row["holder"] for row in rows} == {"nurse-1"}
    assert HOSTILE_CLIENT in {row["client"] for row in rows}
    answer = session.post(f"{console.url}/console/export", data={**wanted, "format": "jsonl"}, timeout=10)
    assert [json.loads(line)["sequence"] for line in answer.text.splitlines()] == [int(r["sequence"]) for r in rows]
    # A script at another site has neither the form's token nor the cookie.
    stranger = console.session()
    refused = stranger.post(f"{console.url}/console/export", data=wanted, allow_redirects=False, timeout=10)
    assert refused.status_code == 303 and refused.headers["Location"].startswith("/console/sign-in")


class TestProof:
    """The script of a record's page, in the browser, on trees made here."""

    @pytest.fixture
    def check(self, console, browser):
        sign_in(browser, console)
        browser.open(console.url + pages(browser, console)["record"])
        script = (contract.ROOT / "Sources" / "Web" / "Console" / "Assets" / "proof.js").read_text()

        def check(document, sequence):
            """What the script says of that evidence."""
            content = document if isinstance(document, str) else json.dumps(document, ensure_ascii=False)
            browser.eval(
                f"""(() => {{
                const section = document.getElementById('proof');
                section.dataset.sequence = {json.dumps(str(sequence))};
                delete section.dataset.result;
                const parts = [['p', 'data-verdict', ''], ['ul', 'data-steps', ''], ['pre', 'id', 'evidence']];
                section.replaceChildren(...parts.map(([name, attribute, value]) => {{
                    const part = document.createElement(name);
                    part.setAttribute(attribute, value);
                    return part;
                }}));
                document.getElementById('evidence').textContent = {json.dumps(content)};
                }})()"""
            )
            browser.call("Runtime.evaluate", expression=f"{{ {script} }}")
            browser.until("document.getElementById('proof').dataset.result")
            return browser.eval("document.getElementById('proof').dataset.result"), browser.text()

        return check

    @pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 13])
    def test_a_true_record_holds(self, check, size):
        log = page_evidence.Log(size)
        for sequence in range(size):
            result, text = check(log.evidence(sequence), sequence)
            assert result == "holds", text
            assert "the root hash matches" in text and log.root.hex() in text and log.verifier_key in text

    def test_every_change_is_seen(self, check):
        log = page_evidence.Log(11)
        for name, changed in log.changes(6).items():
            result, text = check(changed, 6)
            assert result == "fails", f"{name}: {text}"
        assert check(log.evidence(6), 6)[0] == "holds"
        assert check(log.evidence(6), 5)[0] == "fails"
        assert check("no JSON", 6)[0] == "fails"

    def test_the_record_s_own_evidence_holds_where_there_is_some(self, console, browser):
        sign_in(browser, console)
        browser.open(console.url + pages(browser, console)["record"])
        if browser.eval("!document.getElementById('evidence')"):
            assert "There is no evidence for this record yet" in browser.text()
            return
        browser.until("document.getElementById('proof').dataset.result")
        assert browser.eval("document.getElementById('proof').dataset.result") == "holds", browser.text()
        assert browser.faults() == []


def test_a_production_instance_refuses_the_development_sign_in(make_instance):
    instance = make_instance()
    instance.configure(lambda settings: settings.update(kind="production"))
    run = subprocess.run(
        [str(contract.BINARY), "serve", "--check", "--home", str(instance.home)], capture_output=True, text=True
    )
    assert run.returncode != 0 and "`console.signIn`: development is refused in production" in run.stderr + run.stdout
