// The page of search results: reads the query, shows what is found, answers to the keyboard.
"use strict";

(() => {
  const KINDS = {
    section: "Section", claim: "Claim", belief: "Wrong belief", quiz: "Quiz", term: "Term",
    function: "nllbook", assignment: "Assignment",
  };
  const AT_ONCE = 10;
  const SNIPPET = 220; // characters
  const PAUSE = 1000; // milliseconds without a key before the news is said aloud
  const TITLE = document.title;

  const container = document.querySelector(".bd-search-container");
  const form = container.querySelector("form");
  const input = form.querySelector("input");
  const status = container.querySelector(".search-status");
  const list = container.querySelector(".search-results");
  const more = container.querySelector(".search-more");
  const search = new BookSearch.Search(bookIndex);
  let results = [];
  let telling;

  // Texts enter the page as text alone, never as HTML.
  function element(name, className, ...content) {
    const made = document.createElement(name);
    if (className) made.className = className;
    made.append(...content);
    return made;
  }

  // "Section 3.6", "Claim" and "Proposition 3.7", "Exercise 3.2", "Page".
  function kind({ kind, number = "", in: outer }) {
    if (kind === "claim") return [KINDS.claim, number];
    if (kind !== "section") return [KINDS[kind] ?? number, ""];
    if (outer === undefined) return [number ? `Chapter ${number}` : "Page", ""];
    return [`${KINDS.section} ${number}`.trim(), ""];
  }

  function item({ entry, terms }) {
    const link = element("a", "", entry.title);
    link.href = entry.url;
    const [what, number] = kind(entry);
    const places = search.trail(entry).map(({ title }) => title);
    const made = element("li", "",
      element("p", "search-title", link),
      element("p", "search-trail", element("span", "search-kind", what), " ",
        [number, places.join(" › ")].filter(Boolean).join(" · ")));
    if (entry.text) {
      const pieces = search.marked(entry.text, terms, SNIPPET);
      made.append(element("p", "search-snippet",
        ...pieces.map(([words, wanted]) => (wanted ? element("mark", "", words) : words))));
    }
    return made;
  }

  function show(count) {
    const shown = list.children.length;
    list.append(...results.slice(shown, shown + count).map(item));
    more.hidden = list.children.length === results.length;
  }

  // How many are shown, and which words are of no use: while someone types, once they pause, since
  // a screen reader says it aloud.
  function report(query, typing) {
    const count = list.children.length;
    const missing = search.missing(query).map((word) => `“${word}”`).join(", ");
    const said = [
      !count && `Nothing found for “${query}”. Try other words, or fewer: the name of a ` +
        "loss, a distribution or a function, or the question as you would ask it.",
      count && `${count < AT_ONCE ? "" : "The best "}${count} result${count > 1 ? "s" : ""}.`,
      count && missing && `Not in the book’s text: ${missing}.`,
    ];
    clearTimeout(telling);
    const tell = () => { status.textContent = query && said.filter(Boolean).join(" "); };
    if (!typing) return tell();
    status.textContent = "";
    telling = setTimeout(tell, PAUSE);
  }

  function run(query, typing) {
    document.title = query ? `${query} — ${TITLE}` : TITLE;
    list.replaceChildren();
    results = query ? search.find(query) : [];
    show(AT_ONCE);
    report(query, typing);
  }

  function submit(query, typing) {
    const address = new URL(location.href);
    address.search = query ? new URLSearchParams({ q: query }) : "";
    address.hash = "";
    history.replaceState(null, "", address);
    run(query, typing);
  }

  let waiting;
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => submit(input.value.trim(), true), 200);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(waiting);
    submit(input.value.trim());
  });
  more.addEventListener("click", () => {
    const next = list.children.length;
    show(AT_ONCE);
    report(input.value.trim());
    list.children[next].querySelector("a").focus();
  });
  container.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const stops = [input, ...list.querySelectorAll("a")];
    const at = stops.indexOf(document.activeElement === status ? input : document.activeElement);
    if (!step || at < 0 || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const next = stops[at + step];
    if (next) {
      event.preventDefault();
      next.focus();
    }
  });

  input.value = new URLSearchParams(location.search).get("q") ?? "";
  run(input.value.trim());
  // Who comes with a query hears what was found, and has the first result at the next Tab.
  (input.value.trim() ? status : input).focus();
})();
