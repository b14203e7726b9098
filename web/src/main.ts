// Starts the page.
import { mount } from 'svelte';
import App from './App.svelte';
import { Chat } from './state/chat.svelte';
import { look } from './state/look.svelte';
import { roomOfHash } from './state/my-rooms.svelte';
import { keepShell } from './state/shell';
import { lobby } from './wire/types';
import './ui/theme.css';

const target = document.getElementById('app');
// After the script's own task: a slow phone answers to touches in between.
if (target) setTimeout(() => start(target));

function start(target: HTMLElement): void {
  const chat = new Chat(roomOfHash(location.hash) ?? lobby);
  mount(App, { target, props: { chat } });
  chat.start();
  look.follow();
  if (import.meta.env.PROD) keepShell();
}
