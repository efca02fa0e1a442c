"""Access tokens of our own making, good and bad, and a server of key sets for issuers that we play."""

import base64
import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils


def b64url(content):
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def unb64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def decode(token):
    """Header and claims of a token, unverified."""
    header, claims, _ = token.split(".")
    return json.loads(unb64url(header)), json.loads(unb64url(claims))


def encode(header, claims, key):
    """A compact JWS. `key` fits the header's `alg`: None for none, bytes for HS256, else a private key."""
    signed = b64url(json.dumps(header).encode()) + "." + b64url(json.dumps(claims).encode())
    return signed + "." + b64url(signature(header["alg"], key, signed.encode()))


def signature(algorithm, key, content):
    if algorithm == "none":
        return b""
    if algorithm == "HS256":
        return hmac.new(key, content, hashlib.sha256).digest()
    if algorithm == "RS256":
        return key.sign(content, padding.PKCS1v15(), hashes.SHA256())
    if algorithm == "PS256":
        return key.sign(content, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    assert algorithm == "ES256"
    r, s = utils.decode_dss_signature(key.sign(content, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def public_pem(key):
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def jwk(key, kid, algorithm):
    numbers = key.public_key().public_numbers()
    if isinstance(key, rsa.RSAPrivateKey):
        size = (numbers.n.bit_length() + 7) // 8
        parts = {"kty": "RSA", "n": b64url(numbers.n.to_bytes(size, "big")), "e": b64url(b"\x01\x00\x01")}
    else:
        parts = {
            "kty": "EC",
            "crv": "P-256",
            "x": b64url(numbers.x.to_bytes(32, "big")),
            "y": b64url(numbers.y.to_bytes(32, "big")),
        }
    return {**parts, "kid": kid, "use": "sig", "alg": algorithm}


class Issuer:
    """An issuer whose keys are in our hands."""

    def __init__(self, url, header, claims, key):
        self.url, self.header, self.claims, self.key = url, header, claims, key

    @classmethod
    def of(cls, instance):
        """The development issuer of an instance, by the private key that the instance keeps for it."""
        from contract import issuer_key

        header, claims = decode(instance.token("doctor-1"))
        key = serialization.load_pem_private_key(issuer_key(instance.home).read_bytes(), None)
        return cls(claims["iss"], header, claims, key)

    @classmethod
    def stranger(cls, like, url, algorithm="ES256", kid="own-1"):
        """An issuer of our own that writes the same claims as `like` under another name and key."""
        key = ec.generate_private_key(ec.SECP256R1()) if algorithm == "ES256" else rsa.generate_private_key(65537, 2048)
        return cls(url, {"alg": algorithm, "typ": like.header.get("typ", "JWT"), "kid": kid}, like.claims, key)

    def key_set(self):
        return {"keys": [jwk(self.key, self.header["kid"], self.header["alg"])]}

    def token(self, subject, header=None, key=None, without=(), **claims):
        """A token for `subject`, good but for what the arguments change."""
        now = int(time.time())
        full = {
            **self.claims,
            "iss": self.url,
            "sub": subject,
            "iat": now,
            "nbf": now,
            "exp": now + 300,
            "auth_time": now,
            "jti": hashlib.sha256(f"{time.time_ns()}".encode()).hexdigest()[:16],
            **claims,
        }
        for name in without:
            full.pop(name, None)
        return encode({**self.header, **(header or {})}, full, self.key if key is None else key)


class KeySetServer:
    """Serves a key set over HTTP on a loopback port; can be made to fail, to stall and to flood."""

    def __init__(self, document):
        self.document, self.status, self.delay, self.requests = document, 200, 0, 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.requests += 1
                time.sleep(outer.delay)
                body = outer.document if isinstance(outer.document, bytes) else json.dumps(outer.document).encode()
                try:
                    self.send_response(outer.status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/jwks.json"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
