// Citations jump to their card, and an answer can be copied with its sources.
// One listener on the document: messages and cards come and go.
(() => {
  const reveal = (card) => {
    for (let box = card.closest("details"); box; box = box.parentElement.closest("details")) {
      box.open = true;
    }
    card.querySelector("details")?.setAttribute("open", "");
    document.querySelectorAll(".aqa-card.aqa-target").forEach((old) => old.classList.remove("aqa-target"));
    card.classList.add("aqa-target");
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    card.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "nearest" });
    card.focus({ preventScroll: true });
  };

  const write = async (text) => {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    // Pages served over plain http to another machine have no clipboard object.
    const area = Object.assign(document.createElement("textarea"), { value: text });
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  };

  const withSources = (answer) => {
    const lines = [answer.querySelector(".aqa-text").innerText.trim(), ""];
    const seen = new Set();
    for (const link of answer.querySelectorAll("a.aqa-cite")) {
      const target = link.getAttribute("href");
      if (seen.has(target)) continue;
      seen.add(target);
      lines.push(`${link.innerText} ${link.title.replace(/^Source \d+: /, "")}`);
    }
    return lines.join("\n").trim();
  };

  // Gradio labels each message with its raw HTML, which screen readers would read out.
  new MutationObserver(() => {
    document.querySelectorAll('#aqa-chat [aria-label*="message: "]').forEach((message) => {
      message.removeAttribute("aria-label");
    });
  }).observe(document, { subtree: true, childList: true, attributeFilter: ["aria-label"] });

  document.addEventListener("click", async (event) => {
    const link = event.target.closest?.('a[href*="#source-"], a[href*="#near-"]');
    if (link) {
      event.preventDefault();
      const card = document.getElementById(link.getAttribute("href").split("#").pop());
      if (card) reveal(card);
      return;
    }
    const button = event.target.closest?.(".aqa-copy");
    if (button) {
      await write(withSources(button.closest(".aqa-answer")));
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    }
  });
})();
