"""The judges of these tests say yes to a good signature of the official form, and can say no."""

import pytest

import documents
import judges
import stranger


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    authority = stranger.Authority()
    home = tmp_path_factory.mktemp("stranger")
    for folder in ("anchors", "intermediates", "crls"):
        (home / "trust" / folder).mkdir(parents=True)
    authority.install(home, authority.crl())
    return authority, home


@pytest.fixture(scope="module")
def signed(authority):
    return stranger.sign(documents.unsigned_prescription(), authority[0].signer())


@pytest.mark.parametrize("judge", [judges.xmlsec1, judges.signxml])
class TestEachJudge:
    def test_accepts_a_good_signature(self, judge, authority, signed):
        judge(signed, "prescription", *judges.trust(authority[1]))

    def test_accepts_it_with_the_number_of_the_service_beside(self, judge, authority, signed):
        judge(documents.registered(signed), "prescription", *judges.trust(authority[1]))

    @pytest.mark.parametrize(
        "change",
        [
            (b'id="PrescriptionDocument">U0ox', b'id="PrescriptionDocument">U0oy'),
            (b"SigningTime>20", b"SigningTime>19"),
            (b"xs:SignatureValue Id", b"xs:SignatureValue  Id"),
        ],
    )
    def test_refuses_a_changed_document(self, judge, authority, signed, change):
        changed = signed.replace(*change, 1)
        assert changed != signed
        if b"SignatureValue" in change[0]:
            start = changed.index(b">", changed.index(b"<xs:SignatureValue")) + 5
            changed = (
                changed[:start] + (b"AAAA" if changed[start : start + 4] != b"AAAA" else b"BBBB") + changed[start + 4 :]
            )
        with pytest.raises(judges.Refused):
            judge(changed, "prescription", *judges.trust(authority[1]))

    def test_refuses_a_further_namespace_in_scope(self, judge, authority, signed):
        changed = signed.replace(b"<Prescription>", b'<Prescription xmlns:x="urn:x">')
        with pytest.raises(judges.Refused):
            judge(changed, "prescription", *judges.trust(authority[1]))

    def test_refuses_another_root(self, judge, authority, signed, tmp_path):
        other = stranger.Authority("OTHER")
        for folder in ("anchors", "intermediates"):
            (tmp_path / "trust" / folder).mkdir(parents=True)
        other.install(tmp_path)
        with pytest.raises(judges.Refused):
            judge(signed, "prescription", *judges.trust(tmp_path))
