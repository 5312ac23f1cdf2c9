// The connection to the server. It comes again by itself, a little later each time, and at once when
// the browser is back online or the page is looked at again.

export class Link {
  // hello() gives the first message; heard(message) is called for each message of the server;
  // state(open) when the connection opens or ends.
  constructor({ hello, heard, state }) {
    Object.assign(this, { hello, heard, state, pause: 250 });
    this.connect();
    addEventListener("online", () => this.soon(0));
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.soon(0); });
  }

  get open() { return this.socket?.readyState === WebSocket.OPEN; }

  connect() {
    const socket = new WebSocket(new URL("/ws", location.href.replace(/^http/, "ws")));
    this.socket = socket;
    socket.onopen = () => {
      this.pause = 250;
      this.say(this.hello());
      this.state(true);
    };
    socket.onmessage = (e) => this.heard(JSON.parse(e.data));
    socket.onclose = () => {
      this.state(false);
      this.soon(this.pause + Math.random() * 250);
      this.pause = Math.min(5000, this.pause * 2);
    };
  }

  soon(ms) {
    if (this.socket.readyState !== WebSocket.CLOSED) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.connect(), ms);
  }

  say(message) { if (this.open) this.socket.send(JSON.stringify(message)); }
}
