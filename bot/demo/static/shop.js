// "Copy link": the one thing this shop asks people to do.
for (const button of document.querySelectorAll("button[data-copy]")) {
  const label = button.textContent;
  button.addEventListener("click", async () => {
    button.textContent = (await copied(button.dataset.copy)) ? button.dataset.done : button.dataset.copy;
    setTimeout(() => { button.textContent = label; }, 2000);
  });
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Plain http outside this machine has no clipboard API: select, and copy the old way.
    const field = document.createElement("textarea");
    field.value = text;
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  }
}
