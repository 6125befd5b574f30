// The app without a network: its files lie in a cache that is made anew for each version.

/** @type {ServiceWorkerGlobalScope} */
const worker = /** @type {any} */ (self);

const VERSION = "dskpp-token 69008e9049b83dbd";
const FILES = ["./", "dskpp.wasm", "icon-192.png", "icon-512.png", "icon-maskable-512.png", "icon.svg", "manifest.webmanifest", "worker.js"];
const KEPT = ["server.json", "logo"];

const scope = new URL("./", location.href);

worker.addEventListener("install", (event) => {
  const keep = async () => {
    const cache = await caches.open(VERSION);
    await cache.addAll(FILES.map((file) => new Request(file, { cache: "reload" })));
    await worker.skipWaiting();
  };
  // Browsers that can take files from the cache without waking this worker do so: codes are there sooner.
  const source = { cacheName: VERSION };
  const paths = FILES.map((file) => new URL(file, scope).pathname);
  /** @type {any} */ (event).addRoutes?.(paths.map((pathname) => ({ condition: { urlPattern: { pathname } }, source })));
  event.waitUntil(keep());
});

worker.addEventListener("activate", (event) => {
  const tidy = async () => {
    for (const name of await caches.keys()) if (name !== VERSION && name.startsWith("dskpp-token ")) await caches.delete(name);
    await worker.clients.claim();
  };
  event.waitUntil(tidy());
});

/** The file from the cache, else from the server. @param {Request} request */
async function file(request) {
  const cache = await caches.open(VERSION);
  const kept = await cache.match(request, { ignoreSearch: true });
  return kept ?? fetch(request);
}

/** What changes without a new version: from the server, else what it said last. @param {Request} request */
async function latest(request) {
  const cache = await caches.open(VERSION);
  try {
    const answer = await fetch(request);
    if (answer.ok) await cache.put(request, answer.clone());
    return answer;
  } catch {
    return (await cache.match(request)) ?? Response.error();
  }
}

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== scope.origin || !url.pathname.startsWith(scope.pathname)) return;
  const name = url.pathname.slice(scope.pathname.length);
  event.respondWith(KEPT.includes(name) ? latest(request) : file(request));
});
