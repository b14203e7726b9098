// How the page is built. The server embeds dist/ as it stands, with the compressed neighbours.
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import { early } from './build/early';
import { precompress } from './build/precompress';
import { serviceWorker } from './build/service-worker';
import { sockjsClient } from './build/sockjs-client';

const server = 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [svelte(), early(), sockjsClient(), serviceWorker(), precompress()],
  build: {
    target: 'es2022',
    // The policy of the page allows no data: script or style; small assets stay files as well.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: {
    proxy: {
      '/init': server,
      '/message': server,
      '/chatroom': server,
      '/ws': { target: server, ws: true },
    },
  },
  test: { include: ['tests/**/*.test.ts'] },
});
