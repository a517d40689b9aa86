// The page at the door: the PIN pad writes into whichever field was used last.

const fields = document.querySelectorAll<HTMLInputElement>(".pad input");
let current: HTMLInputElement | undefined = fields[0];

for (const field of fields) field.addEventListener("focus", () => (current = field));

for (const button of document.querySelectorAll<HTMLButtonElement>(".pad [data-digit]")) {
  button.addEventListener("click", () => {
    const digit = button.dataset["digit"] ?? "";
    if (!current) return;
    current.value = digit ? current.value + digit : current.value.slice(0, -1);
    current.focus();
  });
}
