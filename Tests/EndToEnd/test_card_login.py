"""Logins by a card without a browser: what each card leads to, in both languages, and what stays behind."""

import re
import time
from urllib.parse import urljoin, urlsplit

import pytest

import cards
import contract
from instance import shirushi
from strict_client import error_of
from visitor import Visitor, code_of

LANGUAGES = ("ja", "en")


@pytest.fixture(scope="module")
def client(platform):
    return platform.strict


@pytest.fixture(scope="module")
def more(platform, tmp_path_factory):
    """Cards that the instance's holders do not have, by name."""
    folder = tmp_path_factory.mktemp("cards")
    own = {kind: cards.development(platform, "doctor-1", kind) for kind in contract.ACR}
    maker = cards.Maker(platform, folder / "strangers")
    made = {"none": {kind: None for kind in own}}
    made["expired"] = {kind: cards.issue(platform, "doctor-1", kind, folder / "old", "--expired") for kind in own}
    made["wrong"] = {"hpki": own["jpki"], "jpki": own["hpki"]}
    made["stranger"] = {
        kind: maker.like(
            card, f"stranger-{kind}", authority=cards.Authority.stranger(cards.Authority.of(platform.home, card.x509))
        )
        for kind, card in own.items()
    }
    made["other"] = {kind: cards.Card(*contract.authority_certificate(platform.home, "jma")) for kind in own}
    made["unknown"] = {
        "hpki": cards.issue(platform, "unknown-9", "hpki", folder / "unknown", "--role", "Dentist"),
        "jpki": cards.issue(platform, "dentist-1", "jpki", folder / "unlinked"),
    }
    made["revoked"] = {kind: cards.issue(platform, "director-1", kind, folder / "revoked") for kind in own}
    cards.link(platform, "director-1", made["revoked"]["jpki"])
    for card in made["revoked"].values():
        cards.revoke(platform, card)
    return made


def show(platform, client, kind, card, language="ja"):
    visitor = Visitor(platform, **{kind: card}, language=language)
    address = client.authorization(acr_values=contract.ACR[kind], ui_locales=language)
    return visitor, visitor.login(address, kind, client.is_redirect)


def explained(platform, page, codes, kind, language):
    """Asserts that the page is an error page, whole: code, time, correlation id, cause, next step, link to the help."""
    assert page.answer is not None, f"logged in: {page.url}"
    assert page.code in codes, f"{page.code}: {page.text[:600]}"
    assert 400 <= page.status < 500
    assert page.tree.xpath("/html/@lang") == [language]
    assert page.code in page.text and page.answer.headers["X-Request-Id"] in page.text
    assert re.search(r"20\d\d\D.*\d?\d:\d\d:\d\d", page.text) and "JST" in page.text
    assert len(page.tree.xpath("//ol/li")) >= 1 and len(page.tree.xpath("//ul/li")) >= 1, "no next step, or no cause"
    helped = platform.session().get(f"{platform.url}/help/{page.code}?lang={language}", timeout=30)
    assert helped.status_code == 200 and page.code in helped.text
    if language == "ja":
        words = contract.words(page.code, kind)
        assert words.replace(" ", "") in page.text.replace(" ", ""), f"not the words of the manual: {page.text[:600]}"


CASES = [
    ("none", "hpki", contract.NO_CARD),
    ("none", "jpki", contract.NO_CARD),
    ("expired", "hpki", contract.NO_CARD),
    ("expired", "jpki", contract.NO_CARD),
    ("wrong", "hpki", {"F19"}),
    ("wrong", "jpki", {"F19"}),
    ("stranger", "hpki", {"F19"}),
    ("stranger", "jpki", {"F19"}),
    ("other", "hpki", {"F19"}),
    ("revoked", "hpki", {"F18"}),
    ("revoked", "jpki", {"F18"}),
    ("unknown", "hpki", {"F11"}),
    ("unknown", "jpki", {"F20"}),
]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name, kind, codes", CASES)
def test_each_card_that_is_refused_has_its_page(platform, client, more, name, kind, codes, language):
    """F1, F2, F21 (no card, expired), F19 (wrong card, unknown issuer), F18, F11, F20, L9: each its own page."""
    deadline = time.monotonic() + (20 if name == "revoked" else 0)
    visitor, page = show(platform, client, kind, more[name][kind], language)
    while name == "revoked" and page.code != "F18" and time.monotonic() < deadline:
        time.sleep(0.5)  # The list was just published.
        visitor, page = show(platform, client, kind, more[name][kind], language)
    explained(platform, page, codes, kind, language)
    assert visitor.cookie(contract.SESSION_COOKIE) is None


@pytest.mark.parametrize("kind", contract.ACR)
def test_a_disabled_user_is_refused_by_either_card(platform, client, kind):
    """F4, L9: and is let in again when enabled."""
    holders = ("--home", platform.home, "--authority", "medis")
    shirushi("holders", "disable", "nurse-1", *holders)
    try:
        card = cards.development(platform, "nurse-1", kind)
        for language in LANGUAGES:
            _, page = show(platform, client, kind, card, language)
            explained(platform, page, {"F4"}, kind, language)
    finally:
        shirushi("holders", "enable", "nurse-1", *holders)
    _, page = show(platform, client, kind, card)
    client.code(page)


@pytest.mark.parametrize("first, second", [("hpki", "jpki"), ("jpki", "hpki")])
def test_a_login_with_the_other_card_follows_in_the_same_browser(platform, client, first, second):
    """F5, F19, T6: each card has a host of its own, and no state of one login meets the other."""
    own = {kind: cards.development(platform, "doctor-1", kind) for kind in contract.ACR}
    visitor = Visitor(platform, **own)
    for kind in (first, second, first):
        tokens = client.login(visitor, kind, acr_values=contract.ACR[kind], prompt="login")
        assert tokens.claims["acr"] == contract.ACR[kind] and tokens.claims["sub"] == "doctor-1"


def test_after_a_wrong_card_the_right_one_is_taken(platform, client, more):
    """F19, L4: the next try is a button on the page, without closing the browser."""
    visitor, page = show(platform, client, "hpki", more["wrong"]["hpki"])
    assert page.code == "F19"
    visitor.cards["hpki"] = cards.development(platform, "doctor-1", "hpki")
    links = page.tree.xpath("//main//a/@href[contains(., '/login')]")
    if links:
        page = visitor.login(urljoin(page.url, links[0]), until=client.is_redirect)
    else:
        page = visitor.submit(page, lambda *_: True, client.is_redirect)
    assert client.redeem(client.code(page)).claims["sub"] == "doctor-1"


def test_the_card_s_old_and_new_authority_are_both_taken(platform, client):
    """L10, L11: pharmacist-1's card is of the authority's old key; the upper certificates never come from the PC."""
    old, new = (cards.development(platform, holder, "jpki") for holder in ("pharmacist-1", "doctor-1"))
    assert old.x509.issuer == new.x509.issuer
    authorities = [cards.Authority.of(platform.home, card.x509).certificate for card in (old, new)]
    assert authorities[0].public_key() != authorities[1].public_key()
    assert old.certificate.read_text().count("BEGIN CERTIFICATE") == 1
    for holder, card in (("pharmacist-1", old), ("doctor-1", new)):
        _, page = show(platform, client, "jpki", card)
        assert client.redeem(client.code(page)).claims["sub"] == holder


def test_another_person_s_session_is_told_and_can_be_switched(platform, client):
    """E18, F6: the one who is logged in is named, and is logged out only by the button."""
    visitor = Visitor(platform, cards.development(platform, "doctor-1", "hpki"))
    first = client.login(visitor, acr_values="hpki-card")
    visitor.cards["hpki"] = cards.development(platform, "dentist-1", "hpki")
    page = visitor.login(client.authorization(acr_values="hpki-card", prompt="login"), until=client.is_redirect)
    explained_switch(page)
    assert client.introspect(first.access)["active"] is True
    page = visitor.submit(page, lambda *_: True, client.is_redirect)  # The first button is the one to switch.
    if page.answer is not None:
        page = visitor.login(page.url, until=client.is_redirect)
    second = client.redeem(client.code(page))
    assert second.claims["sub"] == "dentist-1" and second.claims["sid"] != first.claims["sid"]
    assert client.introspect(first.access) == {"active": False}


def explained_switch(page):
    assert page.answer is not None and page.status == 409, f"{page.url} {page.status}"
    assert "E18" in page.text and "doctor-1" in page.text and contract.words("E18", None) in page.text, page.text


def test_a_hint_for_somebody_else_does_not_give_out_the_session(platform, client):
    """E18: the relying system asks for dentist-1 while doctor-1 is logged in."""
    visitor = Visitor(platform, cards.development(platform, "doctor-1", "hpki"))
    client.login(visitor, acr_values="hpki-card")
    silent = visitor.open(client.authorization(login_hint="dentist-1", prompt="none"), until=client.is_redirect)
    assert error_of(silent) in ("login_required", "interaction_required", "account_selection_required")
    visitor.cards["hpki"] = cards.development(platform, "dentist-1", "hpki")
    page = visitor.open(client.authorization(login_hint="dentist-1", acr_values="hpki-card"), until=client.is_redirect)
    explained_switch(page)
    assert "dentist-1" in page.text
    page = visitor.submit(page, lambda name, value: (name, value) == ("action", "switch"), client.is_redirect)
    assert contract.CARD_HOSTS["hpki"] in page.hosts(), "no card was asked for"
    assert client.redeem(client.code(page)).claims["sub"] == "dentist-1"


def test_back_and_reload_are_safe(platform, client):
    """E20, F6: every address of a login can be opened again; none is an error that a person must read twice."""
    visitor = Visitor(platform, cards.development(platform, "doctor-1", "hpki"))
    page = visitor.open(client.authorization())
    choice = page.url
    assert visitor.open(choice).status == 200
    page = visitor.submit(page, lambda _, value: value == "hpki-card", client.is_redirect)
    client.redeem(client.code(page))
    for url in [choice, *page.trail[1:-1]]:
        again = visitor.open(url, until=client.is_redirect)
        assert again.answer is None or again.status < 500, f"{url}: {again.status} {again.text[:300]}"
        assert again.answer is None or again.code or again.status == 200, f"{url}: no page of ours"
    # And the login that was done before still stands.
    client.code(visitor.open(client.authorization(prompt="none"), until=client.is_redirect))


def test_a_wrong_method_has_a_page(platform):
    """E20: 405 with code, time, where it came from, and the methods that there are."""
    session = platform.session()
    session.headers["Accept-Language"] = "ja"
    for method, path in (("DELETE", "/login"), ("GET", "/sessions/end"), ("PUT", "/oauth2/authorize")):
        answer = session.request(method, platform.url + path, headers={"Accept": "text/html"}, timeout=30)
        assert answer.status_code == 405 and answer.headers["Allow"], f"{method} {path}: {answer.status_code}"
        assert answer.headers["Content-Type"].startswith("text/html"), f"{method} {path}"
        assert code_of(answer.text) == "E20" and contract.words("E20", None) in answer.text


def test_a_login_begins_at_a_relying_system(platform):
    """T9, F6: the page of the choice by itself explains that, and offers no login to nowhere."""
    page = Visitor(platform).open(f"{platform.url}/login")
    assert page.code in ("F6", "E15", "E19") and 400 <= page.status < 500
    assert not page.tree.xpath("//button[@name='method']")


def test_each_address_serves_its_own_part(platform, client):
    """T2, T3, T4, T5, T6: no portal, no device page, no endpoint of the issuer at a card's host, nor the reverse."""
    session = platform.session()
    hosts = {f"https://{host}:{getattr(platform, kind + '_port')}" for kind, host in contract.CARD_HOSTS.items()}
    for host in hosts:
        for path in ("/oauth2/authorize", "/.well-known/openid-configuration", "/v1/prescriptions", "/sessions"):
            assert session.get(host + path, timeout=30).status_code == 404, host + path
    for path in ("/login/card", "/index.html", "/adc/auth", "/auth/realms/mediauth"):
        assert session.get(platform.url + path, timeout=30).status_code == 404, path
    visitor = Visitor(platform)
    address = visitor.open(client.authorization()).url
    assert re.fullmatch(r"ceremony=[\w-]+", urlsplit(address).query), "the address tells more than the ceremony"


def test_the_pages_bear_the_product_s_name_and_no_other(platform, client):
    """T1, T7: on the choice, on an error and on the help."""
    visitor = Visitor(platform)
    for url in (client.authorization(), client.authorization(acr_values="hpki-card"), f"{platform.url}/help"):
        assert contract.PRODUCT in visitor.open(url).tree.xpath("string(//title)")


def test_the_serial_numbers_of_cards_are_in_no_log(platform, client, more, tmp_path):
    """L9: neither in the service's log nor in an export of the audit's."""
    for name in ("revoked", "unknown"):
        show(platform, client, "jpki", more[name]["jpki"])
    shirushi("audit", "export", "--home", platform.home, "--out", tmp_path / "log.jsonl")
    text = (platform.log.read_text(errors="replace") + (tmp_path / "log.jsonl").read_text()).lower()
    assert "doctor-1" in text
    for card in (more["revoked"]["jpki"], more["unknown"]["jpki"], cards.development(platform, "doctor-1", "jpki")):
        serial = card.x509.serial_number
        assert str(serial) not in text and f"{serial:x}" not in text
