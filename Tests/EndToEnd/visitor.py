"""A browser without a face: it follows redirects by hand, keeps cookies, and holds a card in a reader."""

import re
import socket
import ssl
import time
from urllib.parse import parse_qs, urljoin, urlsplit

import requests
from lxml import html

import contract

_resolve = socket.getaddrinfo


def _loopback(host, *arguments, **more):
    """RFC 6761 §6.3: names below `localhost` are the loopback; the C library does not know that, browsers do."""
    name = host.decode() if isinstance(host, bytes) else host
    if isinstance(name, str) and name.rstrip(".").endswith(".localhost"):
        host = "127.0.0.1"
    return _resolve(host, *arguments, **more)


socket.getaddrinfo = _loopback


class Page:
    """Where a visit ended: a page, or an address that is not to be opened (then without an answer)."""

    def __init__(self, url, answer, trail):
        self.url, self.answer, self.trail = url, answer, trail
        self.status = answer.status_code if answer is not None else None
        content = answer.content.strip() if answer is not None else b""
        self.tree = html.fromstring(content, parser=html.HTMLParser(encoding="utf-8")) if content else None

    @property
    def query(self):
        """The parameters of the address; a doubled one fails."""
        found = parse_qs(urlsplit(self.url).query, keep_blank_values=True)
        assert all(len(values) == 1 for values in found.values()), self.url
        return {name: values[0] for name, values in found.items()}

    @property
    def text(self):
        return " ".join(self.tree.text_content().split()) if self.tree is not None else ""

    @property
    def code(self):
        """The code of an error page: the one whose explanation it links to."""
        return code_of(self.answer.text) if self.answer is not None else None

    def hosts(self):
        return [urlsplit(url).hostname for url in self.trail]

    def form(self, fits):
        """Action and fields of the first form with a control of which `fits(name, value)` holds."""
        assert self.tree is not None, f"{self.url} is no page"
        for form in self.tree.xpath("//form"):
            fields = {
                each.get("name"): each.get("value", "") for each in form.xpath(".//input[@type='hidden'][@name]")
            }
            for control in form.xpath(".//button | .//input"):
                name, value = control.get("name") or "", control.get("value") or ""
                if fits(name, value):
                    action = control.get("formaction") or form.get("action") or self.url
                    return urljoin(self.url, action), {**fields, **({name: value} if name else {})}
        raise AssertionError(f"no such form at {self.url}: {self.answer.text[:3000]}")


def code_of(text):
    found = re.search(r"""href=["'][^"']*/help/([A-Za-z0-9_-]+)["'#?]""", text)
    return found[1] if found else None


class Visitor:
    """One browser profile; `cards` holds by kind the card that is in the reader while that host asks."""

    def __init__(self, instance, hpki=None, jpki=None, language="ja"):
        self.instance = instance
        self.cards = {"hpki": hpki, "jpki": jpki}
        self.session = instance.session()
        self.session.headers.update({"Accept-Language": language, "Accept": "text/html,*/*;q=0.8"})

    def card_for(self, host):
        return next((self.cards[kind] for kind, name in contract.CARD_HOSTS.items() if name == host), None)

    def open(self, url, data=None, until=None, most=15):
        """Opens the address and goes where it leads, up to a page or the address of which `until` is true."""
        trail, origin = [], None
        for _ in range(most):
            trail.append(url)
            parts = urlsplit(url)
            if (until and until(url)) or not re.search(r"(^|\.)localhost$|^127\.", parts.hostname or ""):
                return Page(url, None, trail)
            card = self.card_for(parts.hostname)
            headers = {"Origin": f"{parts.scheme}://{parts.netloc}"} if data is not None else {}
            answer = self.once("GET" if data is None else "POST", url, data, headers, card)
            if answer.status_code not in (301, 302, 303, 307, 308):
                return Page(url, answer, trail)
            if answer.status_code < 307:
                data = None
            url = urljoin(url, answer.headers["Location"])
        raise AssertionError(f"redirects without end: {trail}")

    def once(self, method, url, data, headers, card):
        """One request; a test is faster than any person, so where the platform says so it waits."""
        for _ in range(5):
            answer = self.session.request(
                method,
                url,
                data=data,
                headers=headers,
                cert=card.pair if card else None,
                allow_redirects=False,
                timeout=30,
            )
            if answer.status_code != 429:
                break
            time.sleep(int(answer.headers["Retry-After"]))
        return answer

    def submit(self, page, fits, until=None):
        action, fields = page.form(fits)
        return self.open(action, fields, until)

    def login(self, url, kind="hpki", until=None):
        """Opens an authorization address; chooses the kind of card where the page asks for a choice."""
        page = self.open(url, until=until)
        if page.answer is not None and urlsplit(page.url).path == "/login" and page.status == 200 and not page.code:
            chosen = self.submit(page, lambda _, value: value == contract.ACR[kind], until)
            return Page(chosen.url, chosen.answer, page.trail + chosen.trail)
        return page

    def cookie(self, name):
        return next((each for each in self.session.cookies if each.name == name), None)

    def slow_get(self, url, card, pause):
        """Opens the address at a card host, and lets `pause` seconds go by between request and choice of the card."""
        parts = urlsplit(url)
        context = ssl.create_default_context(cafile=contract.server_ca(self.instance.home))
        if card:
            context.load_cert_chain(*card.pair)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        secure = context.wrap_bio(incoming, outgoing, server_hostname=parts.hostname)
        with socket.create_connection(("127.0.0.1", parts.port), 30) as plain:
            flights = 0
            while True:
                try:
                    secure.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    plain.sendall(outgoing.read())
                    received = plain.recv(65536)
                    assert received, "the server hung up"
                    if not flights:
                        time.sleep(pause)  # The server has asked for the certificate; the person looks for the PIN.
                    flights += 1
                    incoming.write(received)
            target = f"{parts.path}?{parts.query}"
            language = self.session.headers["Accept-Language"]
            secure.write(
                f"GET {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nAccept: text/html\r\n"
                f"Accept-Language: {language}\r\nConnection: close\r\n\r\n".encode()
            )
            plain.sendall(outgoing.read())
            content = b""
            while True:
                try:
                    part = secure.read(65536)
                    if not part:
                        break
                    content += part
                except ssl.SSLWantReadError:
                    received = plain.recv(65536)
                    incoming.write(received) if received else incoming.write_eof()
                except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
                    break
        return raw_page(url, content)


def raw_page(url, content):
    """A page of the bytes of an HTTP/1.1 answer."""
    head, _, body = content.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    answer = requests.Response()
    answer.status_code, answer.url = int(lines[0].split()[1]), url
    answer.headers.update(line.split(": ", 1) for line in lines[1:] if ": " in line)
    if answer.headers.get("Transfer-Encoding") == "chunked":
        whole = b""
        while body:
            size, _, body = body.partition(b"\r\n")
            whole, body = whole + body[: int(size, 16)], body[int(size, 16) + 2 :]
        body = whole
    answer._content, answer.encoding = body, "utf-8"
    return Page(url, answer, [url])
