// Drafts that survive a closing: kept in the browser at once, at the insurer's soon after.
// A form is sent in the background; while the gate says no, all that was typed stays in it.
"use strict";
const tenant = document.body.dataset.tenant;
const key = (form) => `draft/${tenant}/${form.dataset.draft}`;
const words = document.documentElement.lang === "de"
  ? { kept: "Entwurf gesichert.",
      local: "Entwurf auf diesem Gerät gesichert; der Dienst ist gerade nicht erreichbar.",
      closed: "Der Dienst ist nicht erreichbar. Nichts ist verloren: Ihr Entwurf bleibt hier.",
      restored: "Ihr Entwurf ist wieder da." }
  : { kept: "Draft saved.",
      local: "Draft saved on this device; the service cannot be reached at present.",
      closed: "The service cannot be reached at present. Nothing is lost: your draft stays here.",
      restored: "Your draft is back." };
const typed = (form) => Object.fromEntries(
  [...form.querySelectorAll("input[name], textarea[name], select[name]")]
    .filter((field) => !["hidden", "password", "file"].includes(field.type))
    .map((field) => [field.name, field.value]));
const tell = (form, text, isFault = false) => {
  const place = form.querySelector(".draft-state");
  place.textContent = text;
  place.classList.toggle("fault", isFault);
};
// A file cannot be kept for another day: it stays chosen in the form while the page is open.
const hasWords = (form) => Object.keys(typed(form)).length > 0;
const keep = (form) => hasWords(form) && localStorage.setItem(
  key(form), JSON.stringify({ at: Date.now() / 1000, fields: typed(form) }));
const save = async (form) => {
  if (!hasWords(form)) return;
  const to = `/og/drafts/${form.dataset.draft}`;
  try {
    const answer = await fetch(to, { method: "PUT", body: new URLSearchParams(typed(form)) });
    tell(form, answer.ok ? words.kept : words.local);
  } catch { tell(form, words.local); }
};
const restore = (form) => {
  const kept = JSON.parse(localStorage.getItem(key(form)) ?? "null");
  if (!kept || kept.at < Number(form.dataset.savedAt)) return;
  for (const [name, value] of Object.entries(kept.fields)) {
    const field = form.elements.namedItem(name);
    if (field) field.value = value;
  }
  tell(form, words.restored);
};
const send = async (form) => {
  keep(form);
  try {
    const fields = new FormData(form);
    const hasFiles = form.enctype === "multipart/form-data";
    const body = hasFiles ? fields : new URLSearchParams(fields);
    const answer = await fetch(form.action, { method: "POST", body });
    if (answer.ok && answer.redirected && answer.url.includes("done=")) {
      localStorage.removeItem(key(form));
      location.assign(answer.url);
      return;
    }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fault = answer.status < 500 && page.querySelector(".fault");
    tell(form, fault ? fault.textContent : words.closed, Boolean(fault));
  } catch { tell(form, words.closed); }
};
for (const form of document.querySelectorAll("form[data-draft]")) {
  restore(form);
  let timer;
  form.addEventListener("input", () => {
    keep(form);
    clearTimeout(timer);
    timer = setTimeout(() => save(form), 600);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    send(form);
  });
}
