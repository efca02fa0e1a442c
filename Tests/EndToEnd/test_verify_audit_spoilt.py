"""What `scripts/verify-audit` refuses, fault by fault, each with the record named.

The checkpoint of a forged log is signed anew by the log's own key where the fault would otherwise show as another root:
the rules of leaves hold against whoever has that key, too.
"""

import base64
import copy
import json

import pytest

import evidence
from evidence import Signer, b64, compact, lines
from verify_audit import assert_refused, run

KEY = evidence.sample().key.vkey
OTHER = evidence.Log(seed="other")
OTHER.event("start", "another log")


@pytest.fixture
def verify(capsys, tmp_path):
    def verify(command, content, *options):
        file = tmp_path / "evidence"
        if isinstance(content, (list, dict)):
            content = lines(content if isinstance(content, list) else [content])
        file.write_bytes(content)
        return run(capsys, command, file, "--key", KEY, *options)

    return verify


# --- Records of a good log, changed in the file ---


def change(place, **members):
    """A spoiler that sets members of the record at a place of the file; None takes one away."""

    def spoil(export):
        for name, value in members.items():
            if value is None:
                del export[place][name]
            else:
                export[place][name] = value

    return spoil


def opening(place, index, **members):
    def spoil(export):
        export[place]["detail"][index].update(members)

    return spoil


def leaf(place, edit):
    """A spoiler that changes the bytes of a leaf."""

    def spoil(export):
        data = bytearray(base64.b64decode(export[place]["leaf"]))
        export[place]["leaf"] = b64(bytes(edit(data) or data))

    return spoil


def at(position, value):
    def edit(data):
        data[position] = value

    return edit


def move(export):
    export[5], export[6] = export[6], export[5]


def renumber(export):
    """Two records change places, numbers and all that the file repeats."""
    export[12], export[13] = export[13], export[12]
    for each in (12, 13):
        data = bytearray(base64.b64decode(export[each]["leaf"]))
        data[1:9] = (each - 1).to_bytes(8, "big")
        export[each].update(sequence=each - 1, leaf=b64(bytes(data)))
    export[12]["time"], export[13]["time"] = export[13]["time"], export[12]["time"]
    for each in (12, 13):
        data = bytearray(base64.b64decode(export[each]["leaf"]))
        data[9:17] = (evidence.START + 1000 * (each - 1)).to_bytes(8, "big")
        export[each]["leaf"] = b64(bytes(data))


def resalted(export):
    """Another value with a commitment to match: only the tree can tell."""
    log = evidence.sample()
    log.entries[9].fields[4] = (5, "0" * 64)
    export[10] = log.record(9, proven="proof" in export[10])


COMPLETE = {
    "a middle record is missing": (lambda e: e.pop(8), "record 7 is missing"),
    "two middle records are missing": (lambda e: e.__delitem__(slice(8, 10)), "records 7 to 8 are missing"),
    "the first record is missing": (lambda e: e.pop(1), "record 0 is missing"),
    "the newest record is missing": (lambda e: e.pop(), "record 20 and later are missing: .* counts 21"),
    "every record is missing": (lambda e: e.__delitem__(slice(1, None)), "record 0 and later are missing"),
    "a record stands twice": (lambda e: e.insert(9, e[8]), "record 7: stands out of its order, behind record 7"),
    "records are reordered": (move, "record 4: stands out of its order"),
    "records are reordered and renumbered": (renumber, "records 0 to 20: do not give the checkpoint's root"),
    "a record is added": (lambda e: e.append({**e[21], "sequence": 21}), "record 21: says sequence 21"),
    "a value and its commitment are changed": (resalted, "records 0 to 20: do not give the checkpoint's root"),
    "the last record in place of the first": (lambda e: e.__setitem__(1, e[21]), "records 0 to 19 are missing"),
    "a record of another log": (lambda e: e.__setitem__(1, OTHER.export()[1]), "records 0 to 20: do not give"),
    "a proof where none belongs": (change(4, proof=[]), "record 3: has a member proof"),
    "an empty line": (lambda e: e.insert(4, {}), "record 3 .*has no member"),
    "no object": (lambda e: e.insert(4, []), "record 3 .*is not a JSON object"),
}
EITHER = {
    "the sequence differs from the leaf's": (change(4, sequence=9), "record 9: says sequence 9; its leaf says 3"),
    "the sequence is a text": (change(4, sequence="3"), "says sequence 3; its leaf says 3"),
    "the sequence is true": (change(4, sequence=True), "says sequence True"),
    "the time differs": (change(4, time="2026-11-21T01:00:03.001Z"), "record 3: says time 2026-11-21T01:00:03.001Z"),
    "the time is spelt otherwise": (change(4, time="2026-11-21T01:00:03Z"), "record 3: says time"),
    "the kind differs": (change(4, kind="refusal"), "record 3: says kind refusal; its leaf says intent"),
    "the code differs": (change(6, code=2), "record 5: says code 2"),
    "the code is false": (change(4, code=False), "record 3: says code False"),
    "closes differs": (change(6, closes=4), "record 5: says closes 4; its leaf says 3"),
    "closes is missing": (change(6, closes=None), "record 5: says closes None"),
    "an intent closes": (change(4, closes=1), "record 3: says closes 1"),
    "an intent closes nothing by name": (lambda e: e[4].update(closes=None), "record 3: says that it closes an intent"),
    "the pseudonym differs": (change(4, pseudonym="0" * 32), "record 3: says pseudonym"),
    "the pseudonym is missing": (change(4, pseudonym=None), "record 3: has no member pseudonym"),
    "an unknown member": (change(4, comment="x"), "record 3: has a member comment"),
    "the detail is no list": (change(4, detail={}), "record 3: the member detail is not a list"),
    "a salt is changed": (opening(4, 1, salt="0" * 32), "record 3: its field signature does not open"),
    "a salt is in capitals": (opening(4, 1, salt="A" * 32), "record 3: the salt of the field signature is not 32"),
    "a value is changed": (opening(4, 2, value="other"), "record 3: its field document does not open"),
    "a value is too long": (opening(4, 2, value="歯" * 2731), "record 3: .* more than 8192"),
    "a value is a number": (opening(4, 2, value=1), "record 3: the member value is not a text"),
    "a value is no Unicode": (opening(4, 2, value="\ud800"), "record 3: .* is not Unicode"),
    "an opening is of another field": (opening(4, 2, field=5, name="bytes-to-sign"), "record 3: .* does not open"),
    "an opening has another name": (opening(4, 2, name="key"), "record 3: calls the field 3 key; it is document"),
    "an opening is of no field": (opening(4, 2, field=99), "record 3: opens the unknown field 99"),
    "an opening has one member more": (opening(4, 2, more=1), "record 3: has a member more"),
    "openings are reordered": (lambda e: e[4]["detail"].reverse(), "record 3: .* out of its order"),
    "an opening stands twice": (lambda e: e[4]["detail"].insert(0, e[4]["detail"][0]), "record 3: .* or twice"),
    "openings are another record's": (lambda e: e[4].update(detail=e[6]["detail"]), "record 3: its field signature"),
    "the leaf has a byte left over": (leaf(4, lambda d: d + b"\0"), "record 3: its leaf has bytes left over"),
    "the leaf ends early": (leaf(4, lambda d: d[:-1]), "record 3: its leaf ends too early"),
    "the leaf is empty": (leaf(4, lambda d: d[:0] or b"\1"), "record 3: its leaf ends too early"),
    "the leaf has another version": (leaf(4, at(0, 2)), "record 3: its leaf has the version 2"),
    "the leaf has another flag": (leaf(4, at(21, 2)), "record 3: its leaf has the flag 2"),
    "the leaf is of an unknown kind": (leaf(4, at(18, 10)), "record 3: its leaf is of the unknown kind 10"),
    "the leaf has an unknown code": (leaf(4, at(20, 1)), "record 3: .* with the unknown code 1"),
    "the outcome has an unknown code": (leaf(6, at(20, 4)), "record 5: .* with the unknown code 4"),
    "the leaf has an unknown field": (leaf(4, at(40, 99)), "record 3: its leaf has the unknown field 99"),
    "the leaf lacks a field": (leaf(4, lambda d: d[:39] + b"\x08" + d[40:-33]), "record 3: its leaf has the fields"),
    "the leaf says another time": (leaf(4, at(16, 0)), "record 3: says time"),
    "the leaf is outside the calendar": (leaf(4, at(9, 0x7F)), "record 3: its time is outside the calendar"),
    "the leaf has no pseudonym": (leaf(4, lambda d: d[:22] + bytes(16) + d[38:]), "record 3: .* has no pseudonym"),
    "the leaf is no Base 64": (change(4, leaf="AQ=="[:3]), "record 3: the leaf is not Base 64"),
    "the leaf has loose bits": (change(4, leaf="AR=="), "record 3: the leaf is not Base 64"),
    "the leaf has line breaks": (lambda e: e[4].update(leaf=e[4]["leaf"] + "\n"), "record 3: the leaf is not Base 64"),
    "a commitment is changed": (leaf(4, at(60, 0)), "record 3: its field holder does not open"),
}


@pytest.mark.parametrize("name", [*COMPLETE, *EITHER])
def test_a_spoilt_complete_export_is_refused(verify, name):
    export = evidence.sample().export()
    spoil, pattern = {**COMPLETE, **EITHER}[name]
    spoil(export)
    content = lines(export) if name != "a value is no Unicode" else lines_with_escape(export)
    assert_refused(verify("export", content), pattern)


def lines_with_escape(export):
    return "".join(json.dumps(each) + "\n" for each in export).encode()


@pytest.mark.parametrize("member", ["sequence", "leaf", "detail", "salt", "checkpoint", "complete"])
def test_a_member_that_stands_twice_is_refused_though_both_agree(verify, member):
    content = lines(LOG.export()).decode()
    start = content.index(f'"{member}":')
    end = content.index("]" if member == "detail" else ",", start) + (member == "detail")
    end = content.index("}", start) if member == "complete" else end
    twice = content[:end] + "," + content[start:end] + content[end:]
    assert_refused(verify("export", twice.encode()), f"(record 0|first line).*: the member {member} stands twice")


def test_a_selection_cannot_close_twice_what_it_does_not_show(verify):
    log = forged(both(entry(6, closes=3), entry(6, pseudonym=b"x" * 16)))
    assert verify("export", log.export([5])).code == 0 and verify("export", log.export([6])).code == 0
    assert_refused(verify("export", log.export([5, 6])), "record 6: closes 3, which is no open intent")
    late = log.export(range(5, 21), **{"from": 5})
    assert_refused(verify("export", late), "record 6: closes 3, which is no open intent")


def swapped(export):
    export[4]["proof"], export[6]["proof"] = export[6]["proof"], export[4]["proof"]


SELECTION = {
    "a proof is too long": (lambda e: e[4]["proof"].append(e[4]["proof"][0]), "record 3: its proof is too long"),
    "a proof is too short": (lambda e: e[4]["proof"].pop(), "record 3: its proof is too short"),
    "a proof is empty": (lambda e: e[4]["proof"].clear(), "record 3: its proof is too short"),
    "a proof is reordered": (lambda e: e[4]["proof"].reverse(), "record 3: its proof does not lead"),
    "proofs are swapped": (swapped, "record 3: its proof does not lead"),
    "a step has 31 bytes": (lambda e: e[4]["proof"].__setitem__(0, b64(bytes(31))), "record 3: .* has 31 bytes"),
    "a step is no text": (lambda e: e[4]["proof"].__setitem__(0, 1), "record 3: a step of its proof is not Base 64"),
    "a proof has a thousand steps": (change(4, proof=[b64(bytes(32))] * 1000), "record 3: its proof is too long"),
    "the proof is missing": (change(4, proof=None), "record 3: has no member proof"),
    "a value and its commitment are changed": (resalted, "record 9: its proof does not lead"),
    "records are reordered": (move, "record 4: stands out of its order, behind record 5"),
    "a record stands twice": (lambda e: e.insert(9, e[8]), "record 7: stands out of its order"),
}


@pytest.mark.parametrize("name", [*SELECTION, *EITHER])
def test_a_spoilt_selection_is_refused(verify, name):
    export = evidence.sample().export(range(21))
    spoil, pattern = {**EITHER, **SELECTION}[name]
    spoil(export)
    content = lines(export) if name != "a value is no Unicode" else lines_with_escape(export)
    assert_refused(verify("export", content), pattern.replace("record 3 .*", "line "))


def test_what_begins_late_has_every_record_from_there(verify):
    log = evidence.sample()
    for sequences, pattern in (
        ([*range(8, 21)], "record 7 is missing"),
        ([*range(7, 20)], "record 20 and later are missing"),
        ([*range(7, 12), *range(13, 21)], "record 12 is missing"),
        ([*range(6, 21)], "record 6: stands out of its order, before the first"),
    ):
        assert_refused(verify("export", log.export(sequences, **{"from": 7})), pattern)
    assert_refused(verify("export", log.export([], **{"from": 22})), "begins with record 22")
    assert_refused(verify("export", log.export(**{"from": 7})), "says that it is complete, and begins")
    assert_refused(verify("export", log.export([], **{"from": True})), "from is not a whole number")


# --- Headers and checkpoints ---


def header(**members):
    def spoil(export):
        for name, value in members.items():
            if value is None:
                del export[0][name]
            else:
                export[0][name] = value

    return spoil


LOG = evidence.sample()
NOTE = LOG.checkpoint()
SIGNATURE = NOTE.splitlines()[-1]
WRONG_ID = KEY.replace(LOG.key.id.hex(), "0" * 8)
COLLIDING = Signer(evidence.ORIGIN, "log")
COLLIDING.private = OTHER.key.private  # the name and the id of the log's key, and another key behind them
HEADERS = {
    "another format": (header(format="shirushi-audit/2"), "its format is not shirushi-audit/1"),
    "no origin": (header(origin=None), "has no member origin"),
    "another origin": (header(origin="other.example", keys=[]), "calls the log other.example"),
    "an unknown member": (header(signed="yes"), "has a member signed"),
    "complete is a text": (header(complete="true"), "complete is not true or false"),
    "complete is missing": (header(complete=None), "complete is not true or false"),
    "keys are no list": (header(keys="x"), "keys is not a list"),
    "a key of another log": (header(keys=[Signer("other.example", "x").vkey]), "is not of the log log.example"),
    "a key with an id not its own": (header(keys=[WRONG_ID]), "does not have the id 00000000"),
    "a key with half an id": (header(keys=[KEY.replace("+", "+0", 1)[:-1]]), "8 lower-case"),
    "the checkpoint is missing": (header(checkpoint=None), "has no member checkpoint"),
    "no selection, no proofs": (header(complete=False), "record 0: has no member proof|line 2: has no member proof"),
}
NOTES = {
    "another root": (evidence.note(21, LOG.root(20), [LOG.key]), None),
    "another root, unsigned": (NOTE.replace(b64(LOG.root()), b64(LOG.root(20))), "signature by .* does not hold"),
    "another size": (evidence.note(22, LOG.root(), [LOG.key]), None),
    "another size, unsigned": (NOTE.replace("\n21\n", "\n20\n"), "signature by .* does not hold"),
    "size 0 with a root": (evidence.note(0, LOG.root(), [LOG.key]), "counts no record and has the root"),
    "size 0": (LOG.checkpoint(0), None),
    "another key": (LOG.checkpoint(signers=[OTHER.key]), "no key that was given signed"),
    "a key of the same id": (LOG.checkpoint(signers=[COLLIDING]), "signature by .* does not hold"),
    "one good and one false signature": (LOG.checkpoint(signers=[LOG.key, COLLIDING]), "does not hold"),
    "a signature of another name": (NOTE.replace("— log.example", "— logs.example"), "no key that was given"),
    "another log": (evidence.note(21, LOG.root(), [LOG.key], origin="other.example"), "is of the log other.example"),
    "no signature": (NOTE[: NOTE.index("—")], "is not a signed note"),
    "no empty line": (NOTE.replace("\n\n", "\n"), "is not a signed note"),
    "no line feed at the end": (NOTE[:-1], "is not a signed note"),
    "a line more": (NOTE.replace("\n\n", "\nmore\n\n"), "does not have three lines"),
    "a size with a zero before it": (evidence.note("021", LOG.root(), [LOG.key]), "which is no size"),
    "a size in other digits": (evidence.note("２１", LOG.root(), [LOG.key]), "which is no size"),
    "a size without end": (evidence.note("9" * 5000, LOG.root(), [LOG.key]), "which is no size"),
    "a size past 63 bits": (evidence.note(1 << 63, LOG.root(), [LOG.key]), "which is no size"),
    "a root of 31 bytes": (evidence.note(21, bytes(31), [LOG.key]), "root has 31 bytes"),
    "a tab": (NOTE.replace(" ", "\t", 1), "control characters"),
    "carriage returns": (NOTE.replace("\n", "\r\n"), "is not a signed note|control characters"),
    "a signature line with a hyphen": (NOTE.replace("—", "-"), "a line that is no signature"),
    "a signature of three bytes": (NOTE + "— x AAAA\n", "the signature of x is too short"),
    "a signature cut short": (NOTE.replace(SIGNATURE, SIGNATURE[:-4]), "does not hold|not Base 64"),
    "a thousand signatures": (NOTE + "— x AAAAAAAA\n" * 1000, "more than 100 signatures"),
}


@pytest.mark.parametrize("name", HEADERS)
def test_a_spoilt_header_is_refused(verify, name):
    spoil, pattern = HEADERS[name]
    for export in [LOG.export()] if "proofs" in name or "complete" in name else [LOG.export(), LOG.export([3, 5])]:
        spoil(export)
        assert_refused(verify("export", export), pattern)


@pytest.mark.parametrize("name", NOTES)
def test_a_spoilt_checkpoint_is_refused_with_all_that_it_carries(verify, name):
    text, pattern = NOTES[name]
    if pattern:
        assert_refused(verify("checkpoint", text.encode()), pattern)
    contents = [("export", LOG.export()), ("export", LOG.export(range(7, 21), **{"from": 7}))]
    if name != "another size":
        # One proof serves trees of several sizes (RFC 9162 §2.1.3), should a log sign one root under two.
        contents += [("export", LOG.export([3, 5])), ("receipt", LOG.receipt(3, 5))]
    for command, content in contents:
        (content[0] if command == "export" else content)["checkpoint"] = text
        # A checkpoint that the log might well have signed, of another tree than these records'.
        assert_refused(verify(command, content), pattern or "record|records")


def test_a_log_that_was_rolled_back_or_replaced_is_told_from_a_kept_checkpoint(verify, tmp_path):
    kept = tmp_path / "kept"
    kept.write_text(NOTE)
    yesterday = evidence.sample()
    del yesterday.entries[15:]
    assert_refused(verify("export", yesterday.export(), "--previous", kept), "record 15 and later .* rolled back")
    replaced = evidence.sample()
    replaced.entries[9].fields[4] = (5, "0" * 64)
    assert_refused(verify("export", replaced.export(), "--previous", kept), "records 0 to 20: .* forked")
    early = tmp_path / "early"
    early.write_text(LOG.checkpoint(9))
    told = verify("export", replaced.export(), "--previous", early, "--previous", kept)
    assert_refused(told, "records 0 to 20: .* forked")
    late = tmp_path / "late"
    late.write_text(LOG.checkpoint(10))
    told = verify("export", replaced.export(), "--previous", early, "--previous", late)
    assert_refused(told, "records 9 to 9: give another root than .*late")
    early.write_text(evidence.note(9, LOG.root(9), [OTHER.key]))
    assert_refused(verify("export", LOG.export(), "--previous", early), "earlier .*early: no key that was given")
    assert_refused(verify("export", LOG.export(), "--previous", tmp_path / "none"), "No such file")


# --- Logs that a writer must not write, signed by the log's own key ---


def forged(change):
    log = evidence.sample()
    change(log.entries)
    return log


def entry(place, /, **members):
    def change(entries):
        for name, value in members.items():
            setattr(entries[place], name, value)

    return change


def both(*changes):
    def change(entries):
        for each in changes:
            each(entries)

    return change


FORGED = {
    "time goes back": (entry(9, time=evidence.START), "record 9: is older than the record before it"),
    "an outcome closes a closed intent": (entry(6, closes=3), "record 6: closes 3, which is no open intent"),
    "an outcome closes a start": (entry(6, closes=0), "record 6: closes 0, which is no open intent"),
    "an outcome closes itself": (entry(6, closes=6), "record 6: closes 6, which is not earlier"),
    "an outcome closes what comes": (entry(6, closes=17), "record 6: closes 17, which is not earlier"),
    "an outcome closes nothing": (entry(6, closes=None), "record 6: its leaf is an outcome of no intent"),
    "a start closes": (entry(14, closes=13), "record 14: its leaf closes, and is no outcome"),
    "outcomes are exchanged": (
        both(entry(5, closes=4), entry(6, closes=3)),
        "record 5: (has another pseudonym|names another signature) than the intent 4",
    ),
    "an outcome names another signature": (
        entry(5, fields=[(2, "0" * 32), (10, "0" * 64)]),
        "record 5: names another signature than the intent 3",
    ),
    "an outcome has another pseudonym": (entry(5, pseudonym=b"x" * 16), "record 5: has another pseudonym"),
    "a start has a pseudonym": (entry(14, pseudonym=b"x" * 16), "record 14: its leaf has a pseudonym, and no holder"),
    "an intent names no document": (lambda e: e[3].fields.pop(2), "record 3: its leaf has the fields 1 2 4 5"),
    "a refusal without reason": (lambda e: e[11].fields.pop(4), "record 11: its leaf has the fields"),
    "a record calls itself another": (entry(9, sequence=10), "record 9: says sequence 9; its leaf says 10"),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_log_that_breaks_its_own_rules_is_refused_though_its_key_signed(verify, name):
    change, pattern = FORGED[name]
    log = forged(change)
    assert_refused(verify("export", log.export()), pattern)
    assert_refused(verify("export", log.export(range(21))), pattern)


def test_in_another_month_an_outcome_has_another_pseudonym(verify):
    log = forged(lambda entries: [setattr(each, "time", each.time + 10 * 86_400_000) for each in entries[5:]])
    log.entries[5].pseudonym = b"x" * 16
    assert verify("export", log.export()).code == 0


# --- Receipts ---


def record(place, number, value):
    """A change of the log: another value in a field of an entry."""

    def change(entries):
        fields = entries[place].fields
        fields[next(at for at, (each, _) in enumerate(fields) if each == number)] = (number, value)

    return change


RECEIPTS = {
    "its outcome closes another intent": ((3, 6), None, "record 6: closes the intent 4, not 3"),
    "its outcome failed": ((7, 8), None, "record 8: is the outcome failed; a receipt is of a signature"),
    "its outcome is unknown": ((9, 10), None, "record 10: is the outcome unknown"),
    "it has two intents": ((3, 4), None, "records 3 and 4 are intent and intent"),
    "it is the wrong way round": ((5, 3), None, "records 5 and 3 are outcome and intent"),
    "it shows a start": ((0, 5), None, "records 0 and 5 are start and outcome"),
    "its document has no digest": ((3, 5), record(3, 3, "prescription:none"), "record 3: its document is not as the"),
    "its document has half a digest": ((3, 5), record(3, 3, "x:sha512:" + "0" * 64), "record 3: its document is not"),
    "its key has no digest": ((3, 5), record(3, 4, "doctor-1"), "record 3: its key is not as"),
    "its activation lacks a line": ((3, 5), record(3, 6, "issuer=x"), "record 3: its activation is not as"),
    "its activation has no date": (
        (3, 5),
        record(3, 6, evidence.ACTIVATION.replace("=1795222200", "=999999999999")),
        "outside the calendar",
    ),
    "its rule has no policy": ((3, 5), record(3, 7, "prescribe"), "record 3: its decision is not as"),
    "its value is no digest": ((3, 5), record(5, 10, "x"), "record 5: its signature-value is not as"),
    "it names two signatures": ((3, 5), record(5, 2, "0" * 32), "record 5: names another signature"),
}


@pytest.mark.parametrize("name", RECEIPTS)
def test_a_receipt_of_something_else_is_refused(verify, name):
    pair, change, pattern = RECEIPTS[name]
    log = forged(change) if change else evidence.sample()
    assert_refused(verify("receipt", log.receipt(*pair)), pattern)


MORE = {
    "a record is missing": (lambda r: r["records"].pop(), "has 1 records"),
    "a record more": (lambda r: r["records"].append(r["records"][0]), "has 3 records"),
    "no records": (lambda r: r.pop("records"), "records is not a list"),
    "complete": (lambda r: r.update(complete=True), "says that it is complete"),
    "proofs are swapped": (
        lambda r: r["records"][0].update(proof=r["records"][1]["proof"]),
        "record 3: its proof",
    ),
    "no proof": (lambda r: r["records"][1].pop("proof"), "record 5: has no member proof"),
    "the value is changed": (lambda r: r["records"][1]["detail"][1].update(value="0" * 64), "record 5: .* not open"),
    "the value is withheld": (lambda r: r["records"][1]["detail"].pop(), "record 5: withholds signature-value"),
    "an unknown member": (lambda r: r.update(more=1), "has a member more"),
    "an export's format": (lambda r: r.update(format="shirushi-audit/1"), "its format is not shirushi-receipt/1"),
}


@pytest.mark.parametrize("name", MORE)
def test_a_spoilt_receipt_is_refused(verify, name):
    receipt = copy.deepcopy(evidence.sample().receipt(3, 5))
    spoil, pattern = MORE[name]
    spoil(receipt)
    assert_refused(verify("receipt", receipt), pattern)


def test_one_false_receipt_among_good_ones_is_named(capsys, tmp_path):
    good, false = tmp_path / "good", tmp_path / "false"
    good.write_text(compact(LOG.receipt(3, 5)))
    false.write_text(compact(LOG.receipt(3, 6)))
    assert run(capsys, "receipt", good, good, "--key", KEY).code == 0
    assert_refused(run(capsys, "receipt", good, false, "--key", KEY), "receipt .*/false: record 6: closes")
    assert_refused(run(capsys, "receipt", good, good, "--key", KEY, "--document", good), "one receipt at a time")
    false.write_text("{}")
    assert_refused(run(capsys, "receipt", good, false, "--key", KEY), "false: its format")
