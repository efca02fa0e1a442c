"""Bad input: each gets its own clear problem, nothing is signed, and a known caller's refusal is recorded."""

import json
import threading
import time

import pytest

import contract
import documents
from documents import b64, prescription_csv, unsigned_prescription
from instance import problem

pytestmark = pytest.mark.usefixtures("nothing_signed")

GOOD = prescription_csv(number=1)
LAUGHS = (
    b'<!DOCTYPE d [<!ENTITY a "x">'
    + b"".join(f'<!ENTITY {chr(98 + i)} "{("&" + chr(97 + i) + ";") * 10}">'.encode() for i in range(9))
    + b"]>"
)


def with_prolog(prolog):
    document = unsigned_prescription(GOOD)
    return document.replace(b"<Document", prolog + b"<Document", 1)


DOUBLE = unsigned_prescription(GOOD, inner='<Note id="PrescriptionDocument"/>')
SIGNED = (
    '<PrescriptionSign><ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#" Id="PrescriptionSign"/>'
    "</PrescriptionSign>"
)

BODIES = {
    # CSV.
    "csv not base64": ({"csv": "%%%"}, "invalid-base64"),
    "csv base64 of the URL alphabet": ({"csv": "-_-_"}, "invalid-base64"),
    "csv base64 without padding": ({"csv": b64(b"SJ1\n").rstrip("=")}, "invalid-base64"),
    "csv base64 with white space": ({"csv": b64(GOOD)[:8] + "\n" + b64(GOOD)[8:]}, "invalid-base64"),
    "csv not UTF-8": ({"csv": b64(b"SJ1\n1,\xff\xfe\n")}, "invalid-csv"),
    "csv in Shift_JIS": ({"csv": b64(GOOD.decode().replace("ｳﾐﾉ ﾊﾙｶ", "x").encode("cp932"))}, "invalid-csv"),
    "csv with an overlong encoding": ({"csv": b64(b"SJ1\n1,\xc0\xaf\n")}, "invalid-csv"),
    "csv with a surrogate": ({"csv": b64(b"SJ1\n1,\xed\xa0\x80\n")}, "invalid-csv"),
    "csv with CRLF": ({"csv": b64(GOOD.replace(b"\n", b"\r\n"))}, "invalid-csv"),
    "csv with CR": ({"csv": b64(GOOD.replace(b"\n", b"\r"))}, "invalid-csv"),
    "csv with a byte order mark": ({"csv": b64(b"\xef\xbb\xbf" + GOOD)}, "invalid-csv"),
    "csv with the wrong first line": ({"csv": b64(GOOD.replace(b"SJ1", b"SJ2"))}, "invalid-csv"),
    "csv of a dispensing": ({"csv": b64(documents.dispensing_csv())}, "invalid-csv"),
    "csv empty": ({"csv": ""}, "malformed-request"),
    "csv first line with more behind": ({"csv": b64(GOOD.replace(b"SJ1\n", b"SJ1 \n"))}, "invalid-csv"),
    # JSON.
    "neither csv nor document": ({}, "malformed-request"),
    "both csv and document": ({"csv": b64(GOOD), "document": b64(unsigned_prescription(GOOD))}, "malformed-request"),
    "unknown field": ({"csv": b64(GOOD), "draft": True}, "malformed-request"),
    "csv as number": ({"csv": 7}, "malformed-request"),
    "csv as null": ({"csv": None}, "malformed-request"),
    "body as array": ([{"csv": b64(GOOD)}], "malformed-request"),
    "body as text": ("csv", "malformed-request"),
    # XML.
    "document not base64": ({"document": "<Document/>"}, "invalid-base64"),
    "document empty": ({"document": ""}, "malformed-request"),
    "document not XML": ({"document": b64(b"SJ1\n")}, "invalid-xml"),
    "document cut off": ({"document": b64(unsigned_prescription(GOOD)[:-20])}, "invalid-xml"),
    "document with more behind": ({"document": b64(unsigned_prescription(GOOD) + b"<a/>")}, "invalid-xml"),
    "document not UTF-8": ({"document": b64(unsigned_prescription(GOOD) + b"<!--\xff-->")}, "invalid-xml"),
    "document in UTF-16": ({"document": b64(unsigned_prescription(GOOD).decode().encode("utf-16"))}, "invalid-xml"),
    "document with a DTD": ({"document": b64(with_prolog(b"<!DOCTYPE Document>"))}, "invalid-xml"),
    "document of a billion laughs": ({"document": b64(with_prolog(LAUGHS))}, "invalid-xml"),
    "document with an external entity": (
        {"document": b64(with_prolog(b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>'))},
        "invalid-xml",
    ),
    "document a hundred thousand deep": ({"document": b64(b"<a>" * 100_000 + b"</a>" * 100_000)}, "invalid-xml"),
    "document deep inside": (
        {"document": b64(unsigned_prescription(GOOD, inner="<a>" * 5_000 + "</a>" * 5_000))},
        "invalid-xml",
    ),
    "document with duplicate ids": ({"document": b64(DOUBLE)}, "invalid-xml"),
    "document with duplicate ids in two spellings": (
        {"document": b64(unsigned_prescription(GOOD, inner='<Note Id="PrescriptionDocument"/>'))},
        "invalid-xml",
    ),
    "document with an attribute twice": (
        {"document": b64(unsigned_prescription(GOOD).replace(b'id="Document"', b'id="Document" id="Document2"'))},
        "invalid-xml",
    ),
    "document with an undeclared prefix": (
        {"document": b64(unsigned_prescription(GOOD, inner="<x:a/>"))},
        "invalid-xml",
    ),
    "document with an unknown entity": (
        {"document": b64(unsigned_prescription(GOOD, inner="<a>&nbsp;</a>"))},
        "invalid-xml",
    ),
    "document with a character XML forbids": (
        {"document": b64(unsigned_prescription(GOOD, inner="<a>&#1;</a>"))},
        "invalid-xml",
    ),
    "another document": ({"document": b64(b"<Letter/>")}, "wrong-document"),
    "a dispensing result as prescription": (
        {"document": b64(unsigned_prescription(GOOD).replace(b"Prescription", b"Dispensing"))},
        "wrong-document",
    ),
    "document without records": ({"document": b64(unsigned_prescription(b""))}, "invalid-csv"),
    "document with records of CRLF": (
        {"document": b64(unsigned_prescription(GOOD.replace(b"\n", b"\r\n")))},
        "invalid-csv",
    ),
    "document already signed": ({"document": b64(unsigned_prescription(GOOD, inner=SIGNED))}, "already-signed"),
    "document with a further namespace": (
        {"document": b64(unsigned_prescription(GOOD, namespaces=documents.XSI + ' xmlns:x="urn:x"'))},
        "foreign-namespace",
    ),
    "document with a default namespace": (
        {"document": b64(unsigned_prescription(GOOD, namespaces=documents.XSI + ' xmlns="urn:x"'))},
        None,
    ),
}


@pytest.mark.parametrize("name", BODIES)
def test_of_a_prescription(instance, name):
    body, kind = BODIES[name]
    before = len(instance.records())
    answer = instance.prescribe(body)
    found = contract.kind_of(answer.json())
    assert kind is None or found == kind, answer.text
    assert kind is not None or found in ("foreign-namespace", "wrong-document"), answer.text
    text = problem(answer, found)
    for secret in ("若松", "ﾜｶﾏﾂ", "root:"):
        assert secret not in json.dumps(text, ensure_ascii=False)
    deadline = time.monotonic() + 3
    while len(after := instance.records()) == before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(after) == before + 1, "the refusal of a known caller is recorded once"
    assert not after[-1].is_intent


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"nonsense",
        b'{"csv": "U0ox"',
        b'{"csv": "U0ox",}',
        b"\xff\xfe{}",
        b'{"csv":"U0oxCg==","csv":"U0oxCg=="}',
        b'{"csv":' + b"[" * 200_000,
        b'{"csv":1e99999}',
        b'{"csv":"\\ud800"}',
        b"null",
        b" " * 100_000,
    ],
    ids=range(12),
)
def test_of_a_body_that_is_not_json(instance, content):
    answer = instance.post(
        "/v1/prescriptions",
        token=instance.token("doctor-1"),
        data=content,
        headers={"Content-Type": "application/json"},
    )
    assert contract.kind_of(answer.json()) in ("malformed-request", "invalid-csv", "invalid-base64"), answer.text
    problem(answer, contract.kind_of(answer.json()))


@pytest.mark.parametrize(
    "kind",
    [
        None,
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "application/json; charset=shift_jis",
        "application/jsonp",
        "multipart/form-data",
    ],
)
def test_of_another_content_type(instance, kind):
    headers = {"Content-Type": kind} if kind else {"Content-Type": None}
    answer = instance.post(
        "/v1/prescriptions", token=instance.token("doctor-1"), data=json.dumps(documents.prescribing()), headers=headers
    )
    problem(answer, "unsupported-media-type")


@pytest.mark.parametrize(
    "method, path, kind",
    [
        ("GET", "/v1/prescriptions", "method-not-allowed"),
        ("PUT", "/v1/prescriptions", "method-not-allowed"),
        ("DELETE", "/v1/signatures/0", "method-not-allowed"),
        ("GET", "/v1/nothing", "not-found"),
        ("POST", "/", "not-found"),
        ("GET", "/v1/signatures/../../etc/passwd", "not-found"),
        ("GET", "/v1/signatures/" + "a" * 5000, "not-found"),
        ("POST", "/v1/prescriptions/", "not-found"),
    ],
)
def test_of_another_path_or_method(instance, method, path, kind):
    answer = instance.request(method, path, token=instance.token("doctor-1"), timeout=10)
    found = contract.kind_of(answer.json())
    assert found == kind or (path.endswith("/") and found == "method-not-allowed") or len(path) > 1000
    problem(answer, found)


def request_bytes(instance, headers, body=b""):
    lines = [
        "POST /v1/prescriptions HTTP/1.1",
        f"Host: localhost:{instance.port}",
        "Content-Type: application/json",
        f"Authorization: Bearer {instance.token('doctor-1')}",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def raw_kind(received):
    """Status and kind of problem in a raw response."""
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 "), received[:200]
    assert b"application/problem+json" in head.lower(), received[:400]
    return int(head.split()[1]), contract.kind_of(json.loads(body))


class TestOfHTTP:
    def test_a_hundred_megabytes_announced(self, instance):
        received = instance.raw(request_bytes(instance, ["Content-Length: 104857600"], b'{"csv":"' + b"A" * 100_000))
        assert raw_kind(received) == (413, "too-large")

    def test_a_hundred_megabytes_in_chunks(self, instance):
        chunk = b"186A0\r\n" + b"A" * 100_000 + b"\r\n"
        received = instance.raw(
            request_bytes(instance, ["Transfer-Encoding: chunked"], b'8\r\n{"csv":"\r\n' + chunk * 1049), seconds=60
        )
        # The server may close while we still send: then the answer can be lost, but never is a success.
        assert received == b"" or raw_kind(received) == (413, "too-large")

    def test_a_hundred_headers(self, instance):
        headers = {f"X-Filler-{number}": "x" for number in range(110)}
        problem(instance.prescribe(documents.prescribing(), headers=headers), "too-many-headers")

    def test_one_header_of_a_megabyte(self, instance):
        received = instance.raw(request_bytes(instance, ["X-Filler: " + "x" * 1_000_000, "Content-Length: 0"]))
        assert received == b"" or b" 431 " in received.split(b"\r\n")[0] or b" 400 " in received.split(b"\r\n")[0]

    @pytest.mark.parametrize(
        "headers",
        [
            ["Content-Length: 5", "Content-Length: 6"],
            ["Content-Length: -1"],
            ["Content-Length: 5", "Transfer-Encoding: chunked"],
            ["Transfer-Encoding: chunked, x"],
            ["Content-Length: 99999999999999999999"],
        ],
        ids=str,
    )
    def test_lengths_that_contradict(self, instance, headers):
        received = instance.raw(request_bytes(instance, headers, b"hello"))
        assert received == b"" or received.split()[1] in (b"400", b"413", b"501", b"408"), received[:200]

    @pytest.mark.parametrize("coding", ["gzip, chunked", "identity, chunked", "chunked, chunked", "x"])
    def test_a_coding_that_nobody_here_undoes(self, instance, coding):
        received = instance.raw(
            request_bytes(instance, [f"Transfer-Encoding: {coding}"], b"5\r\nhello\r\n0\r\n\r\n"), seconds=10
        )
        assert received == b"" or received.split()[1] in (b"400", b"501"), received[:200]
        # The others are no HTTP for the parser already.
        assert b"another Transfer-Encoding" in received or not coding.endswith(("p, chunked", "y, chunked")), received

    def test_not_http(self, instance):
        received = instance.raw(b"\x16\x03\x01 nonsense\r\n\r\n", seconds=5)
        assert received == b"" or received.startswith(b"HTTP/1.1 400"), received[:100]

    def test_a_body_shorter_than_announced_ends_in_time(self, instance):
        started = time.monotonic()
        received = instance.raw(request_bytes(instance, ["Content-Length: 1000"], b'{"csv":'), seconds=60)
        assert time.monotonic() - started < 45
        assert received == b"" or raw_kind(received) == (408, "too-slow")


def test_slow_clients_keep_nobody_waiting(instance):
    """Twenty clients send a byte now and then; others are served meanwhile, and the slow are cut off in the end."""
    ended = []

    def dawdle():
        started = time.monotonic()
        instance.raw(request_bytes(instance, ["Content-Length: 1000"], b"{"), seconds=60)
        ended.append(time.monotonic() - started)

    threads = [threading.Thread(target=dawdle) for _ in range(20)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    for _ in range(5):
        started = time.monotonic()
        assert instance.get("/health/ready", session=instance.session(), timeout=5).status_code == 200
        assert time.monotonic() - started < 1
    for thread in threads:
        thread.join(70)
    assert len(ended) == 20 and max(ended) < 50
