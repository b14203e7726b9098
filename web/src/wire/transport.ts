// What STOMP runs over: a WebSocket, or, where one is blocked, SockJS over plain HTTP. The client of
// SockJS is the server's own file and loaded only then.
import type { IStompSocket } from '@stomp/stompjs';
import { path } from './types';

export type SocketFactory = () => IStompSocket;

interface SockJsOptions {
  transports: string[];
  sessionId: number;
}

type SockJs = new (address: string, reserved: null, options: SockJsOptions) => IStompSocket;

/** Bits of a session's id are all that protects it: 26 letters and digits are 134. */
const sessionIdLength = 26;

export const webSocket: SocketFactory = () =>
  new WebSocket(location.origin.replace(/^http/, 'ws') + path.socket, [
    'v12.stomp',
  ]) as unknown as IStompSocket;

/** SockJS by plain HTTP; rejects when its client cannot be loaded. */
export async function sockJs(): Promise<SocketFactory> {
  const address: string = path.sockjsClient;
  await import(/* @vite-ignore */ address);
  const { SockJS } = globalThis as unknown as { SockJS: SockJs };
  return () =>
    new SockJS(location.origin + path.sockjs, null, {
      transports: ['xhr-streaming', 'xhr-polling'],
      sessionId: sessionIdLength,
    });
}
