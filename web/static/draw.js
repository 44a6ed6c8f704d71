// Draws a long page in pieces, what is on the screen first, so that a phone answers meanwhile: the
// style sheet lets the browser leave out blocks that are out of sight and not yet `.drawn`. Here,
// whenever the browser has time, the next few are drawn for good. To leave them out until a reader
// comes near would be less work still, but Chromium then keeps them from screen readers.
(() => {
  "use strict";
  const TIME = 6; // ms at a time; a phone needs four times as long
  const page = document.documentElement;
  const soon = window.requestIdleCallback ?? ((call) => setTimeout(call, 30));

  // What a jump has brought into view: a word that was looked for, what has the focus, or the text.
  const place = () => {
    const { focusNode } = getSelection();
    const chosen = [focusNode?.nodeType === Node.TEXT_NODE ? focusNode.parentElement : focusNode,
      document.activeElement];
    const seen = (e) => {
      const { top, bottom } = e.getBoundingClientRect();
      return top < innerHeight && bottom > 0;
    };
    return chosen.find((e) => e && e !== document.body && seen(e))
      ?? document.elementFromPoint(innerWidth / 2, 90) ?? page;
  };

  // The page grows, and stays where the reader is.
  const finish = () => {
    if (!("drawing" in page.dataset)) return;
    const here = place();
    const { top } = here.getBoundingClientRect();
    delete page.dataset.drawing;
    if (scrollY) scrollBy(0, here.getBoundingClientRect().top - top);
    dispatchEvent(new Event("drawn"));
  };

  const start = () => {
    const blocks = document.querySelectorAll(".bd-article section section > :not(section)");
    let next = 0;
    const piece = () => {
      const began = performance.now();
      while (next < blocks.length && performance.now() - began < TIME) {
        blocks[next].classList.add("drawn");
        next += 1;
        page.offsetHeight; // lays it out now, so that the time tells
      }
      if (next === blocks.length) finish();
      else if ("drawing" in page.dataset) soon(piece, { timeout: 300 });
    };
    piece();
  };

  if (!("drawing" in page.dataset)) return; // into the middle of a page: all of it is drawn at once
  for (const what of ["scroll", "keydown"]) addEventListener(what, finish, { once: true }); // so here
  if (document.readyState === "complete") start();
  else addEventListener("load", () => soon(start, { timeout: 300 }));
})();
