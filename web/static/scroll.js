// Gives the keyboard a way into what is wider than its box, and a screen reader its name.
// Only while it is: what fits is no stop on the way. An edge that fades says that more follows.
// And shows in the contents beside the text where the reader is.
// Without this script all can still be read.
(() => {
  "use strict";
  const BOXES = ".katex-display, pre, .pst-scrollable-table-container, .output, p:has(.katex)";

  const name = (box) => {
    if (box.matches(".katex-display")) return "Formula";
    if (box.matches("pre, .output")) return box.closest(".cell_output") ? "Output" : "Code";
    return box.matches("p") ? "Text" : "Table";
  };

  const more = ({ target: box }) =>
    box.toggleAttribute("data-more", box.scrollWidth - box.clientWidth - box.scrollLeft > 2);

  const mark = ({ box, scrolls, follows }) => {
    box.toggleAttribute("data-more", follows);
    if (scrolls) {
      box.tabIndex = 0;
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", `${name(box)}, scrolls sideways`);
    } else if (box.getAttribute("role") === "group") {
      for (const what of ["tabindex", "role", "aria-label"]) box.removeAttribute(what);
    }
  };

  // All is measured before anything is changed: between the two the browser would lay out the page
  // anew for each box.
  const look = (boxes) => boxes.map((box) => {
    const over = box.scrollWidth - box.clientWidth;
    const scrolls = over > 0 && /auto|scroll/.test(getComputedStyle(box).overflowX);
    return { box, scrolls, follows: over - box.scrollLeft > 2 };
  }).forEach(mark);

  const start = () => {
    const boxes = [...document.querySelectorAll(BOXES)].filter((box) => box.closest("article"));
    const sizes = new ResizeObserver((changes) => look(changes.map(({ target }) => target)));
    boxes.forEach((box) => box.addEventListener("scroll", more, { passive: true }));
    boxes.forEach((box) => sizes.observe(box)); // when it is drawn, also when a fold opens
    // What a reader's own spacing makes wider makes the whole longer; fonts change what is in a box.
    // Not while draw.js is at work: to measure what it has left out would draw it all at once.
    const all = () => { if (!("drawing" in document.documentElement.dataset)) look(boxes); };
    new ResizeObserver(all).observe(document.querySelector("main"));
    document.fonts.ready.then(all);
    addEventListener("drawn", all);

    // Where the reader is: in the sections on this line, a quarter down, but below the bar.
    const links = new Map([...document.querySelectorAll(".page-toc a[href^='#']")]
      .map((link) => [document.getElementById(link.hash.slice(1)), link]));
    const down = Math.min(60, Math.max(25, 10_000 / innerHeight));
    const line = { rootMargin: `-${down}% 0px -${99.9 - down}% 0px` };
    const place = new IntersectionObserver((changes) => changes.forEach(({ target, isIntersecting }) => {
      const link = links.get(target);
      link.classList.toggle("active", isIntersecting);
      link.parentElement.classList.toggle("active", isIntersecting);
    }), line);
    links.delete(null);
    for (const section of links.keys()) place.observe(section);
  };

  // What the theme and bootstrap do for the same ends when the page has loaded, they do by laying it
  // out anew for each box and each section: seconds on a phone. Their scripts follow in this file,
  // and until its end nothing of the page can ask for that event.
  window.addEventListener = (type, ...rest) => {
    if (type !== "load") EventTarget.prototype.addEventListener.call(window, type, ...rest);
  };
  queueMicrotask(() => { delete window.addEventListener; });

  if (document.readyState === "loading") addEventListener("DOMContentLoaded", start);
  else start();
})();
