// Keeps a page alive: parts of it come again when something happens.
//
// In:    the address in `data-live` of the body. Out: replaced elements; a word when the line is cut.
// Never: needed: every page works without it.
"use strict";

(() => {
  const body = document.body;

  // Asks once before a form is sent twice.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });

  // Filters act at once where a choice is made.
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form.filters");
    if (form && event.target.matches("select") && !form.matches("[action='/console/close']")) {
      form.requestSubmit();
    }
  });

  const address = body.dataset.live;
  if (!address || !window.EventSource) return;

  const waiting = new Map();

  // Whether someone is in the middle of something in this element.
  const isBusy = (element) =>
    element.contains(document.activeElement) && document.activeElement !== element ||
    [...element.querySelectorAll("input, textarea, select")].some(isChanged) ||
    element.querySelector("details.action[open]") !== null;

  const isChanged = (field) => {
    if (field.type === "checkbox") return field.checked !== field.defaultChecked;
    if (field.tagName === "SELECT") {
      return [...field.options].some((option) => option.selected !== option.defaultSelected) &&
        [...field.options].some((option) => option.defaultSelected);
    }
    return field.value !== field.defaultValue;
  };

  // Lists someone opened stay open, boxes stay where they were scrolled to.
  const keep = (from, to) => {
    const opened = [...from.querySelectorAll("details")].map((details) => details.open);
    to.querySelectorAll("details").forEach((details, index) => {
      if (opened[index]) details.open = true;
    });
    const scrolled = [...from.querySelectorAll(".scroll, .grid-box, .statement")];
    to.querySelectorAll(".scroll, .grid-box, .statement").forEach((box, index) => {
      const before = scrolled[index];
      if (before) requestAnimationFrame(() => box.scrollTo(before.scrollLeft, before.scrollTop));
    });
  };

  const put = (id, html) => {
    const old = document.getElementById(id);
    if (!old) return;
    if (isBusy(old)) {
      waiting.set(id, html);
      return;
    }
    waiting.delete(id);
    const template = document.createElement("template");
    template.innerHTML = html;
    const fresh = template.content.firstElementChild;
    if (!fresh) return;
    keep(old, fresh);
    if (id !== "clock" && id !== "main") fresh.classList.add("fresh");
    old.replaceWith(fresh);
  };

  document.addEventListener("focusout", () => {
    setTimeout(() => {
      for (const [id, html] of [...waiting]) put(id, html);
    }, 200);
  });

  let lost;
  const tellLost = () => {
    if (lost) return;
    const since = document.querySelector("#clock time");
    lost = document.createElement("p");
    lost.className = "lost";
    lost.setAttribute("role", "status");
    lost.textContent = `${body.dataset.lost} ${body.dataset.asof} ${since ? since.textContent : ""}.`;
    body.prepend(lost);
  };
  const tellBack = () => {
    if (lost) lost.remove();
    lost = undefined;
  };

  // The browser comes back by itself and says with Last-Event-ID what it has seen.
  const source = new EventSource(address);
  source.addEventListener("open", tellBack);
  source.addEventListener("error", tellLost);
  source.addEventListener("part", (event) => {
    tellBack();
    const [id, html] = JSON.parse(event.data);
    put(id, html);
  });
  window.addEventListener("pagehide", () => source.close());
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
})();
