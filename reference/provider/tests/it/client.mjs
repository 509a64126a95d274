// A foreign relying party (npm openid-client) logs a person in at our issuer: discovery, code with
// PKCE, token checked, user info.
// In: folder of node_modules, our address, issuer, client, return address, name, password.
// Out: one line of JSON with what it came to believe; the access token beside it.
import { request as ask } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [folder, address, issuer, id, back, name, password] = process.argv.slice(2);
const found = createRequire(`${folder}/`).resolve("openid-client");
const oidc = await import(pathToFileURL(found).href);
const [host, port] = address.split(":");

// The issuer's name means our address, whatever the machine resolves it to.
const custom = (url, options = {}) => new Promise((resolve, reject) => {
  const target = new URL(url);
  const headers = { ...Object.fromEntries(new Headers(options.headers)), host: target.host };
  const path = target.pathname + target.search;
  const call = ask({ host, port, path, method: options.method ?? "GET", headers }, (answer) => {
    const pieces = [];
    answer.on("data", (piece) => pieces.push(piece));
    answer.on("end", () => resolve(new Response(
      pieces.length > 0 ? Buffer.concat(pieces) : null,
      { status: answer.statusCode, headers: answer.headers })));
  });
  call.on("error", reject);
  call.end(options.body?.toString());
});

const config = await oidc.discovery(new URL(issuer), id, undefined, oidc.None(), {
  execute: [oidc.allowInsecureRequests],
  [oidc.customFetch]: custom,
});
config[oidc.customFetch] = custom;
const verifier = oidc.randomPKCECodeVerifier();
const [state, nonce] = [oidc.randomState(), oidc.randomNonce()];
const asked = oidc.buildAuthorizationUrl(config, {
  redirect_uri: back,
  scope: "openid",
  code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state,
  nonce,
});
// The person types into the page.
const form = new URLSearchParams([...asked.searchParams, ["name", name], ["password", password]]);
const sent = await custom(asked.origin + asked.pathname, {
  method: "POST",
  headers: { "content-type": "application/x-www-form-urlencoded" },
  body: form,
});
const tokens = await oidc.authorizationCodeGrant(config, new URL(sent.headers.get("location")), {
  pkceCodeVerifier: verifier,
  expectedState: state,
  expectedNonce: nonce,
  idTokenExpected: true,
});
const claims = tokens.claims();
const person = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub);
console.log(JSON.stringify({ claims, person, token: tokens.access_token }));
