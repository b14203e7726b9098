// A Vite plugin: puts the built file of sockjs-client, as it is published, beside the page's own.
// The server's SockJS iframe page loads it; its name says its version, so it never changes.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Plugin } from 'vite';

export function sockjsClient(): Plugin {
  return {
    name: 'sockjs-client',
    apply: 'build',
    async generateBundle() {
      const require = createRequire(import.meta.url);
      const { version } = require('sockjs-client/package.json') as { version: string };
      const script = await readFile(require.resolve('sockjs-client/dist/sockjs.min.js'), 'utf8');
      this.emitFile({
        type: 'asset',
        fileName: `assets/sockjs-client-${version}.js`,
        // The map is not there.
        source: script.replace(/^\/\/# sourceMappingURL=.*$/m, ''),
      });
    },
  };
}
