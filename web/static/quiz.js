// Remembers, in this browser alone, which quizzes were answered, and shows how many.
(() => {
  const KEY = "nllbook-quizzes"; // {id: TRIED, LATER or FIRST}
  const [TRIED, LATER, FIRST] = [0, 1, 2];
  const MARKS = ["", "✓ Answered", "✓ Answered at first try"];
  const all = (selector) => [...document.querySelectorAll(selector)];
  const make = (name, className) => Object.assign(document.createElement(name), { className });
  const lines = []; // writers
  let kept = {};
  const show = () => lines.forEach((line) => line());
  const read = () => {
    try {
      kept = { ...JSON.parse(localStorage.getItem(KEY)) };
    } catch {} // not ours
    show();
  };
  const mark = (id) => MARKS[kept[id] || TRIED];
  const count = (ids) => `${ids.filter((id) => kept[id]).length} of ${ids.length}`;

  const quizzes = all(".quiz");
  const idOf = (address) => address.split(/quiz-(.*)/)[1];
  const ids = quizzes.map(({ id }) => idOf(id));
  for (const quiz of quizzes) {
    const line = make("p", "quiz-state");
    quiz.append(line);
    lines.push(() => (line.textContent = `${mark(idOf(quiz.id))} ${count(ids)} in this chapter`));
  }
  for (const place of all(".quiz-count")) {
    const [listed, before] = [place.dataset.quizzes.split(" "), place.textContent];
    lines.push(() => {
      const done = count(listed);
      place.textContent = done[0] === "0" ? before : `${done} quizzes`;
    });
  }
  for (const link of all("main a[href*='#quiz-']")) {
    const place = make("span", "quiz-mark");
    link.after(" ", place);
    lines.push(() => (place.textContent = mark(idOf(link.hash))));
  }

  // The sum, and a way to clear it
  const note = all(".quiz-note")[0] ?? make("p", "quiz-note");
  quizzes.at(-1)?.append(note);
  const listed = note.dataset.quizzes?.split(" ") ?? ids;
  const [sum, button, status] = [make("span"), make("button"), make("p", "visually-hidden")];
  status.role = "status"; // read aloud, in a pause
  button.textContent = "Forget all chapters' answers";
  button.onclick = () => {
    localStorage.removeItem(KEY);
    read();
    status.textContent = "Forgotten.";
  };
  note.replaceChildren(sum, button);
  note.after(status);
  lines.push(() => {
    const first = listed.filter((id) => kept[id] === FIRST).length;
    sum.textContent =
      `${count(listed)} quizzes answered, ${first} at first try. Only this browser remembers them. `;
  });

  document.addEventListener("click", ({ target }) => {
    const option = target.closest(".quiz-option > summary")?.parentNode;
    if (!option || option.open) return; // closing
    const id = idOf(option.closest(".quiz").id);
    read(); // what other pages wrote
    if (kept[id]) return;
    const right = option.matches(".right");
    kept[id] = right ? (id in kept ? LATER : FIRST) : TRIED;
    try {
      localStorage.setItem(KEY, JSON.stringify(kept));
    } catch {} // full
    show();
    if (right) status.textContent = `${mark(id)}, ${count(ids)} in this chapter`;
  });
  addEventListener("pageshow", read);
  read();
})();
