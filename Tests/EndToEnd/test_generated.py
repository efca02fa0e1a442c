"""Generated documents of every format, packaging and level, each verified by two tools that are not ours and by our own
validator; a seeded sample, or a thousand of each with SHIRUSHI_LONG=1."""

import asyncio
import base64
import os
import random
import subprocess

import pytest
from asn1crypto import cms
from cryptography import x509
from lxml import etree
from pyhanko.keys import load_certs_from_pemder
from pyhanko.sign.validation.generic_cms import async_validate_detached_cms
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko_certvalidator import ValidationContext
from signxml import SignatureMethod
from signxml.xades import XAdESSignatureConfiguration, XAdESVerifier

import documents
import judges
import stranger
from instance import Instance

COUNT = 1000 if os.environ.get("SHIRUSHI_LONG") else 24
BATCH = 24
LEVELS = ("B-B", "B-T", "B-LT", "B-LTA")
SPACE = {"ds": stranger.DS, "xa": stranger.XADES}
WORDS = ["紹介状", "a", "Ünïcode", "&amp;", "&lt;tag&gt;", "  ", "\n", "𠮷野家", "<!-- x -->", "<?pi y?>", "<![CDATA[<z>]]>"]


def letter(chance, depth=0):
    """A well-formed document with namespaces, attributes, comments, CDATA and characters beyond the basic plane.

    Names are ASCII: signxml writes others as character references, which it then cannot read.
    """
    name = chance.choice(["p:a", "b", "c.d", "_e-f"])
    attributes = ""
    if depth == 0:
        attributes = ' xmlns:p="urn:p" xmlns="urn:default"'
    elif chance.random() < 0.3:
        attributes = f' xmlns:p="urn:{chance.randrange(3)}"'
    for number in range(chance.randrange(3)):
        attributes += f' at{number}="{chance.choice(["1", "&quot;", "&#9;tab", "値"])}"'
    inner = "".join(
        letter(chance, depth + 1) if depth < 4 and chance.random() < 0.4 else chance.choice(WORDS)
        for _ in range(chance.randrange(6))
    )
    return f"<{name}{attributes}>{inner}</{name}>"


def wrapped(chance):
    """A document whose first child has an id."""
    return f'<root xmlns="urn:root"><part Id="part-1">{letter(chance)}</part>{letter(chance)}</root>'


@pytest.fixture(scope="module")
def shared(tmp_path_factory, shim):
    """An instance of these tests' own, since they ask for more time stamps than one client may."""
    instance = Instance(tmp_path_factory.mktemp("generated") / "home", shim=shim)
    instance.configure(lambda settings: settings["timestamps"].update(perClientMinute=0))
    yield instance.start()
    instance.kill()


@pytest.fixture(scope="module")
def authorities(shared, tmp_path_factory):
    anchors, intermediates = judges.trust(shared.home)
    folder = tmp_path_factory.mktemp("authorities")
    (folder / "all.pem").write_bytes(b"".join(path.read_bytes() for path in anchors + intermediates))
    return anchors, intermediates, folder / "all.pem"


def signed(instance, **order):
    """The signatures of an order, all of them."""
    answer = instance.post("/v1/signatures", order, instance.token("doctor-1"), timeout=120)
    assert answer.status_code == 200, answer.text
    found = answer.json()["signatures"]
    assert all("signature" in each for each in found), found
    return [base64.b64decode(each["signature"]) for each in found]


def validated(instance, document, level, content=None):
    """Our own report: passed, at the level that was asked for."""
    body = {"document": documents.b64(document)}
    if content is not None:
        body["content"] = documents.b64(content)
    answer = instance.post("/v1/validations", body, instance.token("pharmacist-1"))
    assert answer.status_code == 200, answer.text
    report = answer.json()
    (one,) = report["signatures"]
    assert report["result"] == "passed" and one["indication"] == "TOTAL-PASSED", report
    assert one["level"] == level, report
    assert (one.get("provenSigningTime") is not None) == (level != "B-B"), report


def xmlsec1(document, authorities, folder):
    (folder / "signed.xml").write_bytes(document)
    anchors, intermediates, _ = authorities
    names = [f"{SPACE['xa']}:SignedProperties", f"{SPACE['ds']}:Object", "urn:root:part"]
    judges.run(
        *("xmlsec1", "--verify", "--enabled-key-data", "x509", "--url-map:letter.bin", folder / "letter.bin"),
        *(word for path in anchors for word in ("--trusted-pem", path)),
        *(word for path in intermediates for word in ("--untrusted-pem", path)),
        *(word for name in names for word in ("--id-attr:Id", name)),
        folder / "signed.xml",
    )


def signxml(document, content=None):
    """Digests, value and certificate binding; the path is xmlsec1's part."""
    (text,) = etree.fromstring(document).xpath("//ds:Signature//ds:X509Certificate/text()", namespaces=SPACE)
    certificate = x509.load_der_x509_certificate(base64.b64decode(text))
    configuration = XAdESSignatureConfiguration(
        location=".//", expect_references=2, signature_methods=frozenset({SignatureMethod.RSA_SHA256})
    )
    XAdESVerifier().verify(
        document, x509_cert=certificate, expect_config=configuration, uri_resolver=lambda uri: content
    )


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("packaging", ["enveloped", "internally-detached", "enveloping", "detached"])
def test_xades(instance, authorities, tmp_path, packaging, level):
    chance = random.Random(f"{packaging} {level}")
    for start in range(0, COUNT, BATCH):
        contents = []
        for _ in range(min(BATCH, COUNT - start)):
            if packaging == "enveloped":
                contents.append(letter(chance).encode())
            elif packaging == "internally-detached":
                contents.append(wrapped(chance).encode())
            else:
                contents.append(chance.randbytes(chance.randrange(1, 3000)))
        more = {"internally-detached": {"elementId": "part-1"}, "detached": {"name": "letter.bin"}}.get(packaging, {})
        items = [{"document": documents.b64(content), **more} for content in contents]
        made = signed(instance, format="xades", packaging=packaging, level=level, documents=items)
        for content, document in zip(contents, made, strict=True):
            (tmp_path / "letter.bin").write_bytes(content)
            outside = content if packaging == "detached" else None
            xmlsec1(document, authorities, tmp_path)
            signxml(document, outside)
            validated(instance, document, level, outside)


def openssl(signature, content, packaging, authorities, folder):
    (folder / "signature.p7s").write_bytes(signature)
    (folder / "content").write_bytes(content)
    command = ["openssl", "cms", "-verify", "-cades", "-inform", "DER", "-binary", "-purpose", "any"]
    command += ["-in", folder / "signature.p7s", "-CAfile", authorities[2], "-no-CApath", "-no-CAstore"]
    command += ["-content", folder / "content"] if packaging == "detached" else []
    run = subprocess.run(command, capture_output=True)
    assert run.returncode == 0 and run.stdout == content, run.stderr.decode()


def pyhanko(signature, content, authorities):
    """Integrity, signed attributes and path by pyHanko, whose own code reads the CMS.

    It judges signatures over content that it is given: what an attached one carries must be that content, and is taken
    out of it, which changes nothing that the signer signed.
    """
    signed_data = cms.ContentInfo.load(signature)["content"]
    enclosed = signed_data["encap_content_info"]
    if enclosed["content"].native is not None:
        assert enclosed["content"].native == content
        signed_data["encap_content_info"] = {"content_type": enclosed["content_type"].native}
    anchors, intermediates, _ = authorities
    context = ValidationContext(
        trust_roots=list(load_certs_from_pemder(map(str, anchors))),
        other_certs=list(load_certs_from_pemder(map(str, intermediates))),
        allow_fetching=False,
        revocation_mode="soft-fail",
    )
    status = asyncio.run(
        async_validate_detached_cms(
            content,
            signed_data,
            signer_validation_context=context,
            key_usage_settings=KeyUsageConstraints(key_usage={"non_repudiation"}),
        )
    )
    assert status.intact and status.valid and status.trusted, status.pretty_print_details()


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("packaging", ["attached", "detached"])
def test_cades(instance, authorities, tmp_path, packaging, level):
    chance = random.Random(f"{packaging} {level}")
    for start in range(0, COUNT, BATCH):
        contents = [chance.randbytes(chance.randrange(1, 5000)) for _ in range(min(BATCH, COUNT - start))]
        items = [{"document": documents.b64(content)} for content in contents]
        made = signed(instance, format="cades", packaging=packaging, level=level, documents=items)
        for content, signature in zip(contents, made, strict=True):
            openssl(signature, content, packaging, authorities, tmp_path)
            pyhanko(signature, content, authorities)
            validated(instance, signature, level, content if packaging == "detached" else None)
