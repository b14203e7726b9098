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
// In several tasks: a slow phone answers to touches in between. What is asked from the server comes first.
if (target) setTimeout(() => start(target));

function start(target: HTMLElement): void {
  const chat = new Chat(roomOfHash(location.hash) ?? lobby);
  chat.start();
  look.follow();
  setTimeout(() => mount(App, { target, props: { chat } }));
  if (import.meta.env.PROD) keepShell();
}
