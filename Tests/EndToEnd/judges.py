"""Second opinions on signed documents, by tools that are not ours: xmlsec1, signxml and openssl."""

import datetime
import subprocess
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from lxml import etree
from signxml import SignatureMethod
from signxml.xades import XAdESSignatureConfiguration, XAdESVerifier

NAMESPACES = {"ds": "http://www.w3.org/2000/09/xmldsig#", "xa": "http://uri.etsi.org/01903/v1.3.2#"}
# Where each kind's signature stands, from the document's root.
PLACES = {
    "prescription": "Prescription/PrescriptionSign/",
    "dispensing": "DispensingSign/",
    "inner": "Dispensing/ReferencePrescription/PrescriptionSign/",
}
TARGETS = {"prescription": "PrescriptionDocument", "dispensing": "Dispensing", "inner": "PrescriptionDocument"}


class Refused(Exception):
    """A judge does not accept the signature."""


def trust(home):
    """Anchors and intermediates of an instance, as files."""
    return sorted((home / "trust" / "anchors").glob("*.pem")), sorted((home / "trust" / "intermediates").glob("*.pem"))


def signing_certificate(document, kind):
    (text,) = etree.fromstring(document).xpath(
        f"/Document/{PLACES[kind]}ds:Signature/ds:KeyInfo/ds:X509Data/ds:X509Certificate", namespaces=NAMESPACES
    )
    return x509.load_pem_x509_certificate(
        f"-----BEGIN CERTIFICATE-----\n{''.join(text.text.split())}\n-----END CERTIFICATE-----\n".encode()
    )


def run(*command):
    outcome = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60)
    if outcome.returncode != 0:
        raise Refused(f"{command[0]}: {outcome.stdout}{outcome.stderr}")


def xmlsec1(document, kind, anchors, intermediates):
    """Digests, signature value and certificate path, by xmlsec1 (libxml2, OpenSSL)."""
    steps = "/".join(f"*[local-name()='{step}']" for step in ["Document", *PLACES[kind].strip("/").split("/")])
    with tempfile.NamedTemporaryFile(suffix=".xml") as file:
        file.write(document)
        file.flush()
        run(
            "xmlsec1",
            "--verify",
            "--enabled-key-data",
            "x509",
            "--node-xpath",
            f"/{steps}/*[local-name()='Signature']",
            "--id-attr:id",
            "PrescriptionDocument",
            "--id-attr:id",
            "Dispensing",
            "--id-attr:Id",
            f"{NAMESPACES['ds']}:KeyInfo",
            "--id-attr:Id",
            f"{NAMESPACES['xa']}:SignedProperties",
            *(word for path in anchors for word in ("--trusted-pem", path)),
            *(word for path in intermediates for word in ("--untrusted-pem", path)),
            file.name,
        )


def openssl_path(certificate, anchors, intermediates):
    """The certificate path alone, by openssl."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "leaf.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        (folder / "anchors.pem").write_bytes(b"".join(path.read_bytes() for path in anchors))
        (folder / "between.pem").write_bytes(b"".join(path.read_bytes() for path in intermediates))
        run(
            "openssl",
            "verify",
            "-x509_strict",
            "-no-CApath",
            "-no-CAstore",
            "-CAfile",
            folder / "anchors.pem",
            "-untrusted",
            folder / "between.pem",
            folder / "leaf.pem",
        )


def signxml(document, kind, anchors, intermediates):
    """XAdES by signxml with the certificate the signature names, whose path openssl judges.

    signxml's own path check asks for the profile of web servers, which no signing certificate of this field meets.
    """
    certificate = signing_certificate(document, kind)
    openssl_path(certificate, anchors, intermediates)
    configuration = XAdESSignatureConfiguration(
        location=f"./{PLACES[kind]}",
        expect_references=3,
        signature_methods=frozenset(
            {
                SignatureMethod.RSA_SHA256,
                SignatureMethod.SHA256_RSA_MGF1,
                SignatureMethod.ECDSA_SHA256,
                SignatureMethod.ECDSA_SHA384,
            }
        ),
    )
    try:
        results = XAdESVerifier().verify(document, x509_cert=certificate, expect_config=configuration)
    except Exception as error:
        raise Refused(f"signxml: {type(error).__name__}: {error}") from error
    covered = {result.signed_xml.get("id") or etree.QName(result.signed_xml).localname for result in results}
    if covered != {TARGETS[kind], "KeyInfo", "SignedProperties"}:
        raise Refused(f"signxml: the signature covers {covered}")


def both(document, kind, home):
    anchors, intermediates = trust(home)
    xmlsec1(document, kind, anchors, intermediates)
    signxml(document, kind, anchors, intermediates)


def signxml_alone(document, kind, home):
    signxml(document, kind, *trust(home))


def signing_time(document, kind):
    (text,) = etree.fromstring(document).xpath(
        f"/Document/{PLACES[kind]}ds:Signature//xa:SigningTime/text()", namespaces=NAMESPACES
    )
    return datetime.datetime.fromisoformat(str(text).replace("Z", "+00:00"))
