// What readers by keyboard or by ear need and only a script can give: buttons that
// say what they do, news aloud.
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

  document.addEventListener("click", ({ target }) => {
    const colours = target.closest(".theme-switch-button");
    if (colours) say(colours.innerText);
    const copy = target.closest(".copybtn");
    if (copy) setTimeout(() => say(copy.dataset.tooltip)); // "Copied!", or why not
    // Whoever follows a link to a place on the page wants to be there, not in the drawer.
    if (target.closest("dialog a[href^='#']")) target.closest("dialog").close();
  });

  // What a button says beside the pointer goes with the pointer, though the focus stays.
  for (const button of document.querySelectorAll("[data-bs-toggle='tooltip']")) {
    button.addEventListener("mouseleave", () =>
      button.dispatchEvent(new FocusEvent("focusout", { bubbles: true })));
  }

  // Seventy buttons of one name are none: each says what it copies. They come with the page.
  const label = () => {
    for (const button of document.querySelectorAll("button.copybtn")) {
      const code = button.parentElement.querySelector("pre").textContent.trim();
      button.setAttribute("aria-label", `Copy to clipboard: ${code.split("\n")[0]}`);
    }
  };
  setTimeout(label);

  // On a wide page the button shows and hides the chapters beside the text, on a narrow one the
  // theme opens them as a drawer.
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
    toggle.addEventListener("click", (event) => {
      if (!wide.matches) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      chapters.classList.toggle("pst-sidebar-hidden");
      tell();
    }, true);
    wide.addEventListener("change", tell);
    tell();
  }

  // The bar at the top has a shadow as soon as something lies under it.
  const top = document.querySelector(".sbt-scroll-pixel-helper");
  const under = ([{ isIntersecting }]) => document.body.classList.toggle("scrolled", !isIntersecting);
  if (top) new IntersectionObserver(under).observe(top);
})();
