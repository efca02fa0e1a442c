"""`scripts/verify-audit` holds good exports, receipts and checkpoints, and names what is wrong with spoilt ones."""

import base64
import copy

import pytest

import contract
import evidence
from evidence import Signer, compact, lines
from verify_audit import assert_refused, run, spawn

LOG = evidence.sample()
KEY = LOG.key.vkey
COMPLETE, RECEIPT = LOG.export(), LOG.receipt(3, 5)
SELECTION, SINCE = LOG.export([3, 5, 9, 10]), LOG.export(range(7, 21), **{"from": 7})
STEP = contract.long(5, 1)  # of the bytes that are changed, one after the other
WITNESSES = [Signer(f"w{n}.example", f"witness {n}", kind=4) for n in range(3)]


@pytest.fixture
def verify(capsys, tmp_path):
    """Runs a command on contents: texts, bytes or JSON, which are written to files first."""
    count = 0

    def verify(command, content, *options, key=KEY):
        nonlocal count
        count += 1
        file = tmp_path / f"evidence-{count}"
        if isinstance(content, list):
            content = lines(content)
        elif isinstance(content, dict):
            content = compact(content)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        keys = ("--key", key) if key else ()
        return run(capsys, command, file, *keys, *options)

    verify.path = tmp_path
    return verify


@pytest.fixture
def kept(tmp_path):
    """Files with checkpoints that were kept."""

    def kept(size, text=None):
        file = tmp_path / f"kept-{size}"
        file.write_text(text or LOG.checkpoint(size))
        return file

    return kept


# --- What holds ---


def test_it_holds_what_a_log_gives(verify, kept):
    for name, export in {"complete": COMPLETE, "selection": SELECTION, "since": SINCE}.items():
        result = verify("export", export)
        assert result.code == 0 and not result.faults, (name, result)
    assert verify("receipt", RECEIPT).code == 0
    assert verify("checkpoint", LOG.checkpoint()).code == 0
    erased = copy.deepcopy(COMPLETE)
    for record in erased[1:]:
        del record["detail"]
    erased[4]["detail"] = []
    assert "0 opened, 87 withheld" in verify("export", erased).out
    some = copy.deepcopy(SELECTION)
    some[1]["detail"] = some[1]["detail"][1::3]
    assert verify("export", some).code == 0
    empty = [{**COMPLETE[0], "checkpoint": LOG.checkpoint(0)}]
    assert verify("export", empty).code == 0
    assert verify("export", [{**SINCE[0], "from": 21}], "--previous", kept(21)).code == 0


@pytest.mark.parametrize("size", range(0, 22))
def test_each_earlier_checkpoint_is_compared_with_what_the_log_begins_with(verify, kept, size):
    assert f"begins with    the {size} record" in verify("export", COMPLETE, "--previous", kept(size)).out
    since = verify("export", SINCE, "--previous", kept(size))
    assert since.code == (1 if 0 < size < 7 else 0)
    other = evidence.sample()
    other.entries[0].fields[0] = (11, "core started: another")
    if size:
        forged = evidence.note(size, other.root(size), [LOG.key])
        for export in (COMPLETE, SINCE) if size >= 7 else (COMPLETE,):
            told = verify("export", export, "--previous", kept(size, forged))
            assert_refused(told, f"records 0 to {size - 1}: .* forked")


def test_a_proof_in_a_selection_holds_the_tree_before_its_record(verify, kept):
    for size in (3, 4, 5, 6, 9, 10, 11):
        assert "begins with" in verify("export", SELECTION, "--previous", kept(size)).out
    assert_refused(verify("export", SELECTION, "--previous", kept(8)), "kept-8: its 8 records cannot be compared")
    forged = evidence.note(9, evidence.sha256(b""), [LOG.key])
    assert_refused(verify("export", SELECTION, "--previous", kept(9, forged)), "records 0 to 8: .* forked")


def test_either_key_will_do_while_the_log_key_rotates(verify):
    young = Signer(evidence.ORIGIN, "young")
    both = [{**COMPLETE[0], "checkpoint": LOG.checkpoint(signers=[LOG.key, young])}, *COMPLETE[1:]]
    for key in (KEY, young.vkey):
        assert verify("export", both, key=key).code == 0
    assert verify("export", COMPLETE, "--key", young.vkey).code == 0
    file = verify.path / "keys"
    file.write_text(f"{young.vkey}\n{KEY}\n")
    assert verify("export", COMPLETE, key=f"@{file}").code == 0


def test_the_files_own_keys_are_taken_when_asked_for_and_with_a_warning(verify):
    for command, content in (("export", COMPLETE), ("receipt", RECEIPT)):
        assert_refused(verify(command, content, key=None), "needs --key")
        result = verify(command, content, "--trust-file-keys", key=None)
        assert result.code == 0 and "as far as its own key" in result.out
        assert "WARNING" in result.out and "NOT" in result.out
        assert_refused(verify(command, content, "--trust-file-keys"), "either --key or --trust-file-keys")
    bare = {**RECEIPT, "keys": []}
    assert_refused(verify("receipt", bare, "--trust-file-keys", key=None), "no key of its own")


def test_a_quorum_of_witnesses_is_counted(verify):
    cosigned = LOG.checkpoint(signers=[LOG.key, *WITNESSES[:2]])
    asked = [part for each in WITNESSES for part in ("--witness", each.vkey)]
    good = verify("checkpoint", cosigned, *asked, "--quorum", 2)
    assert good.code == 0 and good.out.count("cosigned by") == 2
    assert verify("checkpoint", cosigned, *asked[:4]).code == 0
    assert_refused(verify("checkpoint", cosigned, *asked), "2 witnesses cosigned; 3 have to")
    assert_refused(verify("checkpoint", LOG.checkpoint(), *asked, "--quorum", 1), "0 witnesses cosigned; 1 have to")
    elsewhere = LOG.checkpoint(7, signers=[LOG.key, *WITNESSES[:2]]).splitlines(keepends=True)
    mixed = LOG.checkpoint() + "".join(elsewhere[-2:])
    assert_refused(verify("checkpoint", mixed, *asked, "--quorum", 2), "cosignature by w0.example.* does not hold")
    twice = LOG.checkpoint(signers=[LOG.key, WITNESSES[0], WITNESSES[0]])
    assert_refused(verify("checkpoint", twice, *asked, "--quorum", 2), "1 witness cosigned")
    for quorum in (0, 4, -1):
        assert_refused(verify("checkpoint", cosigned, *asked, "--quorum", quorum), "cannot come of 3 witnesses")
    renamed = Signer("w9.example", "witness 0", kind=4)
    assert_refused(verify("checkpoint", cosigned, *asked, "--witness", renamed.vkey), "key of another witness")
    own = Signer("w9.example", "log", kind=4)
    assert_refused(verify("checkpoint", cosigned, "--witness", own.vkey), "or of the log")
    assert_refused(verify("checkpoint", cosigned, "--witness", KEY), "not of the type that a witness")
    wrong = KEY.replace(LOG.key.id.hex(), "0" * 8)
    assert_refused(verify("checkpoint", cosigned, key=wrong), "does not have the id 00000000")
    assert_refused(verify("checkpoint", cosigned, key=WITNESSES[0].vkey), "not of the type that a log")


def test_a_receipt_is_told_in_plain_words_and_compared_with_files(verify):
    def file(name, content):
        (verify.path / name).write_bytes(content)
        return verify.path / name

    result = verify("receipt", RECEIPT)
    for words in ("doctor-1-key-1", evidence.DIGESTS["abc"], "rule prescribe", "hpki-card at 2026-11-21T00:50:00.000Z"):
        assert words in result.out
    assert "It does not prove" in result.out
    document, value = file("document", b"abc"), file("value", b"value")
    pem = b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(b"certificate") + b"-----END CERTIFICATE-----\n"
    for certificate in (file("der", b"certificate"), file("pem", pem)):
        asked = ("--document", document, "--certificate", certificate, "--signature-value", value)
        assert verify("receipt", RECEIPT, *asked).out.count("compared  ") == 3
    assert "in Base 64" in verify("receipt", RECEIPT, "--signature-value", file("text", b"dmFs\ndWU=\n")).out
    other = file("other", b"other")
    assert_refused(verify("receipt", RECEIPT, "--document", other), "record 3: its document is not the digest of")
    assert_refused(verify("receipt", RECEIPT, "--certificate", other), "record 3: its key is not the certificate's")
    assert_refused(verify("receipt", RECEIPT, "--signature-value", other), "record 5: its signature-value is not")
    less = copy.deepcopy(RECEIPT)
    del less["records"][0]["detail"][2]
    assert_refused(verify("receipt", less), "record 3: withholds document; --partial")
    assert "withheld, so the receipt does not show it" in verify("receipt", less, "--partial").out
    told = verify("receipt", less, "--partial", "--document", document)
    assert_refused(told, "is withheld, so .* cannot be compared")
    private = copy.deepcopy(RECEIPT)
    del private["records"][0]["detail"][0]
    assert "withheld         holder" in verify("receipt", private).out


def test_help_has_examples_and_fits_a_terminal():
    for command in ((), ("export",), ("receipt",), ("checkpoint",), ("tiles",)):
        shown = spawn(*command, "--help")
        assert shown.code == 0 and f"  verify-audit {''.join(command)}" in shown.out and "example" in shown.out
        assert max(len(line) for line in shown.out.splitlines()) <= 76, command


def test_as_a_process_it_reads_standard_input_and_ends_with_its_code(tmp_path):
    content = lines(COMPLETE)
    assert spawn("export", "-", "--key", KEY, stdin=content).code == 0
    assert spawn("export", "-", "--key", KEY, stdin=content[:-40]).code == 1
    for arguments in ((), ("export",), ("export", tmp_path / "none", "--key", KEY), ("export", tmp_path, "--key", KEY)):
        result = spawn(*arguments)
        assert result.code == 2 and "Traceback" not in result.err and result.err


# --- What does not hold, byte by byte ---


def test_no_byte_of_a_complete_export_can_be_changed_or_cut_off(verify):
    log = evidence.Log()
    log.event("start", "a")
    log.outcome(log.intent())
    content = lines(log.export())
    assert verify("export", content).code == 0
    for at in range(0, len(content), STEP):
        spoilt = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
        assert verify("export", spoilt).code in (1, 2), content[max(0, at - 20) : at + 20]
    for end in range(0, len(content) - 1, 7):
        assert verify("export", content[:end]).code in (1, 2), end


def test_no_byte_of_a_receipt_can_be_changed(verify):
    content = compact(RECEIPT).encode()
    for at in range(0, len(content), STEP):
        spoilt = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
        assert verify("receipt", spoilt).code in (1, 2), content[max(0, at - 20) : at + 20]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"\xff\xfe",
        b"[" * 200_000,
        b'{"sequence":' + b"9" * 5000 + b"}",
        b'{"sequence":NaN}',
        b'{"sequence":1e3}',
        b'{"sequence":-1}',
        b"null",
        b'{"leaf":"\\ud800"}',
        b'{"a":1,"a":1}',
        b"x" * (1 << 20) + b"\n",
        b'{"sequence":0,"leaf":{},"time":[],"kind":null,"code":{},"pseudonym":1}',
    ],
    ids=lambda line: f"{len(line)} {line[:20]!r}",
)
def test_nonsense_gets_a_line_and_no_traceback(verify, line):
    header = lines(COMPLETE[:1])
    assert_refused(verify("export", line), "its format|first line|is empty|longer")
    assert_refused(verify("export", header + line), "record 0|records 0|line 2 is longer")
    assert_refused(verify("receipt", line), "not JSON|not UTF-8|nested|not a whole|range|twice|format|has more than")
    assert_refused(verify("checkpoint", line), "the checkpoint|has more than")
    for vkey in (line.decode("latin-1")[:300].replace("\0", "") or "+", KEY[:-1], KEY.replace("+", "-"), KEY + "="):
        assert_refused(verify("checkpoint", LOG.checkpoint(), key=vkey.removeprefix("@")), "key")


def places(value):
    """Every object and list in a JSON value, with each of its names."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in list(items):
        yield value, name
        yield from places(inner)


@pytest.mark.parametrize("odd", [None, True, 0, "", "x", [], {}, [[]], {"": ""}], ids=repr)
def test_a_value_of_another_type_is_refused_wherever_it_stands(verify, odd):
    log = evidence.Log()
    log.outcome(log.intent())
    kinds = [("export", log.export), ("export", lambda: log.export([0, 1])), ("receipt", lambda: log.receipt(0, 1))]
    for command, make in kinds:
        for at in range(len(list(places(make())))):
            evidence_of = make()
            holder, name = list(places(evidence_of))[at]
            same = type(holder[name]) is type(odd) and holder[name] == odd
            if same or (odd == [] and name in ("keys", "detail")):
                continue  # as good as what was there
            holder[name] = odd
            assert verify(command, evidence_of).code in (1, 2), (command, name)


def test_many_faults_are_cut_short(verify):
    spoilt = [COMPLETE[0], *[{"sequence": 1}] * 500]
    result = verify("export", spoilt)
    assert result.code == 1 and len(result.faults) == 100 and "and so on" in result.out


def test_a_terminal_is_shown_no_control_characters(verify):
    log = evidence.sample()
    log.entries[3].fields[6] = (7, "rule\x1b[2J\u202e:" + evidence.DIGESTS["policy"])
    result = verify("receipt", log.receipt(3, 5))
    assert result.code == 0 and "rule\\x1b[2J\\u202e" in result.out
