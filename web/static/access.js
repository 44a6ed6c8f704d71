// What readers by keyboard or by ear need and only a script can give: focus that stays, news aloud.
"use strict";

(() => {
  // Said aloud, once the page is at rest; not seen.
  const news = document.createElement("p");
  news.className = "visually-hidden";
  news.setAttribute("role", "status");
  document.body.append(news);
  const say = (words) => {
    news.textContent = "";
    setTimeout(() => { news.textContent = words; }, 150);
  };

  // The theme takes the focus off its buttons when they are used. Then the next Tab would start at
  // the top of the page, and a closed drawer would have nowhere to give the focus back to.
  const buttons = ".theme-switch-button, .search-button, .primary-toggle, .secondary-toggle";
  for (const button of document.querySelectorAll(buttons)) button.blur = () => {};

  document.addEventListener("click", ({ target }) => {
    const colours = target.closest(".theme-switch-button");
    if (colours) say(colours.innerText);
    const copy = target.closest(".copybtn");
    if (copy) setTimeout(() => say(copy.dataset.tooltip)); // "Copied!", or why not
    // Whoever follows a link to a place on the page wants to be there, not in the drawer.
    if (target.closest("dialog a[href^='#']")) target.closest("dialog").close();
  });

  // On a wide page the button shows and hides the chapters beside the text.
  const toggle = document.querySelector(".primary-toggle");
  const chapters = document.getElementById("pst-primary-sidebar");
  const wide = matchMedia("(min-width: 992px)"); // as in the theme
  const tell = () => {
    if (wide.matches) {
      toggle.removeAttribute("aria-haspopup");
      toggle.setAttribute("aria-expanded", !chapters.classList.contains("pst-sidebar-hidden"));
    } else {
      toggle.removeAttribute("aria-expanded");
      toggle.setAttribute("aria-haspopup", "dialog");
    }
  };
  if (toggle && chapters) {
    new MutationObserver(tell).observe(chapters, { attributeFilter: ["class"] });
    wide.addEventListener("change", tell);
    tell();
  }
})();
