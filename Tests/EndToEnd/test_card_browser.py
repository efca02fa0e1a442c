"""Logins in a real headless Chromium with soft cards: both cards in one browser, and the looks of every page."""

import re

import pytest

import cards
import contract
from cards_browser import WRONG, CardBrowser
from instance import shirushi

SHOTS = contract.ROOT / "var" / "screenshots"
LANGUAGES = ("ja", "en")
WIDTHS = (390, 1440)
# What axe-core judges of each page; phones are dark here and desks are light, so both have their contrast checked.
JUDGED = {(390, "ja"), (1440, "en")}


@pytest.fixture(scope="module")
def clinic(platform):
    clinic = platform.apaches["clinic"]
    return clinic if clinic.process else clinic.start()


@pytest.fixture
def browser_with(platform):
    """Makes browsers that hold these cards; all are closed with the test."""
    made = []

    def make(*held):
        made.append(CardBrowser(platform, *held))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture(scope="module")
def odd(platform, tmp_path_factory):
    """Cards that lead to an error page; their names are such that the browser offers them."""
    folder = tmp_path_factory.mktemp("odd")
    maker = cards.Maker(platform, folder / "wrong")
    revoked = cards.issue(platform, "director-1", "hpki", folder / "revoked")
    cards.revoke(platform, revoked)
    return {
        "expired": cards.issue(platform, "doctor-1", "hpki", folder / "old", "--expired"),
        "wrong": maker.like(cards.development(platform, "doctor-1", "jpki"), "wrong", common_name=WRONG),
        "revoked": revoked,
        "unknown": cards.issue(platform, "unknown-9", "hpki", folder / "unknown", "--role", "Dentist"),
        "unlinked": cards.issue(platform, "dentist-1", "jpki", folder / "unlinked"),
    }


def look(browser, name, language):
    """Pictures of the page at both widths, with what axe-core says of it; wider than the screen it must not be."""
    assert browser.eval("document.documentElement.lang") == language
    faults = []
    for width in WIDTHS:
        browser.screen(width, dark=width == 390)
        browser.screenshot(SHOTS / f"login-{name}-{width}-{language}.png")
        assert browser.eval("document.documentElement.scrollWidth") <= width, f"{name} is wider than {width}"
        if (width, language) in JUDGED:
            faults += browser.axe()
    browser.screen(1440)
    assert faults == [], name


def address(platform, kind=None, language="ja", **more):
    more = {**({"acr_values": contract.ACR[kind]} if kind else {}), **more}
    return platform.strict.authorization(ui_locales=language, **more)


def claim(browser, name):
    text = browser.text()
    found = re.search(rf"OIDC_CLAIM_{name}=(.*)", text)
    assert found, f"{browser.address}: {text[:800]}"
    return found[1].strip()


def test_both_cards_in_one_browser(platform, clinic, browser_with):
    """T6, T9, L4, L5, L6, F5, F19: HPKI card at one host, then My Number card at the other; scripts off."""
    browser = browser_with(*(cards.development(platform, "doctor-1", kind) for kind in contract.ACR))
    browser.screen(1440, script=False)
    for kind in ("hpki", "jpki", "hpki"):
        browser.call("Network.clearBrowserCookies")
        browser.open(clinic.place(kind))
        assert browser.address == clinic.place(kind), browser.text()[:800]
        assert claim(browser, "sub") == "doctor-1" and claim(browser, "acr") == contract.ACR[kind]
    # And without forgetting anything in between.
    first = claim(browser, "auth_time")
    pharmacy = platform.apaches["pharmacy"]
    if pharmacy.process is None:
        pharmacy.start()
    browser.open(pharmacy.place("jpki"))
    assert claim(browser, "acr") == "jpki-card" and claim(browser, "auth_time") >= first


def test_a_person_chooses_logs_in_and_logs_out(platform, clinic, browser_with):
    """T1, T9, L4, O1: with the choice, its back button, the page of sessions and the logout at the relying party."""
    browser = browser_with(cards.development(platform, "doctor-1", "hpki"))
    for language in LANGUAGES:
        browser.open(address(platform, language=language))
        look(browser, "choice", language)
    browser.language("ja")
    browser.open(clinic.place("any"))
    button = "document.querySelector('button[name=method][value=hpki-card]')"
    browser.click(button)
    assert claim(browser, "acr") == "hpki-card"
    # Back to the choice: the login is over, or can be made again; no page is a dead end (E20, F6).
    browser.act("history.back()")
    assert "405" not in browser.text()
    for language in LANGUAGES:
        browser.open(f"{platform.url}/sessions?lang={language}")
        assert "doctor-1" in browser.text()
        look(browser, "sessions", language)
    browser.open(clinic.logout_url())
    assert browser.address == f"{clinic.url}/bye.shtml"
    for language in LANGUAGES:
        browser.open(f"{clinic.instance.url}/oauth2/logout?ui_locales={language}&lang={language}")
        look(browser, "signed-out", language)
    assert browser.faults() == []


CASES = [
    ("no-card", None, "hpki", contract.NO_CARD),
    ("no-card-jpki", None, "jpki", contract.NO_CARD),
    ("expired", "expired", "hpki", contract.NO_CARD),
    ("wrong-card", "wrong", "hpki", {"F19"}),
    ("revoked", "revoked", "hpki", {"F18"}),
    ("unknown-user", "unknown", "hpki", {"F11"}),
    ("unlinked", "unlinked", "jpki", {"F20"}),
]


@pytest.mark.parametrize("name, card, kind, codes", CASES)
def test_each_error_page(platform, browser_with, odd, name, card, kind, codes):
    """F1, F2, F21 (no card, expired), F19, F18, F11, F20: our page, never the browser's own, in both languages."""
    browser = browser_with(*([odd[card]] if card else []))
    for language in LANGUAGES:
        browser.language(language)
        browser.call("Network.clearBrowserCookies")
        browser.open(address(platform, kind, language))
        assert contract.CARD_HOSTS[kind] in browser.address, browser.address
        code = browser.eval("document.querySelector('main a[href*=\"/help/\"]').href.split('/help/')[1].split('?')[0]")
        assert code in codes, f"{code}: {browser.text()[:600]}"
        look(browser, name, language)
    assert browser.faults() == []
    # Each links to its entry in the help, at the issuer's own address.
    browser.act("document.querySelector('main a[href*=\"/help/\"]').click()")
    assert browser.address.startswith(platform.url + "/help/") and code in browser.text()
    look(browser, f"help-{code}", "en")


def test_a_disabled_user(platform, browser_with):
    """F4."""
    holders = ("--home", platform.home, "--authority", "medis")
    shirushi("holders", "disable", "nurse-1", *holders)
    try:
        browser = browser_with(cards.development(platform, "nurse-1", "hpki"))
        for language in LANGUAGES:
            browser.open(address(platform, "hpki", language))
            assert "F4" in browser.text()
            look(browser, "disabled", language)
    finally:
        shirushi("holders", "enable", "nurse-1", *holders)


def test_another_person_at_the_same_browser(platform, browser_with):
    """E18: told plainly, in both languages, with a button."""
    first, second = cards.development(platform, "doctor-1", "hpki"), cards.development(platform, "dentist-1", "jpki")
    browser = browser_with(first, second)
    for language in LANGUAGES:
        browser.call("Network.clearBrowserCookies")
        sign_in_silently(browser, address(platform, "hpki", language))
        browser.open(address(platform, "jpki", language))
        assert "E18" in browser.text() and "doctor-1" in browser.text() and "dentist-1" in browser.text()
        look(browser, "different-user", language)

def sign_in_silently(browser, url):
    """Opens an address that ends at a relying system that does not exist: the browser's own page says so."""
    browser.events.clear()
    result = browser.call("Page.navigate", url=url)
    assert "errorText" in result or browser.wait("Page.loadEventFired"), result


def test_the_help_holds_the_whole_catalogue(platform, browser_with):
    """T10: all rows, also those that browsers and drivers produce, found by code and by words, on a phone too."""
    browser = browser_with()
    for language in LANGUAGES:
        browser.open(f"{platform.url}/help?lang={language}")
        text = browser.text()
        rows = [f"E{n}" for n in range(1, 26)] + [f"F{n}" for n in range(1, 25)]
        missing = [row for row in rows if not re.search(rf"\b{row}\b", text)]
        assert missing == []
        look(browser, "help", language)
    for row in ("F18", "f18", "E8"):
        browser.open(f"{platform.url}/help/{row}?lang=ja")
        assert row.upper() in browser.text()
    browser.screen(360)
    assert browser.eval("document.documentElement.scrollWidth") <= 360
