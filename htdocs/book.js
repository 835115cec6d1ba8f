// Shows the book on the desk, and sends the form as JSON instead of leaving the page. Without it the form still works.

const desk = document.querySelector("#desk");
const form = document.querySelector("#add");
const answer = document.querySelector("#answer");

/** Puts the book that the server names on the desk. */
async function showDesk() {
  const response = await fetch("/book");
  const book = await response.json();
  for (const place of desk.querySelectorAll("[data-field]")) {
    place.textContent = String(book[place.dataset.field] ?? "unknown");
  }
}

/** The form as the book that the API takes; a year is a number and may be missing. */
function readForm() {
  const { title, author, year } = Object.fromEntries(new FormData(form));
  return year === "" ? { title, author } : { title, author, year: Number(year) };
}

/** Shows the status and content of an answer, indented where it is JSON. */
async function showAnswer(response) {
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json");
  const shown = isJson ? JSON.stringify(JSON.parse(text), null, 2) : text;
  show(`${response.status} ${response.statusText}\n\n${shown}`, response.ok);
}

function show(text, isGood) {
  answer.hidden = false;
  answer.classList.toggle("failed", !isGood);
  answer.textContent = text;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const response = await fetch(form.action, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(readForm()),
    });
    await showAnswer(response);
    if (response.ok) form.reset();
  } catch {
    show("The server did not answer. Is it still running?", false);
  } finally {
    button.disabled = false;
  }
});

try {
  await showDesk();
} catch {
  desk.querySelector("[data-field=title]").textContent = "The desk is empty: the server did not say which book it is.";
}
