"""Requests of strangers, as many a second as are wanted, over connections that stay open.

Each is a whole prescription with a token that core has to judge and refuse. Several are written at once on one
connection (RFC 9112 §9.3.2) and connections take turns, so that one process of Python sends thousands a second.
"""

import json
import os
import re
import socket
import ssl
import time
from collections import Counter

from cryptography.hazmat.primitives.asymmetric import ec

import contract
import documents
import tokens
from tokens import Issuer, b64url

STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
BATCH = 8
# Addresses of the loopback network: strangers do not share one.
CONNECTIONS = 24


def strangers_tokens(instance, count=200):
    """Of each kind of token that is refused so many, by turns; each claims a client system of its own."""
    issuer = Issuer.of(instance)
    own = ec.generate_private_key(ec.SECP256R1())
    kid, now = issuer.header["kid"], int(time.time())

    def forged(number):
        """The issuer's own key id, and a signature by another key."""
        return issuer.token("doctor-1", key=own, client_id=f"forged-{number}")

    def unknown_key(number):
        claims = {"iat": now - 7200, "exp": now - 3600, "client_id": f"unknown-key-{number}"}
        return issuer.token("doctor-1", header={"kid": f"{kid}-{number}"}, key=own, **claims)

    def unknown_issuer(number):
        return issuer.token("doctor-1", key=own, iss=f"https://{number}.example", client_id=f"issuer-{number}")

    def expired(number):
        """What the issuer has signed, too long ago."""
        return issuer.token("doctor-1", iat=now - 7200, exp=now - 3600, client_id=f"expired-{number}")

    def unregistered(number):
        """What the issuer has signed for somebody whom the registry does not know."""
        return issuer.token(f"nobody-{number}", exp=now + 7000, client_id=f"unregistered-{number}")

    def no_signature(number):
        claims = {**issuer.claims, "client_id": f"none-{number}"}
        return tokens.encode({"alg": "none", "kid": kid}, claims, None)

    def garbage(_):
        return ".".join(b64url(os.urandom(size)) for size in (60, 200, 64))

    kinds = (forged, unknown_key, unknown_issuer, expired, unregistered, no_signature, garbage)
    return [kind(number) for number in range(count) for kind in kinds]


def request(token, body):
    content = json.dumps(body).encode()
    head = (
        "POST /v1/prescriptions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


class Connection:
    """One kept connection from an address of its own; at most one batch is under way."""

    def __init__(self, context, port, number):
        self.context, self.port, self.address = context, port, f"127.0.1.{number + 1}"
        self.open()

    def open(self):
        plain = socket.create_connection(("127.0.0.1", self.port), 30, source_address=(self.address, 0))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = self.context.wrap_socket(plain, server_hostname="localhost")
        self.awaited, self.rest = 0, b""

    def send(self, batch):
        self.socket.sendall(b"".join(batch))
        self.awaited = len(batch)

    def receive(self, statuses):
        """Waits for every answer to what was sent."""
        while self.awaited:
            part = self.socket.recv(65536)
            if not part:
                raise ConnectionError("the server closed the connection")
            text = self.rest + part
            end = 0
            for found in STATUS.finditer(text):
                statuses[int(found[1])] += 1
                self.awaited -= 1
                end = found.end()
            # A status line may have come by halves.
            self.rest = text[end:][-12:]


def connections_to(instance, count=CONNECTIONS):
    context = ssl.create_default_context(cafile=contract.server_ca(instance.home))
    return [Connection(context, instance.port, number) for number in range(count)]


def burst(instance, all_tokens):
    """Sends one request with each token, as fast as they are answered; gives the statuses."""
    requests = [request(token, documents.prescribing()) for token in all_tokens]
    lines, statuses = connections_to(instance), Counter()
    for number, start in enumerate(range(0, len(requests), BATCH)):
        line = lines[number % len(lines)]
        line.receive(statuses)
        line.send(requests[start : start + BATCH])
    for line in lines:
        line.receive(statuses)
        line.socket.close()
    return statuses


def flood(instance, rate, seconds, all_tokens, tell=None):
    """Sends `rate` requests a second for so long; gives the statuses of the answers and the seconds it took.

    What could not be sent in time is sent as soon as possible, but what is a second behind is given up: then the rate
    that comes out is lower. `tell`, once a second, gets the statuses so far and the number of connections that broke.
    """
    requests = [request(token, documents.prescribing()) for token in all_tokens]
    lines, statuses, broken, turn = connections_to(instance), Counter(), 0, 0
    begun = due = told = time.monotonic()
    while (now := time.monotonic()) < begun + seconds:
        if now < due:
            time.sleep(due - now)
        due = max(due, now - 1) + BATCH / rate
        line = lines[turn % len(lines)]
        try:
            line.receive(statuses)
            line.send([requests[(turn * BATCH + each) % len(requests)] for each in range(BATCH)])
        except OSError:
            broken += 1
            line.open()
        turn += 1
        if tell and now >= told + 1:
            told = now
            tell(statuses, broken)
    for line in lines:
        line.receive(statuses)
        line.socket.close()
    if tell:
        tell(statuses, broken)
    return statuses, time.monotonic() - begun
