// Replaces WebSocket for URLs of this host, where the proxy in between passes nothing but requests: messages to
// JupyterLab are posted, and those from it are polled for. What is lost on the way closes the socket, with 1006.
"use strict";
(() => {
  const ROOT = "/.kupyterhub/shim/";
  const HEADERS = { "X-Websocket-Shim-Version": "1" };
  const BATCH_CHARACTERS = 1 << 20;
  const Native = window.WebSocket;
  if (window.origin === "null") {
    return; // a sandboxed page may not speak for its host
  }

  const post = (action, body, headers = HEADERS) =>
    fetch(ROOT + action, { method: "POST", body, headers, cache: "no-store", redirect: "error" });

  // Events of a WebSocket are tasks of their own: what waits for one runs before the next.
  const nextTask = () =>
    new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        port1.close();
        resolve();
      };
      port2.postMessage(null);
    });

  const toBase64 = (bytes) => {
    let text = "";
    for (let start = 0; start < bytes.length; start += 0x8000) {
      text += String.fromCharCode.apply(null, bytes.subarray(start, start + 0x8000));
    }
    return btoa(text);
  };

  const fromBase64 = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

  const bytesOf = (data) =>
    ArrayBuffer.isView(data)
      ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
      : new Uint8Array(data);

  class ShimmedWebSocket extends EventTarget {
    static CONNECTING = 0;
    static OPEN = 1;
    static CLOSING = 2;
    static CLOSED = 3;

    #url;
    #id = null;
    #state = ShimmedWebSocket.CONNECTING;
    #protocol = "";
    #binaryType = "blob";
    #buffered = 0;
    #waiting = [];
    #sending = null;
    #handlers = {};

    constructor(url, protocols = []) {
      const parsed = parse(url);
      if (parsed.host !== location.host || (parsed.protocol === "wss:") !== (location.protocol === "https:")) {
        return new Native(url, protocols);
      }
      super();
      this.#url = parsed.href;
      const offered = typeof protocols === "string" ? [protocols] : [...protocols].map(String);
      if (new Set(offered).size !== offered.length || !offered.every((name) => /^[!#-'*+\-.0-9A-Z^_`a-z|~]+$/.test(name))) {
        throw new DOMException("The subprotocols are not distinct tokens.", "SyntaxError");
      }
      this.#open(offered);
    }

    static {
      for (const type of ["open", "message", "error", "close"]) {
        Object.defineProperty(this.prototype, `on${type}`, {
          configurable: true,
          enumerable: true,
          get() {
            return this.#handlers[type]?.given ?? null;
          },
          set(given) {
            this.removeEventListener(type, this.#handlers[type]?.called);
            delete this.#handlers[type];
            if (typeof given === "function") {
              const called = (event) => given.call(this, event);
              this.#handlers[type] = { given, called };
              this.addEventListener(type, called);
            }
          },
        });
      }
    }

    get url() {
      return this.#url;
    }

    get readyState() {
      return this.#state;
    }

    get protocol() {
      return this.#protocol;
    }

    get extensions() {
      return "";
    }

    get bufferedAmount() {
      return this.#buffered;
    }

    get binaryType() {
      return this.#binaryType;
    }

    set binaryType(type) {
      if (type === "blob" || type === "arraybuffer") {
        this.#binaryType = type;
      }
    }

    send(data) {
      if (this.#state === ShimmedWebSocket.CONNECTING) {
        throw new DOMException("The WebSocket is not open yet.", "InvalidStateError");
      }
      const message = pack(data);
      this.#buffered += message.size;
      if (this.#state === ShimmedWebSocket.OPEN) {
        this.#waiting.push(message);
        this.#sending ??= this.#send();
      }
    }

    close(code, reason = "") {
      if (code !== undefined && code !== 1000 && !(code >= 3000 && code <= 4999)) {
        throw new DOMException("A page closes with 1000, or 3000 to 4999.", "InvalidAccessError");
      }
      if (new TextEncoder().encode(reason).length > 123) {
        throw new DOMException("The reason is longer than 123 bytes.", "SyntaxError");
      }
      if (this.#state === ShimmedWebSocket.CONNECTING) {
        this.#state = ShimmedWebSocket.CLOSING; // once it is open, it is closed
      } else if (this.#state === ShimmedWebSocket.OPEN) {
        this.#state = ShimmedWebSocket.CLOSING;
        this.#close(code, String(reason));
      }
    }

    async #open(offered) {
      try {
        const headers = offered.length ? { ...HEADERS, "X-Websocket-Shim-Protocols": offered.join(", ") } : HEADERS;
        const answer = await post("open", this.#url, headers);
        if (!answer.ok) {
          throw new Error(`the WebSocket was refused: ${answer.status}`);
        }
        const opened = await answer.json();
        this.#id = opened.id;
        this.#protocol = opened.s || "";
      } catch {
        this.#lose();
        return;
      }
      if (this.#state !== ShimmedWebSocket.CONNECTING) {
        await post("close", JSON.stringify({ id: this.#id })).catch(() => {});
        this.#lose();
        return;
      }
      this.#state = ShimmedWebSocket.OPEN;
      this.dispatchEvent(new Event("open"));
      this.#poll();
    }

    async #poll() {
      try {
        while (this.#state === ShimmedWebSocket.OPEN) {
          const answer = await post("poll", JSON.stringify({ id: this.#id }));
          if (answer.status === 200) {
            for (const message of await answer.json()) {
              this.#receive(message);
              await nextTask();
            }
          } else if (answer.status === 400) {
            const { code, reason } = await answer.json();
            if (this.#state === ShimmedWebSocket.OPEN) {
              this.#end(code, reason, code !== 1006);
            }
          } else if (answer.status !== 408) {
            throw new Error(`a poll was refused: ${answer.status}`);
          }
        }
      } catch {
        if (this.#state === ShimmedWebSocket.OPEN) {
          this.#lose();
        }
      }
    }

    #receive(message) {
      if (this.#state !== ShimmedWebSocket.OPEN) {
        return;
      }
      let data = message;
      if (Array.isArray(message)) {
        const bytes = fromBase64(message[0]);
        data = this.#binaryType === "blob" ? new Blob([bytes]) : bytes.buffer;
      }
      this.dispatchEvent(new MessageEvent("message", { data, origin: new URL(this.#url).origin }));
    }

    async #send() {
      try {
        while (this.#waiting.length) {
          const batch = [];
          let size = 0;
          while (this.#waiting.length && size < BATCH_CHARACTERS) {
            const message = this.#waiting.shift();
            batch.push({ id: this.#id, msg: await message.packed });
            size += message.size;
          }
          const answer = await post("data", JSON.stringify(batch));
          if (!answer.ok) {
            throw new Error(`messages were refused: ${answer.status}`);
          }
          this.#buffered -= size;
        }
      } catch {
        // Where JupyterLab has closed, the poll says how. Else what was sent is lost.
        setTimeout(() => this.#lose(), 1000);
      } finally {
        this.#sending = null;
      }
    }

    async #close(code = 1000, reason = "") {
      await this.#sending;
      const body = JSON.stringify({ id: this.#id, code, reason });
      const closed = await post("close", body).then((answer) => answer.ok, () => false);
      this.#end(closed ? code : 1006, closed ? reason : "", closed);
    }

    #lose() {
      if (this.#state !== ShimmedWebSocket.CLOSED) {
        this.#state = ShimmedWebSocket.CLOSED;
        this.dispatchEvent(new Event("error"));
        this.dispatchEvent(new CloseEvent("close", { code: 1006, reason: "", wasClean: false }));
      }
    }

    #end(code, reason, wasClean) {
      if (this.#state !== ShimmedWebSocket.CLOSED) {
        this.#state = ShimmedWebSocket.CLOSED;
        this.dispatchEvent(new CloseEvent("close", { code, reason, wasClean }));
      }
    }
  }

  function parse(url) {
    let parsed;
    try {
      parsed = new URL(url, location.href);
    } catch {
      throw new DOMException(`'${url}' is no URL.`, "SyntaxError");
    }
    parsed.hash = "";
    if (parsed.protocol === "http:" || parsed.protocol === "https:") {
      parsed.protocol = parsed.protocol.replace("http", "ws");
    }
    if (parsed.protocol !== "ws:" && parsed.protocol !== "wss:") {
      throw new DOMException(`'${url}' is no URL of a WebSocket.`, "SyntaxError");
    }
    return parsed;
  }

  function pack(data) {
    if (data instanceof Blob) {
      const packed = data.arrayBuffer().then((buffer) => [toBase64(new Uint8Array(buffer))]);
      packed.catch(() => {}); // whoever sends it sees that
      return { size: data.size, packed };
    }
    if (data instanceof ArrayBuffer || ArrayBuffer.isView(data)) {
      const bytes = bytesOf(data);
      return { size: bytes.length, packed: [toBase64(bytes)] };
    }
    const text = String(data);
    return { size: new TextEncoder().encode(text).length, packed: text };
  }

  for (const name of ["CONNECTING", "OPEN", "CLOSING", "CLOSED"]) {
    Object.defineProperty(ShimmedWebSocket.prototype, name, { value: ShimmedWebSocket[name] });
  }
  window.WebSocket = ShimmedWebSocket;
})();
