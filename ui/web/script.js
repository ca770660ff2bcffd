// Citations jump to the sentence they stand for, an answer can be copied with its sources, and the
// chat stops at the question. One listener on the document: messages and cards come and go.
(() => {
  let followed; // the citation that was followed last

  // `name` is "source-<turn>-<number>" or that and "-<start of the sentence>".
  const reveal = (name) => {
    const card = document.getElementById(name.split("-").slice(0, 3).join("-"));
    if (!card) return;
    const mark = card.querySelector(`mark[id="${name}"]`);
    for (let box = card.closest("details"); box; box = box.parentElement.closest("details")) {
      box.open = true;
    }
    card.querySelector("details").open = true;
    document.querySelectorAll(".aqa-target").forEach((old) => old.classList.remove("aqa-target"));
    card.classList.add("aqa-target");
    mark?.classList.add("aqa-target");
    const room = Math.min(innerHeight, document.getElementById("aqa-side").clientHeight) - 32;
    const depth = mark ? mark.getBoundingClientRect().bottom - card.getBoundingClientRect().top : 0;
    const [shown, block] = depth > room ? [mark, "center"]
      : [card, card.offsetHeight > room ? "start" : "nearest"];
    shown.scrollIntoView({ block });
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
      if (seen.has(link.innerText)) continue;
      seen.add(link.innerText);
      lines.push(`${link.innerText} ${link.title.replace(/^Source \d+: /, "")}`);
    }
    return lines.join("\n").trim();
  };

  let writing = false;
  let opened = false;
  new MutationObserver(() => {
    const chat = document.getElementById("aqa-chat");
    const box = document.querySelector("#aqa-question textarea");
    if (!chat || !box) return;
    // Once, and not where it would open a keyboard; Gradio's autofocus does it at every answer.
    if (!opened && matchMedia("(min-width: 900px)").matches) box.focus();
    opened = true;
    // Gradio labels each message with its raw HTML, which screen readers would read out.
    chat.querySelectorAll('[aria-label*="message: "]').forEach((message) => {
      message.removeAttribute("aria-label");
    });
    // While an answer is written its question moves up to the top, and stays there.
    const wrote = writing;
    const last = [...chat.querySelectorAll(".message-row")].at(-1);
    writing = Boolean(last) && !last.querySelector(".aqa-answer:not(.aqa-partial), .aqa-problem");
    chat.querySelector('[role="log"]')?.setAttribute("aria-busy", writing);
    if (writing && !wrote) document.getElementById("aqa-side").scrollTop = 0;
    if (writing || wrote) [...chat.querySelectorAll(".user-row")].at(-1)?.scrollIntoView();
  }).observe(document, { subtree: true, childList: true, attributeFilter: ["aria-label"] });

  document.addEventListener("click", async (event) => {
    const link = event.target.closest?.('a[href*="#source-"], a[href*="#near-"]');
    if (link) {
      event.preventDefault();
      followed = link;
      reveal(link.getAttribute("href").split("#").pop());
      return;
    }
    if (event.target.closest?.(".aqa-back")) {
      followed.scrollIntoView({ block: "center" });
      followed.focus({ preventScroll: true });
      return;
    }
    const box = document.querySelector("#aqa-question textarea");
    if (event.target.closest?.("#aqa-new") || (event.target.closest?.(".submit-button") && !box.value.trim())) {
      box.focus();
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
