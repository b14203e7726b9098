// What may stand between a page and the server: a proxy that lets some things through, and others not.
import http from 'node:http';
import net from 'node:net';
import { pipeline } from 'node:stream';

/**
 * modes: `open` lets all through; `no-upgrade` refuses WebSockets, as old proxies do; `hang` never answers
 * them; `buffer` refuses them too, and passes an answer on when it is whole; `page-only` gives the page's own
 * files and nothing else, as a cache would without the network behind it.
 */
export class Proxy {
  #target;
  #server;
  #pairs = new Set();
  mode = 'open';
  /** Requests and upgrades that were let through: `GET /init`, `UPGRADE /ws`. */
  asked = [];

  static async start(target) {
    const proxy = new Proxy();
    proxy.#target = new URL(target);
    proxy.#server = http.createServer((request, response) => proxy.#request(request, response));
    proxy.#server.on('upgrade', (request, socket, head) => proxy.#upgrade(request, socket, head));
    await new Promise((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    proxy.url = `http://127.0.0.1:${proxy.#server.address().port}`;
    return proxy;
  }

  /** From now on nothing more passes through the WebSockets that are open, and nobody is told. */
  freeze() {
    for (const [client, upstream] of this.#pairs) {
      client.unpipe(upstream);
      upstream.unpipe(client);
      for (const end of [client, upstream]) end.resume();
    }
  }

  /** Ends the WebSockets that are open. */
  cut() {
    for (const ends of this.#pairs) for (const end of ends) end.destroy();
  }

  stop() {
    this.cut();
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(resolve));
  }

  #request(request, response) {
    const isPage = request.url === '/' || /^\/(assets\/|icon|sw\.js|manifest)/.test(request.url);
    if (this.mode === 'page-only' && !isPage) {
      request.socket.destroy();
      return;
    }
    this.asked.push(`${request.method} ${request.url}`);
    const { hostname, port } = this.#target;
    const { method, url: path, headers } = request;
    const upstream = http.request({ hostname, port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      if (this.mode === 'buffer') {
        const chunks = [];
        answer.on('data', (chunk) => chunks.push(chunk));
        answer.on('end', () => response.end(Buffer.concat(chunks)));
        answer.on('error', () => response.destroy());
        return;
      }
      response.flushHeaders();
      pipeline(answer, response, () => undefined);
    });
    upstream.on('error', () => response.destroy());
    response.on('close', () => upstream.destroy());
    request.pipe(upstream);
  }

  #upgrade(request, client, head) {
    client.on('error', () => undefined);
    if (this.mode === 'hang') {
      this.#pairs.add([client]);
      return;
    }
    if (this.mode !== 'open') {
      client.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      return;
    }
    this.asked.push(`UPGRADE ${request.url}`);
    const upstream = net.connect(Number(this.#target.port), this.#target.hostname, () => {
      const lines = [`${request.method} ${request.url} HTTP/1.1`];
      for (let index = 0; index < request.rawHeaders.length; index += 2)
        lines.push(`${request.rawHeaders[index]}: ${request.rawHeaders[index + 1]}`);
      upstream.write(`${lines.join('\r\n')}\r\n\r\n`);
      upstream.write(head);
      client.pipe(upstream).pipe(client);
    });
    const pair = [client, upstream];
    this.#pairs.add(pair);
    upstream.on('error', () => client.destroy());
    upstream.on('close', () => client.destroy());
    client.on('close', () => {
      this.#pairs.delete(pair);
      upstream.destroy();
    });
  }
}
