// A Vite plugin: makes src/early.ts a script of its own, with what it needs, which runs as soon as it is there.
import type { Plugin } from 'vite';

const name = 'early';
const parts = /\/src\/(early|state\/(address|storage)|wire\/(early|request|types))\.ts$/;

export function early(): Plugin {
  return {
    name,
    apply: 'build',
    config: () => ({
      build: { rollupOptions: { output: { manualChunks: (id) => (parts.test(id) ? name : undefined) } } },
    }),
    transformIndexHtml: {
      order: 'post',
      handler(_html, { bundle }) {
        const chunk = Object.values(bundle ?? {}).find((file) => file.type === 'chunk' && file.name === name);
        if (!chunk) throw new Error('there is no early script');
        const src = `/${chunk.fileName}`;
        // Scripts that wait for nothing come last, unless they say otherwise.
        const attrs = { type: 'module', async: true, fetchpriority: 'high', crossorigin: true, src };
        return [{ tag: 'script', attrs, injectTo: 'head' }];
      },
    },
  };
}
