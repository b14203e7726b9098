// Starts the page.
import './early';
import { mount } from 'svelte';
import App from './App.svelte';
import { i18n } from './i18n/i18n.svelte';
import { roomOfHash } from './state/address';
import { Chat } from './state/chat.svelte';
import { look } from './state/look.svelte';
import { muted } from './state/muted.svelte';
import { notifier } from './state/notifier.svelte';
import { keepShell } from './state/shell';
import { lobby } from './wire/types';
import './ui/theme.css';

const target = document.getElementById('app');
// In several tasks: a slow phone answers to touches in between. What is asked from the server comes first.
if (target) setTimeout(() => start(target));

function start(target: HTMLElement): void {
  const chat = new Chat(roomOfHash(location.hash) ?? lobby);
  chat.start();
  for (const kept of [look, i18n, muted, notifier]) kept.follow();
  setTimeout(() => mount(App, { target, props: { chat } }));
  if (import.meta.env.PROD) keepShell();
}
