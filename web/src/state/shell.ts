// The service worker, which keeps the page's own files for a start without a network
// (worker/service-worker.ts).

interface ScriptPolicy {
  createScriptURL(text: string): string;
}
interface TrustedTypes {
  createPolicy(name: string, rules: ScriptPolicy): ScriptPolicy;
}

const address = '/sw.js';
/** After the page was loaded: a slow phone has better things to do until then than to keep files. */
const pauseMs = 3_000;

/** Trusted Types: the only script's address that this page gives away. */
function trustedAddress(): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  if (!trustedTypes) return address;
  const policy = trustedTypes.createPolicy('rtc-service-worker', {
    createScriptURL: () => address,
  });
  return policy.createScriptURL('');
}

/** Registers it, and goes where a notification leads. Pages without TLS have none. */
export function keepShell(): void {
  const workers = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  if (!workers || !isSecureContext) return;
  workers.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    if (typeof data === 'string' && data.startsWith('#/')) location.hash = data;
  });
  const register = (): void => {
    // Without one the page is the same, but for a start without a network.
    workers.register(trustedAddress()).catch(() => undefined);
  };
  const later = (): void => void setTimeout(register, pauseMs);
  // Not before the page itself is there.
  if (document.readyState === 'complete') later();
  else addEventListener('load', later, { once: true });
}
