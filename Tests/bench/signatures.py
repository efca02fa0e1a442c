"""What judging a signature and making one at each level cost, beside xmlsec1's and OpenSSL's libraries in C and signxml
and pyHanko in Python, all in one run on the same files.

Judging is measured without start-up: `shirushi verify --repeat`, a C program and Python loops, each verifying one file
over and over, the certificate's path included; ours looks at CRLs besides, and judges roles, policy and time stamps. A
signature of a higher level carries more: the C tools look at none of it. Writes var/bench/signatures.json.
"""

import asyncio
import base64
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(HERE.parent / "EndToEnd")]

import contract  # noqa: E402
import documents  # noqa: E402
import judges  # noqa: E402
from asn1crypto import cms  # noqa: E402
from bench import processor, processor_seconds, run  # noqa: E402
from cryptography import x509  # noqa: E402
from instance import Instance  # noqa: E402
from pyhanko.keys import load_certs_from_pemder  # noqa: E402
from pyhanko.sign.validation.generic_cms import async_validate_detached_cms  # noqa: E402
from pyhanko.sign.validation.settings import KeyUsageConstraints  # noqa: E402
from pyhanko_certvalidator import ValidationContext  # noqa: E402
from signxml import SignatureMethod  # noqa: E402
from signxml.xades import XAdESSignatureConfiguration, XAdESVerifier  # noqa: E402

COUNT = int(os.environ.get("SHIRUSHI_BENCH_COUNT", "2000"))
LEVELS = ("B-B", "B-T", "B-LT", "B-LTA")
GOAL = 1.5
LINE = "".join(f"<line number='{number}'>所見 {number} &amp; 経過</line>" for number in range(400))
LETTER = f"<letter xmlns='urn:letter'>{LINE}</letter>".encode()


def ours(path, home, *more):
    """CPU microseconds of one judgement, and what it comes to."""
    command = [contract.BINARY, "verify", path, "--trust", home / "trust", "--repeat", COUNT, "--json", *more]
    outcome = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    report, _, figure = outcome.stdout.rpartition("CPU microseconds each: ")
    assert json.loads(report)["result"] == "passed", report
    return float(figure)


def python(verify):
    count = max(20, COUNT // 20)
    verify()
    start = time.process_time()
    for _ in range(count):
        verify()
    return (time.process_time() - start) / count * 1e6


def signxml(document):
    (text,) = judges.etree.fromstring(document).xpath("//ds:X509Certificate/text()", namespaces=judges.NAMESPACES)
    certificate = x509.load_der_x509_certificate(base64.b64decode(text))
    expected = XAdESSignatureConfiguration(
        location=".//", expect_references=2, signature_methods=frozenset({SignatureMethod.RSA_SHA256})
    )
    return lambda: XAdESVerifier().verify(document, x509_cert=certificate, expect_config=expected)


def pyhanko(signature, content, anchors, intermediates):
    roots = list(load_certs_from_pemder(map(str, anchors)))
    others = list(load_certs_from_pemder(map(str, intermediates)))

    def verify():
        context = ValidationContext(trust_roots=roots, other_certs=others, allow_fetching=False)
        status = asyncio.run(
            async_validate_detached_cms(
                content,
                cms.ContentInfo.load(signature)["content"],
                signer_validation_context=context,
                key_usage_settings=KeyUsageConstraints(key_usage={"non_repudiation"}),
            )
        )
        assert status.intact and status.valid

    return verify


def made(instance, format, level, count=1):
    """Signatures of one level, and the CPU microseconds of front and of core for each."""
    packaging = "enveloped" if format == "xades" else "detached"
    order = {"format": format, "packaging": packaging, "level": level}
    order["documents"] = [{"document": documents.b64(LETTER)}] * count
    pids = [instance.pid("front"), instance.pid("core")]
    before = [processor_seconds([pid]) for pid in pids]
    answer = instance.post("/v1/signatures", order, instance.token("doctor-1"), timeout=120)
    assert answer.status_code == 200, answer.text
    used = [(processor_seconds([pid]) - old) / count * 1e6 for pid, old in zip(pids, before)]
    return base64.b64decode(answer.json()["signatures"][0]["signature"]), used


def measured(instance, folder):
    home = instance.home
    anchors, intermediates = judges.trust(home)
    (folder / "authorities.pem").write_bytes(b"".join(path.read_bytes() for path in anchors + intermediates))
    (folder / "content").write_bytes(LETTER)
    program = folder / "cverify"
    flags = run("pkg-config", "--cflags", "--libs", "xmlsec1-openssl", "libcrypto").split()
    run("cc", "-O2", "-Wno-deprecated-declarations", "-o", program, HERE / "cverify.c", *flags)
    results = {}
    print(f"a document of {len(LETTER):,} bytes, RSA-2048; CPU µs for each")
    print(f"{'':12}{'made: front':>12}{'core':>8}{'judged':>9}{'C':>8}{'ratio':>7}{'Python':>9}")
    for format in ("xades", "cades"):
        for level in LEVELS:
            document, _ = made(instance, format, level)
            _, (front, core) = made(instance, format, level, 32)
            path = folder / f"{format}-{level}"
            path.write_bytes(document)
            if format == "xades":
                judged = ours(path, home)
                beside = float(run(program, "xml", COUNT, path, *anchors, *intermediates))
                slow = python(signxml(document))
            else:
                judged = ours(path, home, "--content", folder / "content")
                beside = float(run(program, "cms", COUNT, path, folder / "content", folder / "authorities.pem"))
                slow = python(pyhanko(document, LETTER, anchors, intermediates))
            row = {"front": front, "core": core, "judged": judged, "c": beside, "python": slow}
            results[f"{format} {level}"] = {**row, "ratio": judged / beside}
            print(
                f"{format} {level:6}{front:12.0f}{core:8.0f}{judged:9.0f}{beside:8.0f}"
                f"{judged / beside:7.2f}{slow:9.0f}",
                flush=True,
            )
    basic = [results[f"{format} B-B"]["ratio"] for format in ("xades", "cades")]
    for format, ratio in zip(("xades", "cades"), basic):
        word = "holds" if ratio <= GOAL else "DOES NOT HOLD"
        print(f"  {format} B-B beside C: {ratio:.2f} (goal at most {GOAL}): {word}")
    return results


def main():
    with tempfile.TemporaryDirectory() as folder:
        instance = Instance(Path(folder) / "home")

        def settle(settings):
            settings.setdefault("limits", {}).update(perClientRate=0)
            settings["timestamps"].update(perClientMinute=0)

        instance.configure(settle)
        instance.start()
        try:
            found = measured(instance, Path(folder))
        finally:
            instance.kill()
    results = {"processor": processor(), "load": os.getloadavg(), "signatures": found}
    target = ROOT / "var" / "bench" / "signatures.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(results, indent=2) + "\n")
    print(f"all figures: {target.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
