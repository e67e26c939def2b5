// Runs in every HTML page of a person's host. Tells the agent that the person does something there, and warns them
// before their JupyterLab is stopped for being unused, and when their sign-in has ended. Needs nothing of the page, which
// may be JupyterLab or any other.
"use strict";
(() => {
  if (self.origin === "null") return; // a page in a sandbox is let ask for nothing

  const SECOND = 1000;
  const POLL = 60 * SECOND;
  const POLL_HIDDEN = 5 * POLL;
  const POLL_NEAR_END = 10 * SECOND;
  const TELL_AT_MOST_EVERY = 60 * SECOND;
  const FAILURES_THAT_MEAN_GONE = 2;

  const base = document.currentScript.src;
  const inFrame = window.top !== window;

  let told = -Infinity;
  let asked = -Infinity;
  let failures = 0;
  let warnAt = Infinity; // by this browser's clock, which may be wrong: only differences of the agent's are used
  let stopAt = Infinity;
  let dismissed = false;
  let timer;

  // --- asking and telling ---

  async function send(method, what) {
    asked = Date.now();
    try {
      const answer = await fetch(new URL(what, base), { method, cache: "no-store", redirect: "manual" });
      // Identity-Aware Proxy leads elsewhere.
      if (answer.status === 401 || answer.type === "opaqueredirect") throw new SignedOut();
      if (!answer.ok) throw new Refused();
      apply(await answer.json());
    } catch (error) {
      failures += 1;
      if (error instanceof SignedOut) show(SIGNED_OUT);
      else if (Date.now() >= stopAt) show(STOPPED);
      else if (error instanceof Refused && failures >= FAILURES_THAT_MEAN_GONE) show(GONE);
    }
    schedule();
  }

  class Refused extends Error {}
  class SignedOut extends Error {}

  function apply(state) {
    const here = (time) => (time === null ? Infinity : Date.now() + Date.parse(time) - Date.parse(state.now));
    failures = 0;
    warnAt = here(state.warnAt);
    stopAt = here(state.idleAt);
    if (Date.now() < warnAt) {
      dismissed = false;
      hide();
    } else if (!dismissed) {
      show(WARNING);
    }
  }

  const keep = () => {
    told = Date.now();
    return send("POST", "keep");
  };

  function onInput(event) {
    const ours = event.composedPath().includes(host);
    if (!event.isTrusted || ours) return;
    if (Date.now() - told >= (Date.now() < warnAt ? TELL_AT_MOST_EVERY : SECOND)) keep();
  }

  // --- when to ask ---

  function pollEvery() {
    if (document.hidden) return POLL_HIDDEN;
    if (failures > 0) return Math.min(failures * POLL_NEAR_END, POLL);
    return Date.now() >= warnAt ? POLL_NEAR_END : POLL;
  }

  function pollAt() {
    const regular = asked + pollEvery();
    // A warning that falls due between two polls: ask then whether it still is.
    return asked < warnAt ? Math.min(regular, Math.max(warnAt, asked + SECOND)) : regular;
  }

  function schedule() {
    clearTimeout(timer);
    if (inFrame) return; // the page around it asks
    const wait = Math.max(0, pollAt() - Date.now());
    timer = setTimeout(tick, shown === WARNING ? Math.min(SECOND, wait) : wait);
  }

  function tick() {
    if (shown === WARNING) countDown();
    if (Date.now() >= pollAt()) send("GET", "state");
    else schedule();
  }

  // --- what the person sees ---

  const WARNING = {
    role: "alertdialog",
    title: "JupyterLab stops in ",
    text: "It has not been used for a while. Saved files are kept; kernels and terminals end, with what they hold in memory.",
  };
  const STOPPED = {
    role: "alert",
    title: "JupyterLab was stopped",
    text: "It had not been used for a while. Saved files are kept.",
    link: "Open it again",
  };
  const SIGNED_OUT = {
    role: "alert",
    title: "Your sign-in has ended",
    text: "Nothing is lost, but nothing can be saved until you sign in again. Do that in another tab, then go on in this one.",
    link: "Sign in",
  };
  const GONE = {
    role: "alert",
    title: "JupyterLab is not there",
    text: "It was stopped or is being started again. Saved files are kept.",
    link: "Open it again",
  };

  const host = document.createElement("kupyterhub-keeping");
  const make = (name, properties, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  };
  const timeLeft = make("span", { role: "timer", ariaLive: "off" });
  const title = make("h2", { id: "title" });
  const text = make("p", { id: "text" });
  const button = make("button", { type: "button", textContent: "Keep it running", onclick: keep });
  const link = make("a", {});
  const card = make("section", {}, title, text, button, link);
  card.setAttribute("aria-labelledby", "title");
  card.setAttribute("aria-describedby", "text");
  // In a shadow root, so that neither the page's style nor ours reaches the other.
  host.attachShadow({ mode: "open" }).append(
    make("link", { rel: "stylesheet", href: new URL("style.css", base).href }),
    card,
  );
  host.hidden = true;

  let shown = null;
  let focusedBefore = null;

  function show(what) {
    if (shown === what) return;
    shown = what;
    card.role = what.role;
    title.replaceChildren(what.title, ...(what === WARNING ? [timeLeft] : []));
    text.textContent = what.text;
    button.hidden = what !== WARNING;
    link.hidden = what === WARNING;
    link.textContent = what.link;
    link.href = what === SIGNED_OUT ? new URL("back", base).href : location.href;
    link.target = what === SIGNED_OUT ? "_blank" : "";
    host.hidden = false;
    if (what !== WARNING) return;
    countDown();
    // Who had typed a moment ago would not be warned; a key pressed now keeps it running.
    if (document.hasFocus()) {
      focusedBefore = document.activeElement;
      button.focus({ preventScroll: true });
    }
  }

  function hide() {
    if (shown === null) return;
    const focused = document.activeElement === host;
    shown = null;
    host.hidden = true;
    if (focused) focusedBefore?.focus({ preventScroll: true });
  }

  function countDown() {
    const seconds = Math.max(0, Math.ceil((stopAt - Date.now()) / SECOND));
    timeLeft.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  }

  // --- begin ---

  for (const kind of ["keydown", "pointerdown", "wheel", "input"]) {
    addEventListener(kind, onInput, { capture: true, passive: true });
  }
  if (inFrame) return;
  document.body.append(host);
  host.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && shown === WARNING) {
      dismissed = true;
      hide();
    }
  });
  document.addEventListener("visibilitychange", () => document.hidden || send("GET", "state"));
  send("GET", "state");
})();
