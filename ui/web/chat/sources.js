// The source cards: one turn's are seen, and a citation leads to the sentence it stands for.
window.aqaChat = window.aqaChat || {};
(() => {
  let followed = null; // what led to a card last
  const narrow = () => matchMedia("(max-width: 899px)").matches;
  const side = () => document.getElementById("aqa-chat-side");
  const smooth = () => (matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth");

  const show = (turn) => {
    const panel = document.getElementById("aqa-chat-sources");
    const sections = [...panel.querySelectorAll(".aqa-chat-sections > section")];
    const seen = sections.find((section) => section.dataset.turn === turn) || sections.at(-1);
    sections.forEach((section) => { section.hidden = section !== seen; });
    panel.querySelector(".aqa-chat-panel-head + .aqa-chat-none").hidden = Boolean(seen);
    const question = seen && seen !== sections.at(-1)
      && document.getElementById(`aqa-asked-${seen.dataset.turn}`)?.innerText;
    panel.querySelector("h2").textContent = question ? `Sources of “${question}”` : "Sources";
    const count = seen ? seen.querySelectorAll(".aqa-chat-card").length : 0;
    const opener = document.querySelector(".aqa-chat-show-sources");
    if (opener) opener.textContent = count ? `Sources (${count})` : "Sources";
  };

  aqaChat.sources = (element, props, trigger, watch) => {
    const list = element.querySelector(".aqa-chat-sections");
    const render = () => {
      const value = props.value;
      if (!value || !value.order) return;
      const order = value.html[value.show] === undefined || value.order.includes(value.show)
        ? value.order : [...value.order, value.show];
      aqaChat.patchList(list, order, value.html,
        (id, html) => `<section data-turn="${id}" aria-label="Papers">${html}</section>`);
      const other = [...list.children].find((child) => !child.hidden)?.dataset.turn;
      show(value.show);
      if (other !== value.show) side().scrollTop = 0;
    };
    watch("value", render);
    render();
  };

  const openSheet = (from) => {
    followed = from;
    side().dataset.open = "true";
  };
  const closeSheet = () => { delete side().dataset.open; };

  aqaChat.openSources = (turn, from) => {
    if (turn) show(turn);
    openSheet(from);
    if (narrow()) document.querySelector("#aqa-chat-sources .aqa-chat-panel-head .aqa-chat-back").focus();
    else side().scrollTo({ top: 0, behavior: smooth() });
  };

  // Scrolls the panel alone, so that the answer stays where it is.
  const intoView = (shown) => {
    const box = side();
    const head = box.querySelector(".aqa-chat-panel-head").offsetHeight + 12;
    const [part, whole] = [shown.getBoundingClientRect(), box.getBoundingClientRect()];
    const room = box.clientHeight - head - 24;
    const offset = part.height > room || shown.matches(".aqa-chat-card") ? 0 : (room - part.height) / 3;
    box.scrollTop += part.top - whole.top - head - offset;
  };

  aqaChat.reveal = (link) => {
    const target = document.getElementById(link.getAttribute("href").slice(1))
      || document.getElementById(link.getAttribute("href").slice(1).replace(/-\d+$/, ""));
    if (!target) return;
    const card = target.closest(".aqa-chat-card");
    show(link.dataset.turn);
    openSheet(link);
    card.querySelector("details").open = true;
    document.querySelectorAll(".aqa-chat-target").forEach((old) => old.classList.remove("aqa-chat-target"));
    card.classList.add("aqa-chat-target");
    target.classList.add("aqa-chat-target");
    const fits = target.getBoundingClientRect().bottom - card.getBoundingClientRect().top
      < side().clientHeight - 80;
    intoView(fits ? card : target);
    card.focus({ preventScroll: true });
  };

  aqaChat.backToAnswer = () => {
    closeSheet();
    if (!followed?.isConnected) { document.querySelector("#aqa-question textarea")?.focus(); return; }
    followed.scrollIntoView({ block: "nearest" });
    followed.focus({ preventScroll: true });
  };

  document.addEventListener("click", (event) => {
    const at = event.target;
    if (at.closest?.(".aqa-chat-back")) aqaChat.backToAnswer();
    else if (at.closest?.(".aqa-chat-show-sources")) aqaChat.openSources("", at);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && (side()?.dataset.open && (narrow() || side().contains(event.target)))) {
      aqaChat.backToAnswer();
    }
  });
})();
