"""Cards over time: renewed, revoked while logged in, slow at the PIN; each test leaves its own trace in an instance."""

import time

import pytest

import cards
import contract
import documents
import platform_clients
from instance import Instance, shirushi
from strict_client import error_of
from visitor import Visitor

LONG_ENOUGH = 20
CHOICE_SECONDS = 3


@pytest.fixture(scope="module")
def aging(tmp_path_factory, shim):
    """An instance whose cards change, and where choosing a card and typing the PIN may take three seconds."""
    instance = Instance(tmp_path_factory.mktemp("aging") / "home", shim=shim)
    platform_clients.prepare(instance)
    instance.configure(lambda settings: settings["platform"].update(choice=f"{CHOICE_SECONDS}s"))
    instance.start()
    yield instance
    instance.kill()


@pytest.fixture
def client(aging):
    return aging.strict


def login(aging, kind, card, **more):
    visitor = Visitor(aging, **{kind: card})
    client = aging.strict
    address = client.authorization(acr_values=contract.ACR[kind], **more)
    return visitor, visitor.login(address, kind, client.is_redirect)


def sub(aging, page):
    return aging.strict.redeem(aging.strict.code(page)).claims["sub"]


def silent_error(visitor, client):
    """Why a relying system gets no code without a word to the person; None where it gets one."""
    return error_of(visitor.open(client.authorization(prompt="none"), until=client.is_redirect))


def until(true, what):
    deadline = time.monotonic() + LONG_ENOUGH
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.3)


def test_a_renewed_hpki_card_is_the_same_person_s(aging, tmp_path):
    """L4, T8: the 本人ID in the certificate tells; nobody does anything."""
    renewed = cards.issue(aging, "doctor-1", "hpki", tmp_path)
    assert renewed.x509.serial_number != cards.development(aging, "doctor-1", "hpki").x509.serial_number
    assert sub(aging, login(aging, "hpki", renewed)[1]) == "doctor-1"


def test_a_card_of_the_authority_s_old_key_is_taken(aging, tmp_path):
    """L11, L10: HPKI authorities changed their keys too, under one name."""
    old = cards.issue(aging, "dentist-1", "hpki", tmp_path, "--generation", "old")
    new = cards.development(aging, "dentist-1", "hpki")
    assert old.x509.issuer == new.x509.issuer
    assert cards.Authority.of(aging.home, old.x509) != cards.Authority.of(aging.home, new.x509)
    for card in (old, new):
        assert sub(aging, login(aging, "hpki", card)[1]) == "dentist-1"


def test_a_renewed_my_number_card_without_a_proof_is_unlinked(aging, tmp_path):
    """F20: no guess by name, by key or by time; and the old link stays."""
    renewed = cards.issue(aging, "nurse-1", "jpki", tmp_path)
    visitor, page = login(aging, "jpki", renewed)
    assert page.code == "F20" and contract.words("F20", None) in page.text
    assert visitor.cookie(contract.SESSION_COOKIE) is None
    assert sub(aging, login(aging, "jpki", cards.development(aging, "nurse-1", "jpki"))[1]) == "nurse-1"


def test_a_renewed_my_number_card_with_a_proof_is_followed(aging, tmp_path):
    """F20, L5, L11: from the old generation to the new, with the word of the link service; the old card is out then."""
    old = cards.development(aging, "pharmacist-1", "jpki")
    renewed = cards.issue(aging, "pharmacist-1", "jpki", tmp_path)
    cards.follows(aging, renewed, old)
    assert sub(aging, login(aging, "jpki", renewed)[1]) == "pharmacist-1"
    assert sub(aging, login(aging, "jpki", renewed)[1]) == "pharmacist-1"
    assert login(aging, "jpki", old)[1].code == "F20"


def test_a_proof_about_a_stranger_s_card_links_nothing(aging, tmp_path):
    """F20: the word of the link service is about cards that are linked, or about none of ours."""
    first, second = (cards.issue(aging, "nurse-1", "jpki", tmp_path / name) for name in ("a", "b"))
    cards.follows(aging, second, first)
    assert login(aging, "jpki", second)[1].code == "F20"


@pytest.mark.parametrize("kind", contract.ACR)
def test_a_card_that_is_revoked_while_logged_in_ends_the_session(aging, client, tmp_path, kind):
    """F18, L9: the session, its tokens, and the next login."""
    card = cards.issue(aging, "director-1", kind, tmp_path)
    if kind == "jpki":
        cards.link(aging, "director-1", card)
    visitor = Visitor(aging, **{kind: card})
    tokens = client.login(visitor, kind, acr_values=contract.ACR[kind])
    documents.document_of(tokens.ask("POST", "/v1/prescriptions", documents.prescribing()))
    cards.revoke(aging, card)
    until(lambda: silent_error(visitor, client) == "login_required", "the session outlives its card")
    until(
        lambda: tokens.ask("POST", "/v1/prescriptions", documents.prescribing()).status_code == 401,
        "the token outlives its card",
    )
    page = visitor.login(client.authorization(acr_values=contract.ACR[kind]), kind, client.is_redirect)
    assert page.code == "F18" and contract.words("F18", kind) in page.text


def test_a_user_who_is_disabled_loses_the_session(aging, client):
    """F4, L9."""
    visitor = Visitor(aging, cards.development(aging, "nurse-1", "hpki"))
    tokens = client.login(visitor, acr_values="hpki-card")
    shirushi("holders", "disable", "nurse-1", "--home", aging.home, "--authority", "medis")
    until(lambda: client.introspect(tokens.access) == {"active": False}, "the token outlives its user")
    assert silent_error(visitor, client) == "login_required"
    shirushi("holders", "enable", "nurse-1", "--home", aging.home, "--authority", "medis")


class TestPIN:
    """From the request for a certificate to its answer there is a time: a handshake that pauses shows it."""

    def begin(self, aging, client, language="ja"):
        visitor = Visitor(aging, language=language)
        address = client.authorization(acr_values="hpki-card", ui_locales=language)
        page = visitor.open(address, until=lambda url: contract.CARD_HOSTS["hpki"] in url)
        return visitor, page.url

    @pytest.mark.parametrize("language", ["ja", "en"])
    def test_too_slow(self, aging, client, language):
        """F17, X9: our page says why, and the TLS connection was not cut."""
        visitor, address = self.begin(aging, client, language)
        page = visitor.slow_get(address, cards.development(aging, "doctor-1", "hpki"), CHOICE_SECONDS + 1)
        assert page.status == 403 and page.code == "F17", f"{page.status} {page.text[:500]}"
        assert language == "en" or contract.words("F17", None) in page.text
        assert page.answer.headers["X-Request-Id"] in page.text and "JST" in page.text

    def test_in_time(self, aging, client):
        """X9, L4: a pause that is short enough is none."""
        visitor, address = self.begin(aging, client)
        page = visitor.slow_get(address, cards.development(aging, "doctor-1", "hpki"), CHOICE_SECONDS - 2)
        assert page.status == 303, page.text[:500]
        assert sub(aging, visitor.open(page.answer.headers["Location"], until=client.is_redirect)) == "doctor-1"

    def test_after_the_slow_one_the_next_is_taken(self, aging, client):
        """F17: the same login goes on."""
        card = cards.development(aging, "doctor-1", "hpki")
        visitor, address = self.begin(aging, client)
        assert visitor.slow_get(address, card, CHOICE_SECONDS + 1).code == "F17"
        visitor.cards["hpki"] = card
        page = visitor.open(address, until=client.is_redirect)
        assert sub(aging, page) == "doctor-1"
