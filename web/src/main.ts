// Starts the page.
import { mount } from 'svelte';
import App from './App.svelte';
import { Chat } from './state/chat.svelte';
import './ui/theme.css';

const target = document.getElementById('app');
if (target) {
  const chat = new Chat();
  mount(App, { target, props: { chat } });
  chat.start();
}
