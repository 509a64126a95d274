// The insured app: home, record, card photo, state of services; German and English.
// Each screen asks its own service; what a shut service says is shown calmly, the shell stays.
// The login is kept while this tab is open; people's data is never kept.
"use strict";
const tenant = document.body.dataset.tenant;
const WORDS = {
  de: { synthetic: "Referenzanbieter: alle Personen sind erfunden.", leave: "Abmelden",
    home: "Start", record: "Akte", photo: "Kartenfoto", state: "Zustand", login: "Anmelden",
    loginHint: "Bitte melden Sie sich an.",
    loginLost: "Die Anmeldung ging nicht. Bitte noch einmal.",
    shut: "Dieser Dienst ist gerade geschlossen. Ihre Daten bleiben, wo sie sind.",
    offline: "Der Dienst ist gerade nicht erreichbar. Die App bleibt benutzbar.",
    next: "Nächste Mitteilung: ", messages: "Nachrichten", none: "Nichts da.",
    data: "Meine Daten", number: "Versichertennummer", birth: "Geburtstag", address: "Anschrift",
    suspended: "Ihre Akte ist vorübergehend geschlossen. Es ist nichts verloren gegangen.",
    noRecord: "Für Sie gibt es hier keine Akte.", failed: "Das ging nicht.",
    choose: "JPEG-Bild, 35 × 45 mm, höchstens 5 MB", send: "Absenden",
    sent: "Ihr Foto ist angekommen und wird geprüft.",
    waiting: "wird geprüft", approved: "freigegeben, Karte bestellt", rejected: "abgelehnt",
    replaced: "ersetzt", ask: "Jetzt nachsehen", asOf: "Stand: ",
    noStatus: "Für diese App ist keine Auskunft über den Zustand eingerichtet.",
    silent: "Die Auskunft ist nicht erreichbar. Letzte Mitteilung: ", never: "noch keine",
    recordBack: "Die Akte Ihrer Versicherung ist wieder da.", back: ": wieder da.",
    allow: "Mitteilungen auf diesem Gerät erlauben", drill: "Übung – kein echter Vorfall" },
  en: { synthetic: "Reference provider: all people are invented.", leave: "Log out",
    home: "Home", record: "Record", photo: "Card photo", state: "State", login: "Log in",
    loginHint: "Please log in.", loginLost: "The login did not work. Please try again.",
    shut: "This service is closed at present. Your data stays where it is.",
    offline: "The service cannot be reached at present. The app stays usable.",
    next: "Next word at: ", messages: "Messages", none: "Nothing here.",
    data: "My data", number: "Insurance number", birth: "Date of birth", address: "Address",
    suspended: "Your record is closed for a while. Nothing is lost.",
    noRecord: "There is no record for you here.", failed: "That did not work.",
    choose: "JPEG image, 35 × 45 mm, 5 MB at most", send: "Send",
    sent: "Your photo arrived and is reviewed.",
    waiting: "is reviewed", approved: "approved, card ordered", rejected: "rejected",
    replaced: "replaced", ask: "Look now", asOf: "As of: ",
    noStatus: "No source for the state of services is set up for this app.",
    silent: "The source cannot be reached. Last word: ", never: "none yet",
    recordBack: "The record of your insurer is available again.", back: ": available again.",
    allow: "Allow notices on this device", drill: "Drill – not a real incident" } };
const main = document.getElementById("main");
const saved = (name) => JSON.parse(localStorage.getItem(`app/${tenant}/${name}`) ?? "null");
const save = (name, value) => localStorage.setItem(`app/${tenant}/${name}`, JSON.stringify(value));
let language = saved("language") ?? (navigator.language.startsWith("en") ? "en" : "de");
const say = (name) => WORDS[language][name] ?? name;
const day = (text) => new Date(text).toLocaleDateString(
  language === "en" ? "en-GB" : "de-DE", { timeZone: "UTC", dateStyle: "long" });
const time = (text) => new Date(text).toLocaleString(language === "en" ? "en-GB" : "de-DE");
const make = (tag, text, kind) => {
  const made = document.createElement(tag);
  if (text) made.textContent = text;
  if (kind) made.className = kind;
  return made;
};

// Login: authorization code with PKCE, as a public client of the insurer's issuer.
const base64 = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)))
  .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const secret = () => base64(crypto.getRandomValues(new Uint8Array(36)));
const issuer = `${location.origin}/idp`;
const redirect = `${location.origin}/app/callback`;
const token = () => sessionStorage.getItem("token");
const login = async () => {
  const visit = { state: secret(), nonce: secret(), verifier: secret(), hash: location.hash };
  sessionStorage.setItem("visit", JSON.stringify(visit));
  const sum = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(visit.verifier));
  try {
    const probe = await fetch(`${issuer}/.well-known/openid-configuration`);
    if (!probe.ok) return draw(await told(probe));
  } catch { return draw(make("p", say("offline"), "shut")); }
  location.assign(`${issuer}/authorize?${new URLSearchParams({ response_type: "code",
    client_id: "app", redirect_uri: redirect, scope: "openid", state: visit.state,
    nonce: visit.nonce, code_challenge: base64(sum), code_challenge_method: "S256" })}`);
};
const claims = (jwt) => JSON.parse(new TextDecoder().decode(Uint8Array.from(
  atob(jwt.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0))));
const arrive = async () => {
  const query = new URLSearchParams(location.search);
  const visit = JSON.parse(sessionStorage.getItem("visit") ?? "null");
  sessionStorage.removeItem("visit");
  history.replaceState(null, "", `/app/${visit?.hash || "#home"}`);
  const isOurs = visit && query.get("state") === visit.state && query.get("code")
    && (query.get("iss") ?? issuer) === issuer;
  if (!isOurs) return say("loginLost");
  try {
    const answer = await fetch(`${issuer}/token`, { method: "POST", body: new URLSearchParams({
      grant_type: "authorization_code", client_id: "app", redirect_uri: redirect,
      code: query.get("code"), code_verifier: visit.verifier }) });
    if (!answer.ok) return say("loginLost");
    const tokens = await answer.json();
    const id = claims(tokens.id_token);
    if (id.nonce !== visit.nonce || id.iss !== issuer) return say("loginLost");
    sessionStorage.setItem("token", tokens.access_token);
  } catch { return say("offline"); }
};

// Asks a service for a person's data. What it says instead becomes a calm paragraph.
const told = async (answer) => {
  const body = await answer.json().catch(() => ({}));
  const box = make("div", "", answer.status === 503 ? "shut" : "fault");
  const words = answer.status === 503 && !body.code ? say("shut")
    : body[language] ?? body.title ?? say("failed");
  box.append(make("p", words));
  for (const reason of body.reasons ?? []) box.append(make("p", reason[language]));
  if (body.next_word_at) box.append(make("p", say("next") + time(body.next_word_at), "next"));
  return box;
};
const get = async (path, more = {}) => {
  const headers = { accept: "application/json", authorization: `Bearer ${token()}`,
    ...more.headers };
  let answer;
  try {
    answer = await fetch(path, { ...more, headers, cache: "no-store" });
  } catch { return { no: make("p", say("offline"), "shut") }; }
  if (answer.status === 401) {
    sessionStorage.removeItem("token");
    return { no: enter() };
  }
  if (!answer.ok) return { status: answer.status, no: await told(answer) };
  return { body: await answer.json().catch(() => ({})) };
};
const enter = (fault) => {
  const box = make("div");
  box.append(make("p", fault ?? say("loginHint"), fault ? "fault" : ""));
  const button = make("button", say("login"));
  button.id = "login";
  button.addEventListener("click", login);
  box.append(button);
  return box;
};

const home = async () => {
  const [me, mail] = await Promise.all([get("/og/api/me"), get("/og/api/messages")]);
  if (me.no) return [me.no];
  const list = make("dl");
  for (const [name, value] of [["Name", me.body.name], [say("number"), me.body.kvnr],
    [say("birth"), day(me.body.birth)], [say("address"),
      `${me.body.street}, ${me.body.postcode} ${me.body.city}`]]) {
    list.append(make("dt", name), make("dd", value));
  }
  const shown = [make("h2", say("data")), list, make("h2", say("messages"))];
  if (mail.no) return [...shown, mail.no];
  const all = mail.body.messages.map((message) => {
    const box = make("article");
    box.append(make("h2", message.subject), make("p", time(message.at), "hint"),
      make("p", message.text));
    return box;
  });
  return [...shown, ...(all.length ? all : [make("p", say("none"))])];
};
const record = async () => {
  const state = await get("/epa/status");
  if (state.status === 409) return [make("p", say("suspended"), "shut suspended")];
  if (state.status === 404) return [make("p", say("noRecord"))];
  if (state.no) return [state.no];
  const found = await get("/epa/DocumentReference?_count=100",
    { headers: { accept: "application/fhir+json" } });
  if (found.no) return [found.no];
  const all = (found.body.entry ?? []).map(({ resource }) => {
    const box = make("article", "", "document");
    const title = resource.description ?? resource.type?.text
      ?? resource.type?.coding?.[0]?.display ?? resource.content?.[0]?.attachment?.title;
    box.append(make("h2", title ?? resource.id));
    if (resource.date) box.append(make("p", time(resource.date), "hint"));
    return box;
  });
  return all.length ? all : [make("p", say("none"))];
};
const photo = async () => {
  const found = await get("/lichtbild/api/photos");
  if (found.no) return [found.no];
  const form = make("form");
  const label = make("label", say("choose"));
  const file = make("input");
  Object.assign(file, { type: "file", accept: "image/jpeg", required: true });
  label.append(file);
  const state = make("div");
  state.setAttribute("role", "status");
  form.append(label, state, make("button", say("send")));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const sent = await get("/lichtbild/api/photos", { method: "POST", body: file.files[0],
      headers: { "content-type": "image/jpeg" } });
    state.replaceChildren(sent.no ?? make("p", say("sent"), "done"));
  });
  const all = found.body.photos.map((one) => {
    const box = make("article");
    box.append(make("h2", say(one.state)), make("p", time(one.received_at), "hint"));
    if (one.reason) box.append(make("p", one.reason));
    return box;
  });
  return [form, ...all];
};

// The state of services: the last word stays on the device, with its time. It names nobody.
const notify = (text) => {
  const box = make("p", text, "done");
  document.getElementById("notices").append(box);
  if ("Notification" in window && Notification.permission === "granted") {
    navigator.serviceWorker.ready.then((worker) => worker.showNotification(text,
      { icon: "/app/assets/icon.svg", tag: text }));
  }
};
const look = async () => {
  let word = { reachable: false };
  let shut;
  try {
    const answer = await fetch("/app/api/status", { cache: "no-store",
      headers: { accept: "application/json" } });
    if (answer.ok) word = await answer.json();
    else shut = await told(answer);
  } catch { /* the last word is told below */ }
  if (word.configured === false) return { word };
  const last = saved("word");
  if (word.status) {
    for (const service of word.status.services) {
      const before = last?.status?.services.find((one) => one.service === service.service);
      if (before && before.open === 0 && service.open > 0) {
        notify(service.service === "epa" ? say("recordBack")
          : service.name[language] + say("back"));
      }
    }
    save("word", word);
    return { word };
  }
  return { word: { ...last, reachable: false }, shut };
};
const state = async () => {
  const { word, shut } = await look();
  const shown = [];
  if (shut) shown.push(shut);
  if (word.configured === false) return [make("p", say("noStatus"))];
  if (!word.reachable) {
    const at = word.heard_at ? time(word.heard_at) : say("never");
    shown.push(make("p", say("silent") + at, "shut silent"));
  }
  if (word.status) {
    if (word.status.drill) shown.push(make("p", say("drill"), "hint"));
    shown.push(make("p", say("asOf") + time(word.status.as_of), "hint"));
    for (const service of word.status.services) {
      const box = make("article");
      box.append(make("h2", service.name[language]), make("p", service.words[language],
        `state ${service.open > 0 ? "up" : "down"}`));
      shown.push(box);
    }
    const next = word.status.next_word_at;
    if (next) shown.push(make("p", say("next") + time(next), "next"));
    for (const notice of word.status.notices ?? []) {
      shown.push(make("p", `${time(notice.at)}: ${notice.text[language]}`));
    }
  }
  const button = make("button", say("ask"));
  button.id = "ask";
  button.addEventListener("click", () => show());
  shown.push(button);
  if ("Notification" in window && Notification.permission === "default") {
    const allow = make("button", say("allow"), "second");
    allow.addEventListener("click", async () => {
      await Notification.requestPermission();
      show();
    });
    shown.push(allow);
  }
  return shown;
};

const SCREENS = { home, record, photo, state };
const screen = () => (location.hash.slice(1) in SCREENS ? location.hash.slice(1) : "home");
let turn = 0;
const draw = (...parts) => main.replaceChildren(make("h1", say(screen())), ...parts);
const show = async (fault) => {
  const mine = ++turn;
  const name = screen();
  document.documentElement.lang = language;
  for (const one of document.querySelectorAll("[data-say]")) one.textContent = say(one.dataset.say);
  for (const one of document.querySelectorAll("nav a")) {
    if (one.hash === `#${name}`) one.setAttribute("aria-current", "page");
    else one.removeAttribute("aria-current");
  }
  const other = language === "de" ? "en" : "de";
  Object.assign(document.getElementById("language"),
    { lang: other, textContent: other === "en" ? "English" : "Deutsch" });
  const parts = name !== "state" && !token() ? [enter(fault)] : await SCREENS[name]();
  if (mine !== turn) return;
  document.getElementById("leave").hidden = !token();
  draw(...parts);
  main.dataset.screen = name;
};
document.getElementById("language").addEventListener("click", () => {
  language = language === "de" ? "en" : "de";
  save("language", language);
  show();
});
document.getElementById("leave").addEventListener("click", () => {
  sessionStorage.removeItem("token");
  show();
});
addEventListener("hashchange", () => show());
// A minute is often enough for people; the button asks at once.
setInterval(() => (screen() === "state" ? show() : look()), 60_000);
navigator.serviceWorker?.register("/app/sw.js", { scope: "/app/" });
(async () => {
  const fault = location.pathname === "/app/callback" ? await arrive() : undefined;
  await show(fault);
  if (screen() !== "state") await look();
})();
