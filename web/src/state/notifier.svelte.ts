// Notifications of what comes while nobody looks at the page. Off until the reader turns them on, and
// asked for by his click only.
import { follow } from './shared';
import { keep, recall } from './storage';

/** none: this browser, or a page without TLS, has none; denied: the reader said no to the browser. */
export type NotifierState = 'none' | 'off' | 'on' | 'denied';

/** What one tells. A later one of the same `room` takes its place. */
export interface News {
  readonly title: string;
  readonly text: string;
  readonly room: string;
  /** Where a click leads. */
  readonly hash: string;
}

const textMax = 200;

function found(): NotifierState {
  if (typeof Notification === 'undefined' || !isSecureContext) return 'none';
  const { permission } = Notification;
  if (permission === 'denied') return 'denied';
  return permission === 'granted' && recall('rtc.notify') === 'on' ? 'on' : 'off';
}

class Notifier {
  /** Null: as it was found. To look, the browser's other process is asked, and the page stands still. */
  #chosen = $state<NotifierState | null>(null);

  get state(): NotifierState {
    return this.#chosen ?? found();
  }

  /** Another tab was asked: what it found holds here too. */
  follow(): void {
    follow('rtc.notify', () => (this.#chosen = null));
  }

  /** By a click: the browser may ask the reader now. */
  async turn(on: boolean): Promise<void> {
    if (!on) {
      this.#chosen = 'off';
      keep('rtc.notify', 'off');
      return;
    }
    const permission = await Notification.requestPermission();
    this.#chosen =
      permission === 'granted' ? 'on' : permission === 'denied' ? 'denied' : 'off';
    if (this.#chosen === 'on') keep('rtc.notify', 'on');
  }

  /** Shows it, if nobody looks and the reader wants it. */
  async tell({ title, text, room, hash }: News): Promise<void> {
    if (document.visibilityState === 'visible' || this.state !== 'on') return;
    const options = { body: text.slice(0, textMax), tag: room, icon: '/icon-192.png', data: hash };
    try {
      // Phones show those of a service worker only.
      const worker = await navigator.serviceWorker?.getRegistration();
      if (worker?.active) {
        await worker.showNotification(title, options);
        return;
      }
      const shown = new Notification(title, options);
      shown.onclick = () => {
        focus();
        location.hash = hash;
        shown.close();
      };
    } catch {
      // The permission was taken back meanwhile.
    }
  }
}

export const notifier = new Notifier();
