// A client that sends exactly what the original's browser client sends, and reads what that reads.
// It runs in a browser and in Node: `call`, `openSocket` and `Stomp` are what differs.
//
//   call(method, path, headers) -> the parsed envelope
//   openSocket(path)            -> a SockJS socket
//   Stomp                       -> stompjs 2.3.3
const room = '723a2a33-577b-4380-8116-a1aa8e5868d3';

export function decodeToken(token) {
  const bytes = Uint8Array.from(atob(token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes));
}

export function originalClient({ call, openSocket, Stomp, storedToken = null, onEvent }) {
  let token = storedToken;
  let claims = null;
  let stomp = null;

  // Every call carries these; before there is a token the header says "Bearer null".
  const headers = () => ({
    Authorization: `Bearer ${token}`,
    'X-Client-IP': claims ? claims.aud[0] : '',
    'ngrok-skip-browser-warning': 'true',
  });

  return {
    // Any truthy `response` is stored as the token, whatever the status says.
    async init() {
      const envelope = await call('GET', '/init', headers());
      if (envelope.response) token = envelope.response;
      claims = decodeToken(token);
      return { token, claims };
    },

    connect() {
      stomp = Stomp.over(openSocket('/connect'));
      stomp.debug = null;
      return new Promise((resolve, reject) => {
        stomp.connect(
          { Authorization: `Bearer ${token}`, 'X-Client-IP': claims.aud[0] },
          (frame) => {
            stomp.subscribe('/user/queue/errors', ({ body }) => onEvent('error', JSON.parse(body)));
            stomp.subscribe(`/sub/channel/${room}`, ({ body }) => onEvent('message', JSON.parse(body)));
            stomp.subscribe('/sub/channel/entry', ({ body }) => onEvent('count', JSON.parse(body)));
            resolve(frame.headers);
          },
          (problem) => reject(new Error(String(problem.body ?? problem))),
        );
      });
    },

    send(message, roomId = room) {
      const body = { roomId, message, randId: claims.randId, nameTag: claims.sub };
      stomp.send('/pub/chat', { token }, JSON.stringify(body));
    },

    latest: (limit) => call('GET', `/message?roomId=${room}&limit=${limit}`, headers()),
    before: (id, limit) =>
      call('GET', `/message/lastMessageId?roomId=${room}&limit=${limit}&lastMessageId=${id}`, headers()),

    leave: () => new Promise((resolve) => stomp.disconnect(resolve)),
  };
}
