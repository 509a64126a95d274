// Passkeys: enrols one, and signs a statement with one.
//
// In:    forms `data-passkey`, with the challenge, the relying party and whether the holder must
//        prove to be it. Out: a card as text; a signature in the form, which is then sent.
// Never: sees a secret: it stays in the authenticator; signs without a press of the button.
// See:   WebAuthn Level 2 §5.1; crates/keys/src/webauthn.rs, which judges what this makes.
"use strict";

(() => {
  const MAGIC = "anlauf-webauthn/1\0";
  const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const text = (words) => new TextEncoder().encode(words);
  const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const base64 = (bytes) => btoa(String.fromCharCode(...bytes));
  const unbase64url = (word) =>
    Uint8Array.from(atob(word.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));

  // Each part with its length in front.
  const assertion = (answer) => {
    const out = [...text(MAGIC)];
    for (const part of [answer.authenticatorData, answer.clientDataJSON, answer.signature]) {
      const bytes = new Uint8Array(part);
      out.push(0, 0, bytes.length >> 8, bytes.length & 255, ...bytes);
    }
    return Uint8Array.from(out);
  };

  const get = async (challenge, rpId, userVerification, allowCredentials) => {
    const publicKey = { challenge, rpId, userVerification, allowCredentials, timeout: 120000 };
    const credential = await navigator.credentials.get({ publicKey });
    return assertion(credential.response);
  };

  const sign = async (form) => {
    const { challenge, party, verification } = form.dataset;
    const sig = await get(unbase64url(challenge), party, verification, []);
    form.elements.sig.value = hex(sig);
    form.requestSubmit();
  };

  // Sixteen digits, as `anlauf key show` prints them.
  const digits = async (words) => {
    const first = (await sha256(text(words))).slice(0, 8);
    const number = first.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n) % 10n ** 16n;
    return String(number).padStart(16, "0").match(/.{4}/g).join(" ");
  };

  const enrol = async (form) => {
    const { person } = form.dataset;
    const rp = { id: location.hostname, name: "Anlauf" };
    const user = { id: text(person), name: person, displayName: person };
    const credential = await navigator.credentials.create({ publicKey: {
      challenge: crypto.getRandomValues(new Uint8Array(32)), rp, user, attestation: "none",
      pubKeyCredParams: [{ type: "public-key", alg: -7 }, { type: "public-key", alg: -8 }],
      authenticatorSelection: { residentKey: "required", userVerification: "required" },
    } });
    const spki = new Uint8Array(credential.response.getPublicKey());
    const isP256 = credential.response.getPublicKeyAlgorithm() === -7;
    const scheme = isP256 ? "webauthn-es256" : "webauthn-ed25519";
    // The point stands at the end of a SubjectPublicKeyInfo, uncompressed for P-256.
    const key = `${hex(spki.slice(isP256 ? -65 : -32))} ${rp.id} ${location.origin}`;
    const message = text(`anlauf-enrol/1\n${person}\n${scheme}\n${key}\n`);
    const allow = [{ type: "public-key", id: credential.rawId }];
    const proof = await get(await sha256(message), rp.id, "required", allow);
    const id = hex(await sha256(text(`${scheme}:${key}`))).slice(0, 32);
    const card = { kind: "anlauf-public-key/1", person, scheme, public: key, id,
      proof: base64(proof) };
    document.getElementById("card").textContent = JSON.stringify(card, null, 2) + "\n";
    document.getElementById("card-digits").textContent = await digits(key);
    document.getElementById("card-made").hidden = false;
  };

  const failed = (form, error) => {
    const told = form.querySelector(".passkey-error");
    told.textContent = `${form.dataset.failed} (${error.name})`;
    told.hidden = false;
  };

  // Before any other listener: the form is sent when the signature is in it.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    const what = { sign, enrol }[form.dataset.passkey];
    if (!what || form.elements.sig?.value) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    what(form).catch((error) => failed(form, error));
  }, true);
})();
