"""`scripts/verify-audit` on tiles, and its tree and signatures on vectors that others made."""

import base64
import hashlib
import json
import re
import shutil

import pytest

import contract
import evidence
from evidence import b64
from verify_audit import assert_refused, run, verifier

SIZES = (1, 2, 255, 256, 257, 600)


def big_log(size):
    log = evidence.Log()
    log.event("start")
    while len(log.entries) + 2 <= size:
        log.outcome(log.intent())
    while len(log.entries) < size:
        log.event("stop")
    return log


def name(level, index, width):
    """A tile's path, for fewer than a million tiles a level."""
    place = f"{index:03}" if index < 1000 else f"x{index // 1000:03}/{index % 1000:03}"
    return f"tile/{level}/{place}" + ("" if width == 256 else f".p/{width}")


def write(folder, leaves, size=None):
    """The tiles of the first `size` leaves, by tlog-tiles' formula MTH(D[(n·256+i)·256^l : (n·256+i+1)·256^l])."""
    size = len(leaves) if size is None else size
    hashes = [evidence.sha256(b"\0" + each) for each in leaves[:size]]
    files, level = {}, 0
    for first in range(0, size, 256):
        bundle = leaves[first : min(first + 256, size)]
        content = b"".join(len(each).to_bytes(2, "big") + each for each in bundle)
        files[name("entries", first // 256, len(bundle))] = content
    while hashes:
        for first in range(0, len(hashes), 256):
            tile = hashes[first : first + 256]
            files[name(level, first // 256, len(tile))] = b"".join(tile)
        hashes = [evidence.mth(hashes[at : at + 256]) for at in range(0, len(hashes) - 255, 256)]
        level += 1
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return files


LOG = big_log(600)
KEY = LOG.key.vkey


@pytest.fixture
def folder(tmp_path):
    """The tiles of a log of 600 records."""
    place = tmp_path / "tiles"
    write(place, [each.leaf for each in LOG.entries])
    (place / "checkpoint").write_text(LOG.checkpoint())
    return place


@pytest.fixture
def verify(capsys):
    return lambda place, *options: run(capsys, "tiles", place, "--key", KEY, *options)


@pytest.mark.parametrize("size", SIZES)
def test_tiles_of_every_shape_hold(verify, tmp_path, size):
    log = big_log(size)
    write(tmp_path, [each.leaf for each in log.entries])
    (tmp_path / "checkpoint").write_text(log.checkpoint())
    result = verify(tmp_path)
    assert result.code == 0, result.out
    shutil.rmtree(tmp_path / "tile")
    (tmp_path / "checkpoint").write_text(log.checkpoint(0))
    assert verify(tmp_path).code == 0


def test_tiles_of_a_level_more_hold_and_their_hashes_are_compared(verify, tmp_path):
    log = evidence.Log()
    for _ in range(65_536 + 257):
        log.event("stop")
    leaves = [each.leaf for each in log.entries]
    files = write(tmp_path, leaves)
    assert {"tile/2/000.p/1", "tile/1/000", "tile/1/001.p/1", "tile/0/257.p/1"} <= set(files)
    root = evidence.mth([evidence.sha256(b"\0" + each) for each in leaves])
    (tmp_path / "checkpoint").write_text(evidence.note(len(leaves), root, [log.key]))
    assert verify(tmp_path).code == 0
    spoil(tmp_path / "tile/2/000.p/1", lambda data: flip(data, 5))
    spoil(tmp_path / "tile/1/000", lambda data: flip(data, 32 * 7))
    told = verify(tmp_path)
    assert_refused(told, "records 1792 to 2047: .* hash 7 in tile/1/000")
    assert_refused(told, "records 0 to 65535: .* hash 0 in tile/2/000.p/1")


def test_paths_are_those_of_the_text():
    assert verifier.tile_path(0, 1_234_067, 256) == "tile/0/x001/x234/067"
    assert verifier.tile_path("entries", 1000, 7) == "tile/entries/x001/000.p/7"


@pytest.mark.parametrize("size", (1, 256, 300, 512, 599, 600))
def test_an_earlier_checkpoint_is_at_the_beginning(verify, folder, tmp_path, size):
    kept = tmp_path / "kept"
    kept.write_text(LOG.checkpoint(size))
    assert f"begins with    the {size} record" in verify(folder, "--previous", kept).out
    kept.write_text(evidence.note(size, bytes(32), [LOG.key]))
    assert_refused(verify(folder, "--previous", kept), f"records 0 to {size - 1}: .* forked")


def test_partial_tiles_of_smaller_trees_may_stay_when_they_fit(verify, folder):
    write(folder, [each.leaf for each in LOG.entries], 300)
    assert "3 partial tiles of smaller trees" in verify(folder).out
    spoil(folder / "tile/entries/001.p/44", lambda data: data[:-1] + b"\7")
    assert_refused(verify(folder), "tile/entries/001.p/44 is not the beginning of tile/entries/001")
    write(folder, [each.leaf for each in LOG.entries], 300)
    spoil(folder / "tile/0/001.p/44", lambda data: flip(data, 0))
    assert_refused(verify(folder), "tile/0/001.p/44 is not the beginning of tile/0/001")


def spoil(file, edit):
    file.write_bytes(edit(file.read_bytes()))


def flip(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def replace_entry(folder):
    """The last entry and its hash are changed together; the tree tells."""
    other = big_log(600)
    other.entries[599].fields[0] = (11, "other")
    write(folder, [each.leaf for each in other.entries])


def put(path, content=b"x"):
    def change(folder):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)

    return change


def link(path, target):
    def change(folder):
        (folder / path).unlink(missing_ok=True)
        (folder / path).symlink_to(target)

    return change


def exchange(folder):
    first, second = folder / "tile/0/000", folder / "tile/0/001"
    first.rename(folder / "other")
    second.rename(first)
    (folder / "other").rename(second)


SPOILT = {
    "a tile is truncated": (lambda f: spoil(f / "tile/0/001", lambda d: d[:-32]), "tile/0/001 has 8160 bytes"),
    "a tile is longer": (lambda f: spoil(f / "tile/0/001", lambda d: d + bytes(16)), "tile/0/001 has more than"),
    "a tile is empty": (lambda f: spoil(f / "tile/0/002.p/88", lambda d: b""), "tile/0/002.p/88 has 0 bytes"),
    "a hash is changed": (lambda f: spoil(f / "tile/0/001", lambda d: flip(d, 64)), "record 258: .* in tile/0/001"),
    "a hash above is changed": (lambda f: spoil(f / "tile/1/000.p/2", lambda d: flip(d, 40)), "records 256 to 511: "),
    "an entry is changed": (lambda f: spoil(f / "tile/entries/000", lambda d: flip(d, 60)), "record 0: "),
    "an entry and its hash are changed": (replace_entry, "records 0 to 599: do not give the checkpoint's root"),
    "a bundle ends early": (lambda f: spoil(f / "tile/entries/001", lambda d: d[:-1]), "001 ends within an entry"),
    "a bundle ends in a length": (lambda f: spoil(f / "tile/entries/001", lambda d: d + b"\0"), "ends within an entry"),
    "a bundle has an entry more": (lambda f: spoil(f / "tile/entries/001", lambda d: d + b"\0\0"), "has 257 entries"),
    "a bundle is huge": (put("tile/entries/001", bytes(300_000)), "tile/entries/001 has more than"),
    "a partial tile is missing": (lambda f: (f / "tile/0/002.p/88").unlink(), "tile/0/002.p/88 is missing"),
    "a partial bundle is missing": (lambda f: (f / "tile/entries/002.p/88").unlink(), "entries/002.p/88 is missing"),
    "a full tile is missing": (lambda f: (f / "tile/0/000").unlink(), "tile/0/000 is missing"),
    "the level above is missing": (lambda f: shutil.rmtree(f / "tile/1"), "tile/1/000.p/2 is missing"),
    "no tile is there": (lambda f: shutil.rmtree(f / "tile"), "tile/0/000 is missing"),
    "tiles are exchanged": (exchange, "record 0: its entry does not have the hash in tile/0/000"),
    "a tile is a folder": (lambda f: [(f / "tile/0/001").unlink(), (f / "tile/0/001").mkdir()], "is not a regular"),
    "a tile is a link": (link("tile/0/001", "000"), "tile/0/001 is not a regular"),
    "a folder is a link": (link("tile/9", "/etc"), "tile/9 is none of the tree's files"),
    "a stray file": (put("notes.txt"), "notes.txt is none of the tree's files"),
    "a stray file in a strange name": (put("a\n\x1b[2J"), r"a\\n\\x1b\[2J is none"),
    "a tile past the end": (put("tile/0/003"), "tile/0/003 is none of the tree's files"),
    "a wider partial tile": (put("tile/0/002.p/89"), "tile/0/002.p/89 is none"),
    "a level too many": (put("tile/2/000.p/1"), "tile/2/000.p/1 is none"),
    "a width of 256": (put("tile/0/001.p/256"), "tile/0/001.p/256 is none"),
    "a width of 300": (put("tile/0/001.p/300"), "tile/0/001.p/300 is none"),
    "a width with a zero": (put("tile/0/001.p/044"), "tile/0/001.p/044 is none"),
    "a width of nothing": (put("tile/0/001.p/0", b""), "tile/0/001.p/0 is none"),
    "a level with a zero": (put("tile/00/000"), "tile/00/000 is none"),
    "an index in two spellings": (put("tile/0/x000/001"), "tile/0/x000/001 is none"),
    "a static-ct bundle": (put("tile/data/000"), "tile/data/000 is none"),
    "the checkpoint is missing": (lambda f: (f / "checkpoint").unlink(), "checkpoint is missing"),
    "the checkpoint counts fewer": (lambda f: (f / "checkpoint").write_text(LOG.checkpoint(599)), "002.p/87 is"),
    "the checkpoint has another root": (
        lambda f: (f / "checkpoint").write_text(evidence.note(600, bytes(32), [LOG.key])),
        "records 0 to 599: do not give",
    ),
    "the checkpoint is another key's": (
        lambda f: (f / "checkpoint").write_text(LOG.checkpoint(signers=[evidence.Log("other").key])),
        "no key that was given signed",
    ),
}


@pytest.mark.parametrize("case", SPOILT)
def test_spoilt_tiles_are_refused(verify, folder, case):
    assert verify(folder).code == 0
    change, pattern = SPOILT[case]
    change(folder)
    assert_refused(verify(folder), pattern)


def test_entries_that_break_the_rules_of_leaves_are_refused(verify, tmp_path):
    log = big_log(5)
    log.entries[4].closes = 1
    leaves = [each.leaf for each in log.entries]
    leaves[0] += b"\0"
    write(tmp_path, leaves)
    root = evidence.mth([evidence.sha256(b"\0" + each) for each in leaves])
    (tmp_path / "checkpoint").write_text(evidence.note(5, root, [log.key]))
    told = verify(tmp_path)
    assert_refused(told, "record 0: its leaf has bytes left over")
    assert_refused(told, "record 4: closes 1, which is no open intent")
    assert_refused(verify(tmp_path / "tile"), "checkpoint is missing")
    assert_refused(verify(tmp_path / "checkpoint"), "is not a folder")


# --- The tree and the signatures on what others made ---


def refuses(function, *arguments):
    try:
        function(*arguments)
    except verifier.Fault:
        return True
    return False


def test_the_proofs_of_transparency_dev_agree(vectors):
    counts = {}
    for file in sorted((vectors / "merkle" / "testdata").rglob("*.json")):
        case, kind = json.loads(file.read_text()), file.relative_to(vectors / "merkle" / "testdata").parts[0]
        counts[kind] = counts.get(kind, 0) + 1

        def take(name, case=case):
            return base64.b64decode(case[name] or "")

        proof = [base64.b64decode(each) for each in case["proof"] or ()]
        if kind == "inclusion":
            arguments = (case["leafIdx"], case["treeSize"], take("leafHash"), proof, take("root"))
            assert refuses(verifier.verify_inclusion, *arguments) == case["wantErr"], file
        elif kind == "consistency":
            arguments = (case["size1"], case["size2"], proof, take("root1"), take("root2"))
            assert refuses(verifier.verify_consistency, *arguments) == case["wantErr"], file
    # The verifier knows no subtrees; the product's own tests run those.
    skipped = {kind: count for kind, count in counts.items() if kind.startswith("subtree")}
    print(f"skipped, since the verifier has no such function: {skipped}")
    assert counts == {"inclusion": 98, "consistency": 98, "subtreeinclusion": 204, "subtreeconsistency": 118}


def test_proofs_by_the_definition_agree_with_the_verifier():
    hashes = [evidence.sha256(bytes([each])) for each in range(40)]
    for size in range(1, 41):
        root = evidence.mth(hashes[:size])
        for index in range(size):
            proof = evidence.path(index, hashes[:size])
            lefts = verifier.verify_inclusion(index, size, hashes[index], proof, root)
            assert verifier.Frontier(index, lefts).root() == evidence.mth(hashes[:index])


def test_the_worked_example_of_the_format_is_read_alike():
    text = (contract.ROOT / "docs/audit-format.md").read_text()
    after = text[text.index("**Leaf 1**") :]
    start = "01 0000000000000000 000001a1fb9e0680 0004 0000 00" + "00" * 16 + "0001 0b" + re.search(
        "0b (938ac841[0-9a-f]{56})", text
    )[1]
    intent = "".join(re.search(r"\nleaf\n([0-9a-f\n]+)leaf hash", after)[1].split())
    last = after[after.index("**Leaf 2**") :]
    outcome = "01 0000000000000002 000001a1fb9e0a6c 0002 0001 01 0000000000000001 ea590d2242dacf2b50a303c9e9627906"
    outcome += "0002 02" + re.search("02 (7e19[0-9a-f]{60})", last)[1]
    outcome += "0a" + re.search("0a (511c[0-9a-f]{60})", last)[1]
    tree = verifier.Frontier()
    for hexadecimal in (start, intent, outcome):
        leaf = bytes.fromhex(hexadecimal)
        assert verifier.parse_leaf(leaf).sequence == tree.size
        assert verifier.leaf_hash(leaf).hex() in text
        tree.append(verifier.leaf_hash(leaf))
    assert f"root       {tree.root().hex()}" in text


SUNLIGHT = "tlog-note/sunlight"
LOG_ID = "000de184301123b9278c086a7d9f68c9577e83872224c197058fd90784ea9706"


def test_the_tile_tree_of_sunlight_gives_its_checkpoints_root(vectors, capsys):
    place = vectors / SUNLIGHT / "cmd/skylight/testdata/witness/mirror" / LOG_ID
    checkpoint = verifier.parse_checkpoint((place / "checkpoint").read_bytes())
    assert checkpoint.size == 300

    def faults(at):
        report = verifier.Report()
        tiles = verifier.Tiles(place, at, report)
        # Its entries are compressed words, no entries: only the hashes are a tree.
        tiles.verify()
        return report.faults, tiles

    count, tiles = faults(checkpoint)
    assert count == 0 and tiles.files == 3 and tiles.tree.root() == checkpoint.root
    checkpoint.root = bytes(32)
    assert faults(checkpoint)[0] == 1
    capsys.readouterr()


def leaf_of(data, at):
    """One entry of a static-ct data tile as the MerkleTreeLeaf that is hashed, and where the next begins."""

    def counted(size, at):
        end = at + size + int.from_bytes(data[at : at + size], "big")
        return data[at:end], end

    start, kind = data[at : at + 10], data[at + 8 : at + 10]
    at += 10
    issuer = data[at : at + 32] if kind == b"\0\1" else b""
    certificate, at = counted(3, at + len(issuer))
    extensions, at = counted(2, at)
    if issuer:
        _, at = counted(3, at)
    _, at = counted(2, at)
    return b"\0\0" + start + issuer + certificate + extensions, at


def test_the_entries_of_a_real_log_hash_to_its_tiles(vectors):
    place = vectors / SUNLIGHT / "testdata/navigli2025h2/tile"
    seen = 0
    for part, width in (("000", 256), ("001", 256), ("002", 256), ("003", 256), ("003.p/10", 10)):
        data, at = (place / "data" / part).read_bytes(), 0
        index = int(part[:3])
        for digest in verifier.read_tile(place.parent, 0, index, width):
            leaf, at = leaf_of(data, at)
            assert verifier.leaf_hash(leaf) == digest, (part, seen)
            seen += 1
        assert at == len(data)
    assert seen == 1034


def test_the_cosignature_of_a_witness_holds(vectors):
    for folder in ("witness", "witness/mirror", "witness2"):
        place = vectors / SUNLIGHT / "cmd/skylight/testdata" / folder
        [about] = place.glob("*.v0.json")
        [text] = json.loads(about.read_text())["verifier_keys"]
        key = verifier.parse_key(text, verifier.WITNESS_KEY)
        [file] = place.glob("[0-9a-f]*/checkpoint")
        note = file.read_bytes()
        # The logs' own signatures are RFC 6962's (type 5), which no log of ours makes: a key of this test stands in.
        origin = note.decode().splitlines()[0]
        log = evidence.Signer(origin, "stand-in")
        body = note.decode().split("\n\n")[0] + "\n"
        signed = note + log.line(body).encode()
        trust = verifier.Trust([verifier.parse_key(log.vkey, verifier.LOG_KEY)], [key], 1)
        checkpoint = verifier.open_checkpoint(signed, trust)
        assert [each for each, _ in checkpoint.cosigners] == [key]
        assert checkpoint.cosigners[0][1] == 1_767_139_200
        line = next(each for each in note.decode().splitlines() if each.startswith(f"— {key.name} "))
        signature = bytearray(base64.b64decode(line.split(" ")[2]))
        for at in (5, 12, 40):
            spoilt = bytes(signature[:at]) + bytes([signature[at] ^ 1]) + bytes(signature[at + 1 :])
            changed = signed.replace(line.split(" ")[2].encode(), b64(spoilt).encode())
            assert refuses(verifier.open_checkpoint, changed, trust)
    assert hashlib.sha256(b"").digest() == verifier.EMPTY_ROOT
