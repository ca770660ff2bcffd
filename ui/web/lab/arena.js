// A marker in an arena answer leads to the source below it, in the same answer.
(() => {
  document.addEventListener("click", (event) => {
    const text = event.target.closest?.(".aqa-arena-text");
    if (!text) return;
    const link = event.target.closest("a.aqa-chat-cite");
    const mark = event.target.closest("button.aqa-chat-mark");
    if (!link && !mark) return;
    event.preventDefault();
    event.stopPropagation();
    if (mark) {
      const check = document.getElementById(mark.getAttribute("aria-controls"));
      check.hidden = !check.hidden;
      mark.setAttribute("aria-expanded", !check.hidden);
      return;
    }
    const name = decodeURIComponent(link.hash.slice(1));
    // A quote that stands in the text is not repeated below it: its paper is.
    const cited = document.getElementById(name) ?? document.getElementById(name.replace(/-\d+$/, ""));
    const source = cited?.closest("li");
    if (!source) return;
    document.querySelectorAll(".aqa-arena-target").forEach((old) => old.classList.remove("aqa-arena-target"));
    source.classList.add("aqa-arena-target");
    source.scrollIntoView({ block: "nearest" });
    source.focus({ preventScroll: true });
  }, true);
})();
