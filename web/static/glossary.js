// Shows what a term means while the pointer or the keyboard is on it; Escape hides it.
(() => {
  if (!("popover" in HTMLElement.prototype)) return; // the term is a link to the glossary anyway
  const EDGE = 8; // pixels kept free beside the box
  let box = null;
  let timer = 0;

  const hide = () => {
    clearTimeout(timer);
    box?.hidePopover();
    box = null;
  };
  const show = (term) => {
    hide();
    box = document.getElementById(term.getAttribute("aria-describedby"));
    box.showPopover();
    const lines = term.getClientRects(); // two, where the term is broken over the line's end
    const last = lines[lines.length - 1];
    const below = last.bottom + box.offsetHeight + EDGE <= document.documentElement.clientHeight;
    const line = below ? last : lines[0];
    const most = document.documentElement.clientWidth - box.offsetWidth - EDGE;
    box.style.left = `${scrollX + Math.max(EDGE, Math.min(line.left, most))}px`;
    box.style.top = `${scrollY + (below ? line.bottom : line.top - box.offsetHeight)}px`;
  };
  const leave = () => {
    const focused = document.activeElement;
    if (box && focused.matches("a.term:focus-visible")) show(focused);
    else hide();
  };
  const later = (action, milliseconds) => {
    clearTimeout(timer);
    timer = setTimeout(action, milliseconds);
  };
  const stayWhilePointed = (element) => {
    element.addEventListener("pointerenter", () => clearTimeout(timer));
    element.addEventListener("pointerleave", () => later(leave, 250));
  };

  for (const term of document.querySelectorAll("a.term")) {
    stayWhilePointed(term);
    term.addEventListener("pointerenter", (event) => {
      if (event.pointerType !== "touch") later(() => show(term), 120); // a tap follows the link
    });
    term.addEventListener("focus", () => term.matches(":focus-visible") && show(term));
    term.addEventListener("blur", hide);
  }
  document.querySelectorAll(".term-definition").forEach(stayWhilePointed);
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
})();
