// Gives the keyboard a way into what is wider than its box, and a screen reader its name.
// Only while it is: what fits is no stop on the way. An edge that fades says that more follows.
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

  const look = (box) => {
    const scrolls = /auto|scroll/.test(getComputedStyle(box).overflowX);
    more({ target: box });
    if (scrolls && box.scrollWidth > box.clientWidth) {
      box.tabIndex = 0; // the theme's script knows some of these boxes, and names none
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", `${name(box)}, scrolls sideways`);
    } else if (box.getAttribute("role") === "group") {
      for (const what of ["tabindex", "role", "aria-label"]) box.removeAttribute(what);
    }
  };

  const start = () => {
    const boxes = [...document.querySelectorAll(BOXES)].filter((box) => box.closest("article"));
    const sizes = new ResizeObserver((changes) => changes.forEach(({ target }) => look(target)));
    boxes.forEach((box) => box.addEventListener("scroll", more, { passive: true }));
    boxes.forEach((box) => sizes.observe(box)); // also when a fold opens; calls back at once
    // What a reader's own spacing makes wider makes the whole longer.
    new ResizeObserver(() => boxes.forEach(look)).observe(document.querySelector("main"));
    document.fonts.ready.then(() => boxes.forEach(look)); // they change what is in a box
  };

  if (document.readyState === "loading") addEventListener("DOMContentLoaded", start);
  else start();
})();
