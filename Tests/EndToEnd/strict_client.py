"""A relying system of the strict profile: authlib, with the DPoP (RFC 9449) that it lacks made by joserfc."""

import hashlib
import json
import secrets
import time
from urllib.parse import parse_qs, urlencode, urlsplit

import yaml
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.integrations.requests_client.oauth2_session import OAuth2Auth
from authlib.oauth2.rfc7523 import PrivateKeyJWT, private_key_jwt_sign
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

import cards
import contract
from tokens import b64url
from visitor import Visitor

ALGORITHMS = ["ES256"]
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
REDIRECT = "https://rp.example/callback"
SCOPE = "openid profile sign"


class DPoP:
    """A key, and proofs that whoever sends a request holds it."""

    def __init__(self):
        self.key = ECKey.generate_key("P-256")
        self.nonces = {}

    @property
    def thumbprint(self):
        return self.key.thumbprint()

    def proof(self, method, url, token=None, header=None, key=None, without=(), **claims):
        """A proof for one request, good but for what the arguments change."""
        parts = urlsplit(url)
        full = {
            "jti": secrets.token_urlsafe(16),
            "htm": method,
            "htu": f"{parts.scheme}://{parts.netloc}{parts.path}",
            "iat": int(time.time()),
        }
        if nonce := self.nonces.get(parts.netloc):
            full["nonce"] = nonce
        if token:
            full["ath"] = b64url(hashlib.sha256(token.encode()).digest())
        full = {name: value for name, value in {**full, **claims}.items() if name not in without}
        head = {"typ": "dpop+jwt", "alg": "ES256", "jwk": self.key.as_dict(private=False), **(header or {})}
        return jwt.encode(head, full, key or self.key)

    def learn(self, answer):
        """Keeps the nonce of an answer; true where the request is to be sent again with it."""
        if nonce := answer.headers.get("DPoP-Nonce"):
            self.nonces[urlsplit(answer.url).netloc] = nonce
        asked = "use_dpop_nonce"
        return answer.status_code in (400, 401) and (
            asked in answer.headers.get("WWW-Authenticate", "") or asked in answer.text
        )


def add_dpop_token(token, uri, headers, body, placement=None):
    headers["Authorization"] = f"DPoP {token}"
    return uri, headers, body


class TokenAuth(OAuth2Auth):
    SIGN_METHODS = {**OAuth2Auth.SIGN_METHODS, "dpop": add_dpop_token}


class Assertion(PrivateKeyJWT):
    """authlib's client assertion, for a minute instead of an hour."""

    alg = "ES256"

    def sign(self, auth, token_endpoint):
        self.claims = {"exp": int(time.time()) + 60}
        return super().sign(auth, token_endpoint)


class Session(OAuth2Session):
    """authlib's session; with a DPoP key every request carries its proof."""

    token_auth_class = TokenAuth
    dpop = None

    def request(self, method, url, withhold_token=False, auth=None, headers=None, **more):
        more.setdefault("timeout", 30)
        headers = dict(headers or {})
        if self.dpop is None or "DPoP" in headers:
            return super().request(method, url, withhold_token, auth, headers=headers, **more)
        token = self.token["access_token"] if auth is None and not withhold_token else None
        for _ in range(2):
            headers["DPoP"] = self.dpop.proof(method, url, token)
            answer = super().request(method, url, withhold_token, auth, headers=headers, **more)
            if not self.dpop.learn(answer):
                break
        return answer


class Client:
    """A registered relying system, of the strict profile unless said otherwise."""

    def __init__(self, instance, name, authentication="private_key_jwt", dpop=True, redirect=REDIRECT, **settings):
        self.instance, self.name, self.redirect = instance, name, redirect
        self.authentication = authentication
        self.key = ECKey.generate_key("P-256", {"kid": f"{name}-1", "use": "sig", "alg": "ES256"}, private=True)
        self.dpop = DPoP() if dpop else None
        self.settings = settings
        self.verifier, self.nonce = None, None

    def register(self):
        """Writes the client's file; the instance reads it at its start."""
        folder = contract.clients(self.instance.home)
        folder.mkdir(parents=True, exist_ok=True)
        settings = {
            "id": self.name,
            "name": {"ja": f"{self.name} 医院", "en": f"{self.name} clinic"},
            "profile": "strict",
            "redirectURIs": [self.redirect],
            "authentication": self.authentication,
            "audiences": [self.instance.audience],
            "scopes": SCOPE.split(),
            "refreshTokens": True,
            "facility": "1319999999",
            "kind": "medical",
            **self.settings,
        }
        if self.authentication == "private_key_jwt" and "jwks" not in settings:
            file = folder / f"{self.name}.jwks.json"
            file.write_text(json.dumps({"keys": [self.key.as_dict(private=False)]}))
            settings["jwks"] = str(file.relative_to(self.instance.home))
        beside = folder / f".{self.name}.new"
        beside.write_text(yaml.safe_dump(settings, allow_unicode=True, sort_keys=False))
        beside.rename(folder / f"{self.name}.yaml")
        return self

    # The server's addresses.

    @property
    def metadata(self):
        return self.instance.get("/.well-known/oauth-authorization-server").json()

    @property
    def issuer(self):
        return self.instance.url

    def endpoint(self, name):
        return f"{self.instance.url}/oauth2/{name}"

    def session(self, dpop=True):
        session = Session(
            self.name,
            self.key if self.authentication == "private_key_jwt" else None,
            self.authentication,
            self.authentication,
            scope=None,
            redirect_uri=self.redirect,
            code_challenge_method="S256",
        )
        session.verify, session.trust_env = str(contract.server_ca(self.instance.home)), False
        session.dpop = self.dpop if dpop else None
        session.register_client_auth_method(Assertion(self.issuer, headers={"kid": self.key.kid}))
        return session

    # By hand, for tests of what must be refused.

    def assertion(self, audience=None, key=None, header=None, **claims):
        return private_key_jwt_sign(
            key or self.key,
            self.name,
            audience or self.issuer,
            header={"kid": self.key.kid, **(header or {})},
            claims={"exp": int(time.time()) + 60, **claims},
            alg="ES256",
        )

    def credentials(self, **claims):
        """The form fields by which the client proves itself."""
        if self.authentication != "private_key_jwt":
            return {"client_id": self.name}
        return {
            "client_id": self.name,
            "client_assertion_type": ASSERTION,
            "client_assertion": self.assertion(**claims),
        }

    def post(self, endpoint, form, proof=True):
        """One request to the server, in which nothing is added but the proof; `form` may be pairs."""
        url = self.endpoint(endpoint)
        for _ in range(2):
            headers = {"DPoP": self.dpop.proof("POST", url)} if self.dpop and proof is True else {}
            if isinstance(proof, str):
                headers = {"DPoP": proof}
            answer = self.instance.session().post(url, data=form, headers=headers, timeout=30)
            if not (self.dpop and proof is True and self.dpop.learn(answer)):
                break
            if "client_assertion" in form:
                form = {**form, **self.credentials()}
        return answer

    def parameters(self, **changed):
        """The parameters of an authorization request, good but for the changes; None leaves one out."""
        self.verifier, self.nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
        parameters = {
            "response_type": "code",
            "client_id": self.name,
            "redirect_uri": self.redirect,
            "scope": SCOPE,
            "state": secrets.token_urlsafe(16),
            "nonce": self.nonce,
            "code_challenge": b64url(hashlib.sha256(self.verifier.encode()).digest()),
            "code_challenge_method": "S256",
            **changed,
        }
        return {name: value for name, value in parameters.items() if value is not None}

    def request_object(self, key=None, header=None, **changed):
        """The request as a JWT (RFC 9101)."""
        now = int(time.time())
        claims = {
            **self.parameters(),
            **{"iss": self.name, "aud": self.issuer, "iat": now, "nbf": now, "exp": now + 60},
            **{"jti": secrets.token_urlsafe(16), **changed},
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        head = {"typ": "oauth-authz-req+jwt", "alg": "ES256", "kid": self.key.kid, **(header or {})}
        return jwt.encode(head, claims, key or self.key)

    def push(self, parameters, proof=False, **credentials):
        return self.post("pushed_authorize", {**parameters, **self.credentials(**credentials)}, proof=proof)

    def address(self, parameters):
        """The authorization address with these parameters as they are."""
        return f"{self.endpoint('authorize')}?{urlencode(parameters, doseq=True)}"

    def authorization(self, **changed):
        """The address to send the browser to: pushed, or in the plain profile with all in the query."""
        parameters = self.parameters(**changed)
        if self.settings.get("profile") == "plain":
            return self.address(parameters)
        answer = self.push(parameters)
        assert answer.status_code == 201, answer.text
        pushed = answer.json()
        assert 0 < pushed["expires_in"] <= 600
        return self.address({"client_id": self.name, "request_uri": pushed["request_uri"]})

    # The whole way.

    def is_redirect(self, url):
        return url.startswith(self.redirect)

    def code(self, page, state=None):
        """The code of the address that the browser was sent back to."""
        assert page.answer is None, f"{page.url}: {page.status} {page.code}\n{page.text[:1500]}"
        assert self.is_redirect(page.url) and "code" in page.query, page.url
        assert page.query["iss"] == self.issuer, "RFC 9207"
        assert state is None or page.query["state"] == state
        return page.query["code"]

    def login(self, visitor, kind="hpki", **changed):
        page = visitor.login(self.authorization(**changed), kind, self.is_redirect)
        return self.redeem(self.code(page))

    def redeem(self, code, **more):
        """Tokens for a code, by authlib."""
        session = self.session()
        found = session.fetch_token(
            self.endpoint("token"), code=code, code_verifier=self.verifier, grant_type="authorization_code", **more
        )
        return Tokens(self, session, found, self.nonce)

    def redeem_by_hand(self, code, /, proof=True, **changed):
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect}
        form = {**form, "code_verifier": self.verifier, **self.credentials(), **changed}
        return self.post("token", {name: value for name, value in form.items() if value is not None}, proof)

    def refresh_by_hand(self, token, proof=True, **changed):
        form = {"grant_type": "refresh_token", "refresh_token": token, **self.credentials(), **changed}
        return self.post("token", form, proof)

    def introspect(self, token):
        answer = self.session(dpop=False).introspect_token(self.endpoint("introspect"), token)
        assert answer.status_code == 200, answer.text
        return answer.json()


class Tokens:
    """What a login gave, checked by authlib and joserfc."""

    def __init__(self, client, session, found, nonce=None):
        self.client, self.session = client, session
        self.access, self.refresh_token, self.id_token = (
            found.get(name) for name in ("access_token", "refresh_token", "id_token")
        )
        self.type = found["token_type"]
        keys = KeySet.import_key_set(client.instance.get("/oauth2/jwks").json())
        token = jwt.decode(self.access, keys, algorithms=ALGORITHMS)
        assert token.header["typ"] == "at+jwt", token.header
        self.claims = token.claims
        if self.id_token:
            read = jwt.decode(self.id_token, keys, algorithms=ALGORITHMS)
            self.identity = CodeIDToken(
                read.claims,
                read.header,
                {"iss": {"values": [client.issuer]}, "aud": {"values": [client.name]}},
                {"nonce": nonce, "client_id": client.name, "access_token": self.access},
            )
            self.identity.validate(leeway=60)

    def ask(self, method, path, body=None, headers=None, **more):
        """A request with the token, and with its proof where the token is bound."""
        headers = dict(headers or {})
        data = None
        if body is not None:
            headers["Content-Type"], data = "application/json", json.dumps(body)
        return self.session.request(method, self.client.instance.url + path, headers=headers, data=data, **more)

    def refresh(self):
        found = self.session.refresh_token(self.client.endpoint("token"), self.refresh_token)
        return Tokens(self.client, self.session, found)

    def revoke(self, token=None):
        answer = self.session.revoke_token(self.client.endpoint("revoke"), token or self.refresh_token)
        assert answer.status_code == 200, answer.text


def login(instance, holder, kind="hpki", client=None, **changed):
    """Tokens by a login with a holder's development card; registers a client where none is given."""
    if client is None:
        client = getattr(instance, "strict_client", None)
    if client is None:
        client = instance.strict_client = Client(instance, "e2e-strict").register()
    visitor = Visitor(instance, **{kind: cards.development(instance, holder, kind)})
    deadline = time.monotonic() + 15
    while instance.process and client.push(client.parameters()).status_code != 201 and time.monotonic() < deadline:
        time.sleep(0.2)  # The file was just written, and the instance looks at the folder from time to time.
    return client.login(visitor, kind, **{"acr_values": contract.ACR[kind], **changed})


def error_of(answer):
    """The OAuth error of an answer in JSON, or of a redirect's address."""
    if hasattr(answer, "json"):
        return answer.json().get("error")
    return parse_qs(urlsplit(answer.url).query).get("error", [None])[0]


__all__ = ["Client", "DPoP", "OAuthError", "Tokens", "error_of", "login"]
