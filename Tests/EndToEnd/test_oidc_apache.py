"""A certified relying party, Apache with mod_auth_openidc, against a live instance: logins, single sign-on, logouts."""

import time
from urllib.parse import parse_qs, urlsplit

import pytest

import cards
import contract
import documents
from visitor import Visitor

LONG_ENOUGH = 15


@pytest.fixture(scope="module")
def apaches(platform):
    for each in platform.apaches.values():
        if each.process is None:
            each.start()
    return platform.apaches


@pytest.fixture
def clinic(apaches):
    return apaches["clinic"]


@pytest.fixture
def pharmacy(apaches):
    return apaches["pharmacy"]


@pytest.fixture
def visitor(platform):
    return Visitor(platform, *(cards.development(platform, "doctor-1", kind) for kind in ("hpki", "jpki")))


def request_of(page):
    """What Apache asked the platform for."""
    address = next(url for url in page.trail if urlsplit(url).path == "/oauth2/authorize")
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def cards_shown(page):
    return [kind for kind, host in contract.CARD_HOSTS.items() for each in page.hosts() if each == host]


def claims(rp, page):
    found = rp.claims(page)
    assert found and "sub" in found, f"{page.url} {page.status} {page.code} {page.text[:800]}\n{rp.log()}"
    return found


def until(true, what):
    deadline = time.monotonic() + LONG_ENOUGH
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


@pytest.mark.parametrize("kind", ["hpki", "jpki"])
def test_logs_in_by_a_card(platform, clinic, visitor, kind):
    """T6, T9, L4, L5: a redirect from the relying system, the card at its own host, and back with code, PKCE, nonce."""
    started = int(time.time())
    page = visitor.open(clinic.place(kind))
    found, asked = claims(clinic, page), request_of(page)
    assert asked["response_type"] == "code" and asked["code_challenge_method"] == "S256"
    assert asked["acr_values"] == contract.ACR[kind] and asked["max_age"] == "64800"
    assert found["nonce"] == asked["nonce"]
    assert found["sub"] == "doctor-1" and found["acr"] == contract.ACR[kind]
    assert set(found["amr"].split(",")) == contract.AMR
    assert found["iss"] == platform.url and found["aud"] == "clinic"
    assert started - 1 <= int(found["auth_time"]) <= time.time()
    assert cards_shown(page) == [kind]


def test_a_choice_is_offered_where_the_relying_system_leaves_it_open(clinic, visitor):
    """T9, L4, L5."""
    page = visitor.open(clinic.place("any"))
    assert urlsplit(page.url).path == "/login" and page.status == 200 and not cards_shown(page)
    page = visitor.submit(page, lambda _, value: value == "jpki-card")
    assert claims(clinic, page)["acr"] == "jpki-card"


def test_one_login_serves_both_relying_systems(clinic, pharmacy, visitor):
    """L6: the second relying system gets its code without a card."""
    first = claims(clinic, visitor.open(clinic.place("hpki")))
    page = visitor.open(pharmacy.place("hpki"))
    second = claims(pharmacy, page)
    assert cards_shown(page) == [] and len(page.trail) <= 5
    assert second["aud"] == "pharmacy" and second["sid"] == first["sid"] and second["auth_time"] == first["auth_time"]


def test_a_login_by_one_method_does_not_serve_for_another(clinic, pharmacy, visitor):
    """L5, L6: `acr_values` tells the methods apart."""
    claims(clinic, visitor.open(clinic.place("hpki")))
    page = visitor.open(pharmacy.place("jpki"))
    assert claims(pharmacy, page)["acr"] == "jpki-card" and cards_shown(page) == ["jpki"]


def test_max_age_wants_a_new_login(clinic, pharmacy, visitor):
    """L7: what a relying system asks for may be shorter than the 18 hours."""
    first = claims(clinic, visitor.open(clinic.place("hpki")))
    time.sleep(2.1)
    page = visitor.login(pharmacy.place("recent"))
    second = claims(pharmacy, page)
    assert cards_shown(page) == ["hpki"] and int(second["auth_time"]) > int(first["auth_time"])


def test_prompt_login_wants_a_card_though_there_is_a_session(clinic, pharmacy, visitor):
    """L6."""
    claims(clinic, visitor.open(clinic.place("hpki")))
    page = visitor.login(pharmacy.place("again"))
    claims(pharmacy, page)
    assert cards_shown(page) == ["hpki"]


def test_prompt_none_shows_nothing(clinic, pharmacy, visitor):
    """L6: an answer at once, with a session and without one."""
    page = visitor.open(pharmacy.place("silent"))
    answers = [parse_qs(urlsplit(url).query) for url in page.trail if url.startswith(pharmacy.redirect)]
    assert [answer["error"] for answer in answers] == [["login_required"]] and not cards_shown(page)
    assert answers[0]["iss"] == [clinic.instance.url]
    claims(clinic, visitor.open(clinic.place("hpki")))
    visitor.session.cookies.clear(domain=pharmacy.host)
    page = visitor.open(pharmacy.place("silent"))
    assert claims(pharmacy, page)["sub"] == "doctor-1" and not cards_shown(page)


def test_a_relying_party_proves_itself_by_its_key(apaches, visitor):
    """T9: `private_key_jwt` as Apache makes it."""
    hospital = apaches["hospital"]
    assert claims(hospital, visitor.open(hospital.place("hpki")))["aud"] == "hospital"


def test_the_session_s_cookie_is_hardened_and_ends_with_the_window(platform, clinic, visitor):
    """L7, X8: 18 hours from the login, and no longer."""
    claims(clinic, visitor.open(clinic.place("hpki")))
    cookie = visitor.cookie(contract.SESSION_COOKIE)
    assert cookie.secure and cookie.path == "/" and not cookie.domain_specified
    assert cookie.has_nonstandard_attr("HttpOnly") and cookie.get_nonstandard_attr("SameSite") == "Lax"
    assert time.time() + contract.SESSION_SECONDS - 120 < cookie.expires <= time.time() + contract.SESSION_SECONDS + 1
    # A second relying system, later, does not make it longer.
    time.sleep(1.1)
    visitor.open(platform.apaches["pharmacy"].place("hpki"))
    assert visitor.cookie(contract.SESSION_COOKIE).expires == cookie.expires


def test_logout_at_one_ends_all(platform, clinic, pharmacy, visitor):
    """O1: the platform's login state is gone, the other relying system is told, and tokens end within seconds."""
    token = claims(clinic, visitor.open(clinic.place("hpki")))["access_token"]
    claims(pharmacy, visitor.open(pharmacy.place("hpki")))
    documents.document_of(platform.prescribe(documents.prescribing(), token=token))
    page = visitor.open(clinic.logout_url())
    assert page.url == f"{clinic.url}/bye.shtml", f"{page.trail} {page.status} {page.text[:500]}"
    assert not clinic.knows(visitor)
    assert visitor.cookie(contract.SESSION_COOKIE) is None, "the cookie stays after the logout"
    until(lambda: not pharmacy.knows(visitor), f"the back-channel logout did not come:\n{pharmacy.log()}")
    until(
        lambda: platform.prescribe(documents.prescribing(), token=token).status_code == 401,
        "the signing service still takes the token",
    )
    page = visitor.open(pharmacy.place("hpki"))
    claims(pharmacy, page)
    assert cards_shown(page) == ["hpki"], "no card was asked for after the logout"


def test_logout_of_one_browser_leaves_another_s_session(platform, clinic, visitor):
    """O1."""
    other = Visitor(platform, cards.development(platform, "dentist-1", "hpki"))
    claims(clinic, visitor.open(clinic.place("hpki")))
    assert claims(clinic, other.open(clinic.place("hpki")))["sub"] == "dentist-1"
    visitor.open(clinic.logout_url())
    time.sleep(1.5)
    assert clinic.knows(other)
