// The service worker: keeps the files of the page, so that it opens without a network, and nothing
// else. The page itself is always asked for from the server first: after an update nobody is served
// the old one. No call of the API goes through it, so it holds no message and no token.
// build/service-worker.ts makes /sw.js of this.
export {};

declare const self: ServiceWorkerGlobalScope;

/** Filled in by the build: the files of the first view, and a name that changes with them. */
declare const shellFiles: readonly string[];
declare const shellVersion: string;

const page = '/';
const store = `shell-${shellVersion}`;

async function install(): Promise<void> {
  const cache = await caches.open(store);
  await cache.addAll([...shellFiles]);
  // All of one version, or none: the server may have been updated in between.
  const html = await (await cache.match(page))?.text();
  const assets = shellFiles.filter((file) => file.startsWith('/assets/'));
  if (!assets.every((file) => html?.includes(file))) {
    await caches.delete(store);
    throw new Error('the page is of another version');
  }
  await self.skipWaiting();
}

async function activate(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== store).map((name) => caches.delete(name)));
  await self.clients.claim();
}

const kept = (path: string): Promise<Response | undefined> =>
  caches.match(path, { cacheName: store });

async function fromServer(request: Request, path: string): Promise<Response> {
  try {
    const answer = await fetch(request);
    // What a proxy says while the server is away is not the page.
    if (answer.status < 500) return answer;
    return (await kept(path)) ?? answer;
  } catch {
    return (await kept(path)) ?? Response.error();
  }
}

self.addEventListener('install', (event) => event.waitUntil(install()));
self.addEventListener('activate', (event) => event.waitUntil(activate()));

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== self.location.origin) return;
  const path = pathname === '/index.html' ? page : pathname;
  if (!shellFiles.includes(path)) return;
  if (path.startsWith('/assets/')) {
    // Their names change with them.
    event.respondWith(kept(path).then((found) => found ?? fetch(request)));
  } else {
    event.respondWith(fromServer(request, path));
  }
});

async function open(hash: string): Promise<void> {
  const [tab] = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  if (tab) {
    tab.postMessage(hash);
    await tab.focus();
  } else await self.clients.openWindow(`/${hash}`);
}

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  const hash: unknown = event.notification.data;
  event.waitUntil(open(typeof hash === 'string' ? hash : ''));
});
