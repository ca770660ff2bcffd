// The address names the tab that is shown, but for the chat: #/papers, #/compare, #/lab. Back leads to
// the one before. The tab of the papers adds to it what is looked at.
const aqaGo = (hash) => {
  if (hash === location.hash) return;
  history.pushState(history.state, "", location.pathname + location.search + hash);
};

(() => {
  const named = () => /^#\/(papers|compare|lab)/.exec(location.hash)?.[1].replace("papers", "corpus");
  const tab = (name) => document.getElementById(`aqa-${name}-tab-button`);

  document.addEventListener("click", ({ target }) => {
    const name = /^aqa-(\w+)-tab-button$/.exec(target.closest?.('[role="tab"]')?.id)?.[1];
    if (name && name !== "corpus") aqaGo(name === "chat" ? "" : `#/${name}`);
  }, true);
  addEventListener("popstate", () => {
    const shown = tab(named() ?? "chat");
    if (shown?.getAttribute("aria-selected") === "false") shown.click();
  });

  if (!named()) return;
  new MutationObserver((_, observer) => {
    const wanted = tab(named() ?? "chat");
    if (wanted?.getAttribute("aria-selected") === "true") observer.disconnect();
    else wanted?.click();
  }).observe(document, { subtree: true, childList: true, attributeFilter: ["aria-selected"] });
})();
