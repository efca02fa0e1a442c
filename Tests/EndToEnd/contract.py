"""Names, places and words by which these tests meet the product; everything they assume of it stands here."""

import hashlib
import os
import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("SHIRUSHI_BIN", ROOT / ".build" / "release" / "shirushi"))
VECTORS = Path(os.environ["SHIRUSHI_VECTORS"]) if os.environ.get("SHIRUSHI_VECTORS") else None
SOFTHSM = "/usr/lib/softhsm/libsofthsm2.so"
SHIM_SOURCE = ROOT / "Tests" / "ShimHSM" / "shim.c"

HOLDERS = ("doctor-1", "dentist-1", "pharmacist-1", "nurse-1", "director-1")
PRESCRIBERS = {"doctor-1", "dentist-1", "director-1"}
DISPENSERS = {"pharmacist-1"}

FAILPOINTS = (
    "core.token-checked",
    "core.before-intent",
    "core.after-intent",
    "core.before-sign",
    "core.after-sign",
    "core.before-outcome",
    "core.after-outcome",
    "core.before-reply",
    "front.accepted",
    "front.assembled",
    "front.before-answer",
)

# The last part of a problem's type, and its status.
STATUS = {
    "malformed-request": 400,
    "invalid-base64": 400,
    "invalid-idempotency-key": 400,
    "missing-token": 401,
    "invalid-token": 401,
    "expired-token": 401,
    "window-elapsed": 401,
    "denied": 403,
    "unknown-holder": 403,
    "unknown-authority": 403,
    "not-found": 404,
    "method-not-allowed": 405,
    "too-slow": 408,
    "no-credential": 409,
    "credential-unusable": 409,
    "ambiguous-credential": 409,
    "idempotency-conflict": 409,
    "idempotency-in-flight": 409,
    "idempotency-in-doubt": 409,
    "prescription-indeterminate": 409,
    "registry-conflict": 409,
    "wrong-state": 409,
    "too-large": 413,
    "unsupported-media-type": 415,
    "invalid-csv": 422,
    "invalid-xml": 422,
    "wrong-document": 422,
    "signature-rejected": 422,
    "already-signed": 422,
    "prescription-rejected": 422,
    "prescription-mismatch": 422,
    "foreign-namespace": 422,
    "certificate-refused": 422,
    "revocation-list-refused": 422,
    "key-type-not-offered": 422,
    "time-stamp-policy-not-offered": 422,
    "too-many-requests": 429,
    "too-many-headers": 431,
    "time-stamps-not-offered": 501,
    "key-unavailable": 503,
    "audit-unavailable": 503,
    "revocation-unknown": 503,
    "issuer-unavailable": 503,
    "core-unavailable": 503,
    "time-stamp-unavailable": 503,
    "overloaded": 503,
    "judgement-timed-out": 503,
    "timed-out": 503,
}


def long(sample, full):
    """How often a long test repeats itself: a sample, or in full where SHIRUSHI_LONG is set."""
    return full if os.environ.get("SHIRUSHI_LONG") else sample


def configuration(home):
    return home / "shirushi.yaml"


def server_ca(home):
    return home / "development" / "tls" / "ca.pem"


def authority_certificate(home, name):
    """The client certificate of a development authority, and its key."""
    folder = home / "development" / "authorities"
    return folder / f"{name}.pem", folder / f"{name}.key"


def issuer_key(home):
    return home / "development" / "issuer" / "key.pem"


def database(home):
    return home / "data" / "core.sqlite"


def audit_head(home):
    return home / "data" / "audit.head"


def audit_mark(home):
    return home / "data" / "audit.mark"


def origin(home):
    """The log's name."""
    return yaml.safe_load(configuration(home).read_text())["origin"]


# The platform: people log in, relying systems get tokens.

ACR = {"hpki": "hpki-card", "jpki": "jpki-card"}
AMR = {"hwk", "pin", "mfa"}
CARD_HOSTS = {"hpki": "hpki.localhost", "jpki": "jpki.localhost"}
SESSION_COOKIE = "__Host-shirushi-session"
LOGIN_COOKIE = "__Host-shirushi-login"
CODE_SECONDS = 60
ACCESS_SECONDS = 600
SESSION_SECONDS = 18 * 3600

# What the manuals say on the screen, by row; a page in Japanese holds it word for word.
WORDS = {
    ("E18", None): "まずログアウトしてください",
    ("E20", None): "許可されていないメソッドを使用しようとしました",
    ("F4", "hpki"): "HPKI証明書のユーザが無効となっています。",
    ("F4", "jpki"): "JPKI証明書のユーザが無効となっています。",
    ("F6", None): "Cookie が見つかりません",
    ("F11", None): "ユーザ情報の取得ができませんでした。",
    ("F17", None): "1分以内",
    ("F18", "hpki"): "HPKI証明書が失効しています。",
    ("F18", "jpki"): "JPKI証明書が失効しています。",
    ("F19", "hpki"): "HPKI認証でエラーが発生しました。",
    ("F19", "jpki"): "JPKI認証でエラーが発生しました。",
    ("F20", None): "マイナンバーカードに紐づくユーザが存在しません。",
}
PRODUCT = "Shirushi 認証プラットフォーム"
# The browser offers an expired card to nobody, so no card and an expired card may share a page.
NO_CARD = {"F1", "F1-expired", "F2", "F21"}


def words(code, kind):
    return WORDS.get((code, kind)) or WORDS.get((code, None), "")


def card(home, holder, kind):
    """The certificate and the key on a holder's development card."""
    folder = home / "development" / "cards" / holder
    return folder / f"{kind}.pem", folder / f"{kind}.key"


def clients(home):
    """Where relying systems are registered, one file each."""
    return home / "platform" / "clients"


def authentication_trust(home, kind):
    return home / "trust" / "authentication" / kind


def succession(home):
    """The file by which the development instance's link service tells which card follows which."""
    return home / "platform" / "successions.txt"


def kind_of(problem):
    """The last part of a problem's type."""
    return re.split(r"[/:#]", problem.get("type", "no problem"))[-1]


def signed_digests(shim_folder):
    """The digest of every use of a key, in order, from the log that the token's shim writes before each one."""
    log = shim_folder / "signs.log"
    digests = []
    for line in log.read_text().splitlines() if log.exists() else []:
        inputs = [word for word in re.findall(r"[0-9a-fA-F]{64,}", line) if len(word) % 2 == 0]
        if inputs:
            digests.append(bytes.fromhex(inputs[0])[-32:])
    return digests


def digest_to_sign(document, signature_id):
    """SHA-256 of the canonical SignedInfo of the signature with that Id in `document`."""
    from lxml import etree

    tree = etree.fromstring(document)
    (info,) = tree.xpath(
        "//ds:Signature[@Id=$id]/ds:SignedInfo",
        id=signature_id,
        namespaces={"ds": "http://www.w3.org/2000/09/xmldsig#"},
    )
    return hashlib.sha256(etree.tostring(info, method="c14n", exclusive=True)).digest()
