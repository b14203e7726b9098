// Svelte's own settings; the TypeScript in components is plain, so no preprocessor is needed.
export default { compilerOptions: { runes: true } };
