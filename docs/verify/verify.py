#!/usr/bin/env python3
"""Proves an export of an Anlauf ledger with nothing but Python's own library.

Written from the formats (docs/formats/, C2SP tlog-*, RFC 6962, RFC 8032), not from the program.
  python3 verify.py FOLDER --log NAME+HASH+KEY [--witness NAME+HASH+KEY ...] [--quorum K]
                    [--root-digest HEX]
Checks: the head is signed by the log you name (and cosigned by K witnesses); every tile belongs to
that head; every disclosed entry lies in the tree at its place and its body is the one that was
hashed; every signature under signed/ whose key is Ed25519, raw or of OpenSSH. ECDSA and tokens:
ssh-keygen -Y verify (see README.txt). Whether who signed may: `anlauf ledger verify`. Exit code 0 = all of it holds, 1 = it does not.
"""
import argparse, base64, hashlib, json, os, struct, sys
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
I = pow(2, (P - 1) // 4, P)

def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()
def point(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    xx = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(xx, (P + 3) // 8, P)
    x = x if (x * x - xx) % P == 0 else x * I % P
    if y >= P or (x * x - xx) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P

def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P

def times(n, p):
    out = (0, 1, 1, 0)
    while n:
        out, p, n = (add(out, p) if n & 1 else out), add(p, p), n >> 1
    return out

def same(p, q):
    return not ((p[0] * q[2] - q[0] * p[2]) % P or (p[1] * q[2] - q[1] * p[2]) % P)

BASE = point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))

def ed25519(key, message, sig):
    a, r = (point(key), point(sig[:32])) if len(key) == 32 and len(sig) == 64 else (None, None)
    s = int.from_bytes(sig[32:], "little")
    if not a or not r or s >= L or same(times(8, a), (0, 1, 1, 0)):
        return False
    k = int.from_bytes(hashlib.sha512(sig[:32] + key + message).digest(), "little") % L
    return same(times(s, BASE), add(r, times(k, a)))

def fail(why):
    print(f"does not hold: {why}", file=sys.stderr)
    sys.exit(1)

def vkey(text, kind):
    name, digest, key = text.strip().split("+", 2)
    key = base64.b64decode(key, validate=True)
    if key[0] != kind or sha256(name.encode(), b"\n", key)[:4].hex() != digest:
        fail(f"`{text}` is no verifier key of this kind")
    return name, bytes.fromhex(digest), key[1:]

def head(text, log, witnesses, quorum):
    body, _, lines = text.partition("\n\n")
    origin, size, root = body.split("\n")
    signatures = []
    for line in lines.splitlines():
        dash, name, data = line.split(" ")
        signatures.append((name, base64.b64decode(data, validate=True)))
    body = (body + "\n").encode()
    ours = [s for n, s in signatures if n == log[0] and s[:4] == log[1]]
    if origin != log[0] or not ours or not ed25519(log[2], body, ours[0][4:]):
        fail("the head is not signed by the log you named")
    cosigned = set()
    for name, digest, key in witnesses:
        for n, s in signatures:
            if n == name and s[:4] == digest:
                at = struct.unpack(">Q", s[4:12])[0]
                if ed25519(key, b"cosignature/v1\ntime %d\n" % at + body, s[12:]):
                    cosigned.add(name)
    if len(cosigned) < quorum:
        fail(f"cosigned by {len(cosigned)} of {quorum} witnesses")
    return int(size), base64.b64decode(root), cosigned

def tree_root(hashes):
    if len(hashes) <= 1:
        return hashes[0] if hashes else sha256()
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return sha256(b"\1", tree_root(hashes[:split]), tree_root(hashes[split:]))

def leaves(folder, size):
    out, level = [], 0
    while size:
        above = []
        for index in range(-(-size // 256)):
            width = min(256, size - index * 256)
            parts = [f"x{index // 1000**i % 1000:03}" for i in range(1, 5) if index >= 1000**i]
            name = "/".join([*reversed(parts), f"{index % 1000:03}"])
            name = f"tile/{level}/{name}" + (f".p/{width}" if width < 256 else "")
            data = open(os.path.join(folder, name), "rb").read()
            hashes = [data[i : i + 32] for i in range(0, len(data), 32)]
            if len(data) != 32 * width:
                fail(f"{name} has {len(data)} bytes")
            if level and hashes != below[index * 256 : index * 256 + width]:
                fail(f"{name} does not hold the roots of the tiles below it")
            out += hashes if level == 0 else []
            above += [tree_root(hashes)] if width == 256 else []
        below, size, level = above, size // 256, level + 1
    return out

def entries(folder, tree):
    bodies = erased = 0
    for line in open(os.path.join(folder, "entries.jsonl"), encoding="utf-8"):
        entry = json.loads(line)
        number, leaf = entry["index"] + 1, entry["leaf"].encode()
        kind, seq, at, event, scope, digest = leaf.decode().splitlines()
        if kind != "anlauf-leaf/1" or int(seq) != number:
            fail(f"entry {number}: its leaf is that of another entry")
        if sha256(b"\0", leaf) != tree[entry["index"]]:
            fail(f"entry {number}: its leaf is not the one in the tree")
        if "body" not in entry:
            erased += 1
            continue
        salt, body = bytes.fromhex(entry["salt"]), entry["body"].encode()
        if sha256(b"anlauf-body/1\n", salt, body).hex() != digest:
            fail(f"entry {number}: its body does not match its leaf")
        bodies += 1
        envelope = json.loads(body)["event"].get("envelope")
        if envelope:
            yield number, envelope
    print(f"{bodies} bodies, {erased} erased")

def strings(data):
    while data:
        size = struct.unpack(">I", data[:4])[0]
        yield data[4 : 4 + size]
        data = data[4 + size :]

def string(data):
    return struct.pack(">I", len(data)) + data

def ssh_ed25519(blob, message, sig):
    parts = list(strings(sig[10:]))
    if sig[:10] != b"SSHSIG\0\0\0\1" or parts[0] != blob or list(strings(blob))[0] != b"ssh-ed25519":
        return False
    digest = hashlib.new(parts[3].decode(), message).digest()
    signed = b"SSHSIG" + b"".join(string(p) for p in (parts[1], parts[2], parts[3], digest))
    return ed25519(list(strings(blob))[1], signed, list(strings(parts[4]))[1])

def signatures(found, pinned):
    keys, held, left, strange = {}, 0, 0, 0
    for number, envelope in found:
        payload = base64.b64decode(envelope["payload"], validate=True)
        pae = b"DSSEv1 28 application/vnd.in-toto+json %d " % len(payload) + payload
        statement = json.loads(payload)
        if statement["predicateType"] in ("urn:anlauf:root:v1", "urn:anlauf:delegation:v1"):
            if not keys and pinned and sha256(pae).hex() != pinned:
                fail(f"entry {number}: the first root is not the pinned one")
            keys = {k["id"]: k for k in statement["predicate"]["keys"]} | keys
        for one in envelope["signatures"]:
            record, sig = keys.get(one["keyid"]), base64.b64decode(one["sig"], validate=True)
            scheme = record["scheme"] if record else "unknown"
            if scheme == "ed25519":
                holds = ed25519(bytes.fromhex(record["public"]), pae, sig)
            elif scheme == "ssh-ed25519":
                holds = ssh_ed25519(base64.b64decode(record["public"]), pae, sig)
            else:
                left, strange = left + bool(record), strange + (not record)
                continue
            if not holds:
                fail(f"entry {number}: the signature of `{record['person']}` does not hold")
            held += 1
    print(f"{held} signatures hold, {left} are left to ssh-keygen, {strange} by unknown keys")
def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder")
    parser.add_argument("--log", required=True)
    parser.add_argument("--witness", action="append", default=[])
    parser.add_argument("--quorum", type=int, default=0)
    parser.add_argument("--root-digest")
    args = parser.parse_args()
    try:
        note = open(os.path.join(args.folder, "checkpoint"), encoding="utf-8").read()
        witnesses = [vkey(text, 4) for text in args.witness]
        size, root, cosigned = head(note, vkey(args.log, 1), witnesses, args.quorum)
        tree = leaves(args.folder, size)
        if tree_root(tree) != root:
            fail("the tree over the tiles is not the one that was signed")
        print(f"{size} entries under the signed head, cosigned by {len(cosigned)}")
        signatures(entries(args.folder, tree), args.root_digest)
    except (OSError, ValueError, KeyError, IndexError, struct.error) as error:
        fail(f"malformed: {type(error).__name__}: {error}")

if __name__ == "__main__":
    main()
