// Recomputes, from what stands in the page, the record's leaf hash and its path to the checkpoint's root
// (RFC 9162 §2.1.3.2), and the commitments of its openings (docs/audit-format.md). Nothing is sent anywhere.
"use strict";
(async () => {
  const section = document.getElementById("proof");
  const source = document.getElementById("evidence");
  if (!section || !source) return;
  const texts = section.dataset;
  const list = section.querySelector("[data-steps]");
  const verdict = section.querySelector("[data-verdict]");

  const say = (holds, text, value) => {
    const item = document.createElement("li");
    const mark = document.createElement("span");
    mark.dataset.mark = holds ? "✓" : "✕";
    mark.setAttribute("aria-hidden", "true");
    const words = document.createElement("span");
    words.textContent = (holds ? "" : texts.not + " ") + text;
    if (value) {
      const code = document.createElement("code");
      code.textContent = value;
      words.append(" ", code);
    }
    item.append(mark, words);
    list.append(item);
    return holds;
  };
  const end = (holds, text) => {
    verdict.textContent = text;
    verdict.className = holds ? "notice" : "notice notice-fault";
    section.dataset.result = holds ? "holds" : "fails";
  };

  const ascii = (text) => new TextEncoder().encode(text);
  const base64 = (text) => {
    if (typeof text !== "string" || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw new Error("Base64");
    return Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
  };
  const fromHex = (text) => {
    if (typeof text !== "string" || !/^([0-9a-f]{2})*$/.test(text)) throw new Error("hex");
    return Uint8Array.from(text.match(/../g) ?? [], (each) => parseInt(each, 16));
  };
  const hex = (bytes) => Array.from(bytes, (each) => each.toString(16).padStart(2, "0")).join("");
  const join = (...parts) => {
    const all = new Uint8Array(parts.reduce((sum, each) => sum + each.length, 0));
    let at = 0;
    for (const each of parts) { all.set(each, at); at += each.length; }
    return all;
  };
  const sha256 = async (...parts) => new Uint8Array(await crypto.subtle.digest("SHA-256", join(...parts)));
  const integer = (value, width) => {
    const bytes = new Uint8Array(width);
    for (let at = width - 1, rest = BigInt(value); at >= 0; at--, rest >>= 8n) bytes[at] = Number(rest & 0xffn);
    return bytes;
  };

  // What the leaf's bytes say: its place, and its commitments in order.
  const readLeaf = (bytes) => {
    let at = 0;
    const take = (count) => {
      if (at + count > bytes.length) throw new Error("the leaf ends early");
      at += count;
      return bytes.subarray(at - count, at);
    };
    const number = (width) => take(width).reduce((sum, each) => (sum << 8n) | BigInt(each), 0n);
    if (number(1) !== 1n) throw new Error("the leaf's version is unknown");
    const sequence = number(8);
    take(8 + 2 + 2);
    const flag = number(1);
    if (flag === 1n) take(8); else if (flag !== 0n) throw new Error("the leaf is malformed");
    take(16);
    const commitments = [];
    for (let left = number(2); left > 0n; left--) commitments.push({ field: Number(number(1)), value: hex(take(32)) });
    if (at !== bytes.length) throw new Error("bytes follow the leaf");
    return { sequence, commitments };
  };

  const readCheckpoint = (note) => {
    const lines = note.split("\n");
    if (lines.length < 5 || lines[3] !== "" || !/^(0|[1-9][0-9]{0,18})$/.test(lines[1])) throw new Error("checkpoint");
    const signatures = lines.slice(4).filter((line) => line.startsWith("— ")).map((line) => line.split(" "));
    return { origin: lines[0], size: BigInt(lines[1]), root: base64(lines[2]),
      text: lines.slice(0, 3).join("\n") + "\n", signatures };
  };

  // RFC 9162 §2.1.3.2.
  const rootOf = async (hash, index, size, path) => {
    if (index >= size) throw new Error("the checkpoint is older than the record");
    let fn = index, sn = size - 1n, r = hash;
    for (const p of path) {
      if (sn === 0n) throw new Error("the proof is too long");
      if ((fn & 1n) === 1n || fn === sn) {
        r = await sha256([1], p, r);
        while ((fn & 1n) === 0n && fn !== 0n) { fn >>= 1n; sn >>= 1n; }
      } else {
        r = await sha256([1], r, p);
      }
      fn >>= 1n; sn >>= 1n;
    }
    if (sn !== 0n) throw new Error("the proof is too short");
    return r;
  };

  // Which of the log's named keys signed the checkpoint; null where this browser cannot tell (no Ed25519).
  const signer = async (checkpoint, keys) => {
    for (const key of keys) {
      const [name, id, encoded] = [key.split("+")[0], key.split("+")[1], key.split("+").slice(2).join("+")];
      const public_ = base64(encoded);
      if (public_[0] !== 1 || public_.length !== 33 || name !== checkpoint.origin) continue;
      let imported;
      try {
        imported = await crypto.subtle.importKey("raw", public_.subarray(1), "Ed25519", false, ["verify"]);
      } catch { return null; }
      for (const [, who, value] of checkpoint.signatures) {
        const bytes = base64(value);
        if (who !== name || hex(bytes.subarray(0, 4)) !== id) continue;
        if (await crypto.subtle.verify("Ed25519", imported, bytes.subarray(4), ascii(checkpoint.text))) return key;
      }
    }
    return "";
  };

  try {
    const file = JSON.parse(source.textContent);
    const wanted = section.dataset.sequence;
    const record = (file.records ?? [file.record ?? file]).find((each) => String(each.sequence) === wanted);
    const leaf = base64(record.leaf);
    const { sequence, commitments } = readLeaf(leaf);
    const hash = await sha256([0], leaf);
    let holds = say(String(sequence) === wanted, texts.place, String(sequence));
    say(true, texts.leaf, hex(hash));
    const openings = record.detail ?? [];
    let opened = 0, next = 0;
    for (const each of openings) {
      const value = ascii(each.value);
      const made = hex(await sha256(ascii("shirushi/commitment/1\n"), [each.field], fromHex(each.salt),
        integer(value.length, 4), value));
      while (next < commitments.length && !(commitments[next].field === each.field
        && commitments[next].value === made)) next++;
      if (next < commitments.length) { opened++; next++; }
    }
    holds = say(opened === openings.length, texts.openings, `${opened} / ${commitments.length}`) && holds;
    const checkpoint = readCheckpoint(file.checkpoint);
    const root = await rootOf(hash, sequence, checkpoint.size, (record.proof ?? []).map(base64));
    const matches = hex(root) === hex(checkpoint.root);
    holds = say(matches, texts.root, hex(root)) && holds;
    const by = await signer(checkpoint, file.keys ?? []);
    if (by === null) say(true, texts.unsure);
    else holds = say(by !== "", texts.signature, by) && holds;
    end(holds, holds ? texts.holds : texts.fails);
  } catch (error) {
    end(false, `${texts.fails} (${error.message})`);
  }
})();
