// A Vite plugin: makes sw.js of src/worker/service-worker.ts, with the files of the first view and a
// name that changes with any of them.
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { transformWithEsbuild, type Plugin } from 'vite';

const source = 'src/worker/service-worker.ts';
const beside = ['/icon.svg', '/manifest.webmanifest'];

export function serviceWorker(): Plugin {
  let root = '.';
  let folder = 'dist';
  return {
    name: 'service-worker',
    apply: 'build',
    configResolved(config) {
      root = config.root;
      folder = join(config.root, config.build.outDir);
    },
    async writeBundle() {
      const html = await readFile(join(folder, 'index.html'), 'utf8');
      const assets = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, name]) => name!);
      // One of them is asked for in two places.
      const files = [...new Set(['/', ...assets, ...beside])];
      const path = join(root, source);
      const script = await readFile(path, 'utf8');
      const hash = createHash('sha256').update(script);
      for (const file of files) {
        hash.update(await readFile(join(folder, file === '/' ? 'index.html' : file)));
      }
      const { code } = await transformWithEsbuild(script, path, {
        format: 'iife',
        minify: true,
        target: 'es2022',
        define: {
          shellFiles: JSON.stringify(files),
          shellVersion: JSON.stringify(hash.digest('hex').slice(0, 16)),
        },
      });
      await writeFile(join(folder, 'sw.js'), code);
    },
  };
}
