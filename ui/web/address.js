// Keep the shown tab in the address: #/papers, #/compare, #/lab, none for the chat. The browser's Back
// button returns to the previous tab. The Papers tab adds its view to the address.
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
