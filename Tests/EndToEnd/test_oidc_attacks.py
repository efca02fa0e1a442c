"""Attacks on the authorization endpoint and on the login by way of the browser (RFC 9700)."""

import time
from urllib.parse import urlsplit

import pytest
from joserfc.jwk import ECKey

import cards
import contract
from strict_client import REDIRECT, error_of
from visitor import Visitor


@pytest.fixture
def client(platform):
    return platform.strict


@pytest.fixture
def plain(platform):
    return platform.plain


def visitor_of(platform, holder="doctor-1"):
    return Visitor(platform, cards.development(platform, holder, "hpki"))


@pytest.fixture
def visitor(platform):
    return visitor_of(platform)


def is_at_card(url):
    return urlsplit(url).hostname in contract.CARD_HOSTS.values()


def is_way_back(url):
    return urlsplit(url).path == "/login/continue"


def is_refused_here(page, *codes):
    """Asserts that the person sees an error at the platform, and that the browser went nowhere else."""
    assert page.answer is not None, f"sent on to {page.url}"
    assert 400 <= page.status < 500 and page.code in codes, f"{page.status} {page.code} {page.text[:500]}"


def has_no_session(visitor):
    return visitor.cookie(contract.SESSION_COOKIE) is None


class TestRedirects:
    """An address that was not registered, letter by letter, gets nothing, not even an error."""

    @pytest.mark.parametrize(
        "address",
        [
            REDIRECT + "/",
            REDIRECT + "?",
            REDIRECT + "?a=b",
            REDIRECT + "#",
            REDIRECT + "#fragment",
            REDIRECT + "/../callback",
            REDIRECT + "%2f",
            REDIRECT + " ",
            REDIRECT.replace("callback", "Callback"),
            REDIRECT.replace("callback", "%63allback"),
            REDIRECT.replace("callback", "./callback"),
            REDIRECT.replace("/callback", "//callback"),
            REDIRECT.replace("/callback", "\\callback"),
            REDIRECT.replace("https", "http"),
            REDIRECT.replace("https", "HTTPS"),
            REDIRECT.replace("rp.example", "RP.example"),
            REDIRECT.replace("rp.example", "rp.example."),
            REDIRECT.replace("rp.example", "rp.example:443"),
            REDIRECT.replace("rp.example", "rp.example.attacker.example"),
            REDIRECT.replace("rp.example", "rp.example@attacker.example"),
            REDIRECT.replace("rp.example", "attacker.example#rp.example"),
            "https://attacker.example/callback",
            "//rp.example/callback",
            "javascript:alert(1)//" + REDIRECT,
            "http://127.0.0.1/callback",
            "",
            None,
        ],
    )
    def test_refused(self, platform, plain, client, address):
        page = Visitor(platform).open(plain.address(plain.parameters(redirect_uri=address)))
        is_refused_here(page, "O-invalid_request", "O-invalid_redirect_uri")
        assert error_of(client.push(client.parameters(redirect_uri=address))) == "invalid_request"

    def test_a_port_may_differ_for_nobody_else(self, platform):
        """RFC 8252 §7.3 is for public clients on loopback alone."""
        adapter = platform.adapter
        for address in ("http://127.0.0.1:3000/other", "http://localhost:3000/callback", "http://127.0.0.2/callback"):
            assert adapter.push(adapter.parameters(redirect_uri=address)).status_code == 400, address

    def test_after_a_logout(self, platform, client, visitor):
        """No open redirect at the end of a session."""
        tokens = client.login(visitor, acr_values="hpki-card")
        for target in ("https://attacker.example/", client.redirect):
            page = visitor.open(
                f"{client.endpoint('logout')}?id_token_hint={tokens.id_token}&post_logout_redirect_uri={target}"
            )
            assert page.answer is not None and page.url.startswith(platform.url), page.url


class TestRequests:
    @pytest.mark.parametrize(
        "changed",
        [
            {"code_challenge": None},
            {"code_challenge_method": None},
            {"code_challenge_method": "plain"},
            {"code_challenge": "short"},
            {"code_challenge": "A" * 44},
            {"response_type": None},
            {"response_type": "token"},
            {"response_type": "code id_token"},
            {"response_mode": "fragment"},
            {"scope": "openid admin"},
            {"scope": None},
            {"prompt": "none login"},
            {"max_age": "-1"},
            {"max_age": "soon"},
            {"acr_values": "password"},
            {"resource": "https://elsewhere.example"},
        ],
        ids=str,
    )
    def test_faults_are_told_to_the_client_with_the_issuer(self, platform, plain, client, changed):
        """PKCE downgrade and other faults; RFC 9207: `iss` against mix-up in errors too."""
        page = Visitor(platform).open(plain.address(plain.parameters(**changed)), until=plain.is_redirect)
        assert page.answer is None and page.query["error"] and "code" not in page.query, page.url
        assert page.query["iss"] == platform.url and page.query["state"]
        pushed = client.push(client.parameters(**changed))
        assert pushed.status_code == 400 and error_of(pushed) == page.query["error"]

    @pytest.mark.parametrize("name", ["client_id", "redirect_uri", "state", "scope", "code_challenge", "response_type"])
    def test_a_doubled_parameter_is_refused(self, platform, plain, client, name):
        """Who reads the first and who reads the last would see two requests."""
        parameters = plain.parameters()
        doubled = [*parameters.items(), (name, parameters[name])]
        is_refused_here(Visitor(platform).open(plain.address(doubled)), "O-invalid_request")
        form = [*client.parameters().items(), *client.credentials().items(), (name, parameters[name])]
        assert error_of(client.post("pushed_authorize", form, proof=False)) in ("invalid_request", "invalid_client")

    def test_a_strict_client_must_push(self, platform, client):
        page = Visitor(platform).open(client.address(client.parameters()), until=client.is_redirect)
        assert page.answer is not None or page.query["error"] == "unauthorized_client"
        assert "code" not in page.query

    def test_a_client_that_nobody_registered(self, platform, client):
        page = Visitor(platform).open(client.address(client.parameters(client_id="stranger")))
        is_refused_here(page, "O-invalid_client")

    def test_a_pushed_request_is_for_one_client_and_one_browser(self, platform, client):
        address = client.authorization(acr_values="hpki-card")
        request = address.split("request_uri=")[1]
        foreign = f"{client.endpoint('authorize')}?client_id={platform.other.name}&request_uri={request}"
        is_refused_here(visitor_of(platform).open(foreign), "O-invalid_request_uri")
        first = visitor_of(platform)
        client.code(first.login(address, until=client.is_redirect))
        is_refused_here(visitor_of(platform, "dentist-1").open(address), "O-invalid_request_uri")

    @pytest.mark.parametrize("reference", ["urn:ietf:params:oauth:request_uri:x", "https://rp.example/request.jwt", ""])
    def test_a_reference_to_nothing(self, platform, client, reference):
        page = Visitor(platform).open(client.address({"client_id": client.name, "request_uri": reference}))
        is_refused_here(page, "O-invalid_request_uri", "O-invalid_request")


STRANGER = ECKey.generate_key("P-256")


def unsigned(client):
    head, body, _ = client.request_object().split(".")
    return f"eyJhbGciOiJub25lIn0.{body}."


class TestRequestObjects:
    """RFC 9101 §10, RFC 9700: what a JWT may not bring in."""

    @pytest.mark.parametrize(
        "made",
        [
            unsigned,
            lambda client: client.request_object(key=STRANGER),
            lambda client: client.request_object(key=client.instance.other.key),
            lambda client: client.request_object(iss="e2e-other"),
            lambda client: client.request_object(client_id="e2e-other"),
            lambda client: client.request_object(aud="https://elsewhere.example"),
            lambda client: client.request_object(aud=None),
            lambda client: client.request_object(exp=int(time.time()) - 120),
            lambda client: client.request_object(exp=None),
            lambda client: client.request_object(exp=int(time.time()) + 10**6),
            lambda client: client.request_object(nbf=int(time.time()) + 600),
            lambda client: client.request_object(request_uri="https://attacker.example/"),
            lambda client: client.request_object(request="e30.e30."),
            lambda client: client.assertion(),
            lambda client: client.request_object()[:-8],
            lambda client: "e30",
        ],
    )
    def test_refused(self, client, made):
        answer = client.push({"client_id": client.name, "request": made(client)})
        assert answer.status_code == 400, answer.text
        assert error_of(answer) in ("invalid_request_object", "invalid_request", "request_not_supported")

    def test_of_a_client_without_keys(self, platform):
        adapter = platform.adapter
        answer = adapter.push({"client_id": adapter.name, "request": adapter.request_object()})
        assert answer.status_code == 400


class TestBrowsers:
    """Cross-site request forgery, login forgery, session fixation: what is begun in one browser ends there."""

    def test_a_way_back_in_another_browser_opens_nothing(self, platform, client, visitor):
        """F6: with the cookie of a login of its own, and without any."""
        back = visitor.login(client.authorization(acr_values="hpki-card"), until=is_way_back).url
        victim = Visitor(platform)
        victim.open(client.authorization(acr_values="hpki-card"), until=is_at_card)
        page = victim.open(back)
        is_refused_here(page, "F6", "E15", "E19")
        assert has_no_session(victim)
        back = visitor.login(client.authorization(acr_values="hpki-card"), until=is_way_back).url
        stranger = Visitor(platform)
        is_refused_here(stranger.open(back), "F6", "E15", "E19")
        assert has_no_session(stranger)

    def test_a_login_begun_elsewhere_is_not_shown(self, platform, client):
        """F6: the address of the choice is of no use without the cookie."""
        address = Visitor(platform).open(client.authorization()).url
        assert urlsplit(address).path == "/login"
        is_refused_here(Visitor(platform).open(address), "F6", "E15")

    def test_a_victim_s_card_opens_nothing_for_whoever_sent_the_link(self, platform, client):
        """F6: the attacker begins, the victim shows the card; neither of them is logged in."""
        attacker, victim = Visitor(platform), visitor_of(platform)
        began = attacker.open(client.authorization(acr_values="hpki-card"), until=is_at_card)
        is_refused_here(victim.open(began.url), "F6", "E15", "E19")
        assert has_no_session(victim)
        silent = attacker.open(client.authorization(prompt="none"), until=client.is_redirect)
        assert error_of(silent) == "login_required" and has_no_session(attacker)

    def test_a_form_from_elsewhere_chooses_nothing(self, platform, client):
        """F6: neither without the page's own field nor from another site."""
        visitor = visitor_of(platform)
        page = visitor.open(client.authorization())
        action, fields = page.form(lambda _, value: value == "hpki-card")
        bare = {name: value for name, value in fields.items() if name in ("method", "ceremony")}
        stranger = Visitor(platform)
        for who, form in ((stranger, fields), (stranger, bare), (visitor, bare)):
            page = who.open(action, form, until=is_at_card)
            assert page.answer is not None and page.status >= 400, page.url
        client.code(visitor.open(action, fields, until=client.is_redirect))

    def test_a_link_does_not_log_out(self, platform, client, visitor):
        """O1: without the relying system's ID token the person is asked first."""
        client.login(visitor, acr_values="hpki-card")
        page = visitor.open(client.endpoint("logout"))
        assert page.status == 200
        client.code(visitor.open(client.authorization(prompt="none"), until=client.is_redirect))

    def test_the_cookie_of_a_session_is_renewed_by_a_login(self, platform, client):
        """Session fixation: a cookie that was planted is not taken over."""
        visitor = visitor_of(platform)
        planted = "planted-" + "0" * 56
        visitor.session.cookies.set(contract.SESSION_COOKIE, planted, domain="localhost.local", secure=True)
        client.code(visitor.login(client.authorization(acr_values="hpki-card"), until=client.is_redirect))
        values = {each.value for each in visitor.session.cookies if each.name == contract.SESSION_COOKIE}
        assert values - {planted}

    def test_no_page_can_be_framed(self, platform, client):
        """Clickjacking: every page forbids frames and anything inline."""
        visitor = visitor_of(platform)
        choice = visitor.open(client.authorization())
        lost = Visitor(platform).open(client.authorization(acr_values="hpki-card"))
        sessions = visitor.open(f"{platform.url}/sessions")
        helped = visitor.open(f"{platform.url}/help/F18")
        for page in (choice, lost, sessions, helped):
            policy = page.answer.headers["Content-Security-Policy"]
            assert "frame-ancestors 'none'" in policy and "default-src 'none'" in policy, page.url
            assert "unsafe-" not in policy
            assert page.answer.headers["X-Frame-Options"] == "DENY"
            assert page.answer.headers["X-Content-Type-Options"] == "nosniff"
            assert page.tree.xpath("//@onclick | //@onload | //script[not(@src)] | //@style | //style") == []


def test_every_answer_names_the_issuer(platform, client, visitor):
    """Mix-up (RFC 9207): `iss` beside the code, as the metadata promise."""
    page = visitor.login(client.authorization(acr_values="hpki-card"), until=client.is_redirect)
    assert page.query["iss"] == client.metadata["issuer"]
    assert set(page.query) == {"code", "state", "iss"}
