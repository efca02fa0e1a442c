"""`shirushi verify`: 0 passed, 1 failed, 2 indeterminate, 64 wrong usage."""

import json

import pytest

import documents
import stranger


@pytest.fixture(scope="module")
def produced(shared, prescription):
    return {
        "prescription": prescription,
        "dispensing": documents.document_of(shared.dispense(documents.dispensing(prescription))),
    }


@pytest.fixture
def verify(shared, cli, tmp_path):
    def run(document, *options, trust=True):
        file = tmp_path / "document.xml"
        file.write_bytes(document)
        options = [*options, *(["--trust", shared.home / "trust"] if trust else [])]
        return cli("verify", file, *options, check=False)

    return run


class TestOurOwn:
    @pytest.mark.parametrize("kind", ["prescription", "dispensing"])
    def test_passes_and_says_who_in_what_role_when_and_what(self, verify, produced, kind):
        run = verify(produced[kind])
        assert run.returncode == 0, run.stdout + run.stderr
        words = {
            "prescription": ["Medical Doctor", "PrescriptionDocument"],
            "dispensing": ["Medical Doctor", "Pharmacist", "Dispensing"],
        }[kind]
        for word in [*words, "20"]:
            assert word in run.stdout, run.stdout

    def test_tells_machines_the_same(self, verify, produced):
        run = verify(produced["dispensing"], "--json")
        report = json.loads(run.stdout)
        assert run.returncode == 0 and report["result"] == "passed" and len(report["signatures"]) == 2

    @pytest.mark.parametrize("kind", ["prescription", "dispensing"])
    def test_is_indeterminate_without_anchors(self, verify, produced, kind):
        assert verify(produced[kind], trust=False).returncode == 2

    @pytest.mark.parametrize(
        "kind, change",
        [
            ("prescription", (b'id="PrescriptionDocument">U0ox', b'id="PrescriptionDocument">U0oy')),
            ("prescription", (b"SigningTime>20", b"SigningTime>19")),
            ("prescription", (b"<Prescription>", b'<Prescription xmlns:x="urn:x">')),
            ("dispensing", (b'id="DispensingDocument">Q0ox', b'id="DispensingDocument">Q0oy')),
            ("dispensing", (b"<Dispensing id", b"<Dispensing  id")),
            ("dispensing", (b'id="PrescriptionDocument">U0ox', b'id="PrescriptionDocument">U0oy')),
        ],
    )
    def test_fails_when_changed(self, verify, produced, kind, change):
        changed = produced[kind].replace(*change, 1)
        assert changed != produced[kind]
        # White space within a tag is no change of the canonical form, and so none to the signature.
        expected = 0 if change[1] == b"<Dispensing  id" else 1
        run = verify(changed)
        assert run.returncode == expected, run.stdout + run.stderr


class TestWrapping:
    def test_a_second_element_of_the_same_id_fails(self, verify, produced):
        shown = b'<PrescriptionDocument id="PrescriptionDocument">U0oxCg==</PrescriptionDocument>'
        for place in (b"<Prescription>", b"</Prescription>"):
            changed = produced["prescription"].replace(
                place, place + shown if place == b"<Prescription>" else shown + place, 1
            )
            assert verify(changed).returncode == 1

    def test_a_signature_over_another_element_than_the_form_shows_fails(self, verify, produced):
        moved = (
            produced["prescription"]
            .replace(b'id="PrescriptionDocument"', b'id="Elsewhere"', 1)
            .replace(b'URI="#PrescriptionDocument"', b'URI="#Elsewhere"')
        )
        assert verify(moved).returncode == 1

    def test_no_signature_at_all_is_not_passed(self, verify):
        assert verify(documents.unsigned_prescription()).returncode in (1, 64)


class TestStrangers:
    def test_a_good_signature_under_an_unknown_root_is_indeterminate(self, verify):
        run = verify(stranger.sign(documents.unsigned_prescription(), stranger.Authority().signer()))
        assert run.returncode == 2, run.stdout + run.stderr

    @pytest.mark.parametrize("name", ["Prescription-004_01.xml", "Dispensing-005_03.xml"])
    def test_the_official_samples_are_good_with_unknown_trust(self, verify, vectors, name):
        run = verify((vectors / "e-prescription" / name).read_bytes())
        assert run.returncode == 2, run.stdout + run.stderr

    @pytest.mark.parametrize("name", ["PrescriptionReferenceError.xml", "DispensingReferenceError.xml"])
    def test_the_official_errors_fail(self, verify, vectors, name):
        run = verify((vectors / "e-prescription" / name).read_bytes())
        assert run.returncode == 1, run.stdout + run.stderr


class TestUsage:
    @pytest.mark.parametrize(
        "arguments",
        [
            [],
            ["/nonexistent/file.xml"],
            ["--no-such-option"],
            ["a", "b", "c"],
            ["/etc/hostname", "--trust", "/nonexistent"],
        ],
    )
    def test_wrong_usage_is_64(self, cli, arguments):
        assert cli("verify", *arguments, check=False).returncode == 64

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"\0" * 100,
            b"<",
            b"<Document",
            b"not xml",
            b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
            b"<a>" * 100_000,
            b"\xff\xfe<\0a\0/\0>\0",
        ],
        ids=range(8),
    )
    def test_hostile_files_are_failed_never_passed(self, verify, content):
        assert verify(content).returncode in (1, 64)
