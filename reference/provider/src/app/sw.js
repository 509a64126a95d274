// Keeps the app's own files, by version, so that the shell opens without the insurer.
// Nothing else is ever kept: answers about people always come from their service.
"use strict";
const CACHE = "app-{version}";
const SHELL = "/app/";
const FILES = [SHELL, "/app/manifest.webmanifest", "/app/assets/page.css",
  "/app/assets/colour.css", "/app/assets/app.css", "/app/assets/app.js", "/app/assets/icon.svg"];
self.addEventListener("install", (event) => event.waitUntil((async () => {
  const cache = await caches.open(CACHE);
  await cache.addAll(FILES.map((path) => new Request(path, { cache: "reload" })));
  await self.skipWaiting();
})()));
self.addEventListener("activate", (event) => event.waitUntil((async () => {
  for (const name of await caches.keys()) {
    if (name.startsWith("app-") && name !== CACHE) await caches.delete(name);
  }
  await self.clients.claim();
})()));
self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  const path = url.pathname === "/app/callback" ? SHELL : url.pathname;
  if (!FILES.includes(path)) return;
  event.respondWith((async () => {
    const kept = await (await caches.open(CACHE)).match(path);
    return kept ?? fetch(event.request);
  })());
});
