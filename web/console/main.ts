// The console: htmx with server-sent events, the session's token on every write, and a way
// to copy what has to be sent on.

import "htmx.org/dist/htmx.esm.js";
import "htmx.org/dist/ext/hx-sse.js";

const token = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? "";

interface RequestEvent extends Event {
  readonly detail: { readonly ctx: { readonly request: { headers: Record<string, string> } } };
}

document.addEventListener("htmx:config:request", (event) => {
  (event as RequestEvent).detail.ctx.request.headers["X-CSRF-Token"] = token;
});

// <button data-copy="#id">: copies the text of that element.
document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-copy]") : null;
  const source = button && document.querySelector(button.getAttribute("data-copy") ?? "");
  if (!source) return;
  void navigator.clipboard.writeText(source.textContent.trim()).then(() => {
    button.classList.add("done");
  });
});
