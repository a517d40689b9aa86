// Texts that leave the page by a button: copied, or saved as a file.

/** Copy the text of the element that `selector` names, and say so on the button. */
export function copyText(button: HTMLButtonElement, selector: string): void {
  const source = document.querySelector(selector);
  if (!source) return;
  void navigator.clipboard.writeText(source.textContent.trim()).then(
    () => {
      button.textContent = button.dataset.done ?? button.textContent;
      button.classList.add("done");
    },
    () => {
      // The browser did not allow it: select the text, so that the keyboard can copy it.
      window.getSelection()?.selectAllChildren(source);
    },
  );
}

/** Save the text of the element that `selector` names, without its buttons. */
export function saveText(selector: string, name: string): void {
  const source = document.querySelector(selector);
  if (!source) return;
  const lines = [...source.querySelectorAll("h2, dt, dd, p:not(.actions)")].map((line) =>
    line.textContent.trim(),
  );
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([lines.join("\r\n\r\n")], { type: "text/plain" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
