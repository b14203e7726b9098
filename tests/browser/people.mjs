// What the browser tests share: Chromium, people with pages of their own, and a STOMP client that
// fills a room quickly.
import { Client } from '@stomp/stompjs';
import { chromium } from 'playwright-core';
import WebSocket from 'ws';

export const lobby = '723a2a33-577b-4380-8116-a1aa8e5868d3';

/** The harness of the system tests; another one with the same export may stand in for it. */
export const { startServer } = await import(process.env.TEST_HARNESS ?? '../system/harness.mjs');

/** How long the browser may take for anything before a test gives up: longer than a busy machine stands
    still and the page pauses before it tries to connect again, together. */
export const patienceMs = 120_000;

export async function newContext(browser, options) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(patienceMs);
  return context;
}

export const launchBrowser = () =>
  chromium.launch({
    timeout: patienceMs,
    executablePath: process.env.TEST_CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });

/** DevTools' presets: of a network, by bytes a second and milliseconds; `slowdown` is of the processor. */
export const networks = {
  slow4G: { latency: 150, downloadThroughput: 1_600_000 / 8, uploadThroughput: 750_000 / 8 },
  slow3G: { latency: 400, downloadThroughput: 400_000 / 8, uploadThroughput: 400_000 / 8 },
};

/** What the browser itself reports when the server is away; the page cannot silence it. */
const serverAway = /net::ERR_|Failed to load resource|WebSocket connection to|error occurred when fetching the script/;

/** One person: a browser context (so an identity) with the page open in it. */
export class Person {
  #context;
  #problems = [];
  /** The addresses of all that the page asked for. */
  requests = [];
  /** The server is meant to be away for a while: the browser's own complaints do not count. */
  mayLoseServer = false;

  static async join(
    browser,
    url,
    { width = 1440, height = 900, mayLoseServer = false, network, slowdown, ...options } = {},
  ) {
    const context = await newContext(browser, {
      viewport: { width, height },
      locale: 'en-US',
      timezoneId: 'Asia/Seoul',
      ...options,
    });
    return Person.#open(context, url, mayLoseServer, { network, slowdown });
  }

  static async #open(context, url, mayLoseServer, { network, slowdown } = {}) {
    const person = new Person();
    person.mayLoseServer = mayLoseServer;
    person.#context = context;
    person.page = await context.newPage();
    person.#watch();
    if (network || slowdown) await person.#slow(network, slowdown);
    await person.page.goto(url);
    await person.connected();
    return person;
  }

  /** The same person in one more tab. */
  anotherTab() {
    return Person.#open(this.#context, this.page.url(), this.mayLoseServer);
  }

  async #slow(network, rate = 1) {
    const devtools = await this.devtools();
    await devtools.send('Emulation.setCPUThrottlingRate', { rate });
    if (network) await devtools.send('Network.emulateNetworkConditions', { offline: false, ...network });
    await this.page.addInitScript(() => {
      const look = () => {
        if (document.querySelector('[data-testid=message]')) window.firstMessageAt = performance.now();
        else requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    });
  }

  #watch() {
    this.page.on('request', (request) => this.requests.push(request.url()));
    const note = (text) => {
      if (!(this.mayLoseServer && serverAway.test(text))) this.#problems.push(text);
    };
    this.page.on('pageerror', (error) => note(`page error: ${error.message}`));
    this.page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) note(`console: ${message.text()}`);
    });
    this.page.on('dialog', (dialog) => {
      note(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
  }

  /** Everything that went wrong in the page: errors, warnings, breaches of the policy. */
  get problems() {
    return this.#problems;
  }

  at(hook) {
    return this.page.getByTestId(hook);
  }

  /** What the page sends of this text reaches the server blank from now on, so it is refused. */
  spoils(text) {
    return this.page.evaluate((words) => {
      const { send } = WebSocket.prototype;
      const blank = ' '.repeat(new TextEncoder().encode(words).length);
      WebSocket.prototype.send = function (data) {
        return send.call(this, typeof data === 'string' ? data.replace(words, blank) : data);
      };
    }, text);
  }

  async state(wanted) {
    await this.page.locator(`[data-testid=state][data-state=${wanted}]`).waitFor();
  }

  async connected() {
    await this.state('connected');
    await this.at('me').locator('strong').waitFor();
  }

  async sees(count) {
    await this.page.locator(`[data-testid=count][data-count="${count}"]`).waitFor();
  }

  /** The messages that show exactly this text. */
  messages(text) {
    return this.at('message').filter({ has: this.page.getByText(text, { exact: true }) });
  }

  /** Writes and waits until the room has it. */
  async says(text) {
    await this.at('composer').fill(text);
    await this.at('composer').press('Enter');
    await this.messages(text).and(this.page.locator('[data-status=sent]')).waitFor();
  }

  async hears(text) {
    await this.messages(text).waitFor();
  }

  identity() {
    return this.at('me').getAttribute('data-identity');
  }

  name() {
    return this.at('me').innerText();
  }

  /** The drawn messages: id, whose, text. */
  drawn() {
    return this.at('message').evaluateAll((rows) =>
      rows.map((row) => ({
        id: Number(row.dataset.id),
        own: row.dataset.own === 'true',
        text: row.querySelector('.bubble').textContent,
      })),
    );
  }

  offline(value) {
    return this.#context.setOffline(value);
  }

  devtools() {
    return this.#context.newCDPSession(this.page);
  }

  leave() {
    return this.#context.close();
  }
}

/** A person without a browser, who can say much in a short time. */
export class Talker {
  #client;
  #said = 0;
  #url;
  #token;

  /** Somebody new, with a name in that language; or who has that token. */
  static async join(url, { language = 'en-US', token } = {}) {
    const talker = new Talker();
    talker.#url = url;
    if (!token) {
      const headers = { 'Accept-Language': language };
      ({ response: token } = await (await fetch(`${url}/init`, { headers })).json());
    }
    talker.#token = token;
    await new Promise((resolve, reject) => {
      talker.#client = new Client({
        webSocketFactory: () =>
          new WebSocket(`${url.replace(/^http/, 'ws')}/ws`, ['v12.stomp', 'v11.stomp']),
        connectHeaders: { Authorization: `Bearer ${token}` },
        reconnectDelay: 0,
        onConnect: resolve,
        onStompError: ({ body }) => reject(new Error(body)),
      });
      talker.#client.activate();
    });
    return talker;
  }

  says(text, roomId = lobby) {
    const receipt = `said-${(this.#said += 1)}`;
    return new Promise((resolve) => {
      this.#client.watchForReceipt(receipt, () => resolve());
      this.#client.publish({
        destination: '/pub/chat',
        headers: { receipt },
        body: JSON.stringify({ roomId, message: text }),
      });
    });
  }

  /** Says all of them in order, some at a time on their way. */
  async saysAll(texts, together = 25) {
    for (let start = 0; start < texts.length; start += together) {
      await Promise.all(texts.slice(start, start + together).map((text) => this.says(text)));
    }
  }

  /** Is one of the people in the room from now on. */
  enters(roomId = lobby) {
    this.#client.subscribe(`/sub/channel/${roomId}`, () => undefined);
  }

  types(roomId) {
    this.#client.publish({ destination: '/pub/typing', body: JSON.stringify({ roomId, typing: true }) });
  }

  /** Makes an open room; its id. */
  async makes(name, topic) {
    const answer = await fetch(`${this.#url}/chatroom`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${this.#token}` },
      body: JSON.stringify({ name, topic }),
    });
    return (await answer.json()).response.roomId;
  }

  /** The same person, who was away or whose server was. */
  async returns() {
    await this.leave();
    return Talker.join(this.#url, { token: this.#token });
  }

  leave() {
    return this.#client.deactivate();
  }
}
