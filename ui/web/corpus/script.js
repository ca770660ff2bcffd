// The Papers tab. The browser keeps the view (filters, page, open paper) and the chosen papers; the
// address has the view, too: #/papers/<id>?digest=…. Python replaces whole elements, so listeners
// are on the document.
(() => {
  const PLAIN = {
    words: "", exact: false, page: 1, digest: null, cluster: null,
    since: null, starred: false, unread: false, tag: null, paper: null,
  };
  let view = { ...PLAIN };
  let chosen = new Set();
  let sent = 0; // the number of the last requested view
  let newest = 0; // the number of the newest view that was drawn
  let focus; // the selector to focus after the next drawing
  let typed;
  let keep = "pushState"; // the history method for the next address
  let unfolded = false; // whether the map was opened on a narrow screen
  const narrow = matchMedia("(max-width: 899px)");

  const byId = (id) => document.getElementById(id);
  const papers = () => byId("aqa-corpus-papers");
  const overview = () => byId("aqa-corpus-overview");
  const words = () => byId("aqa-corpus-words");
  const exact = () => byId("aqa-corpus-exact");

  const send = (name, detail, from = papers().querySelector("[data-view], span")) => {
    const numbered = { view: { ...view, number: sent }, ...detail };
    from.dispatchEvent(new CustomEvent(`aqa_${name}`, { bubbles: true, detail: numbered }));
  };
  const show = (change) => {
    clearTimeout(typed);
    view = { ...view, page: 1, words: words().value, exact: Boolean(exact().value), ...change };
    sent += 1;
    send("show", { drawn: overview().querySelector("[data-drawn]")?.dataset.drawn });
  };
  // A button's filter, as [name, value]: "cluster=3" in data-aqa-only.
  const only = (button) => /^(\w+)=(.*)$/s.exec(button.dataset.aqaOnly).slice(1);
  const isOnly = (button) => String(view[only(button)[0]] ?? "") === only(button)[1];
  const mark = (ids, change, selector) => {
    focus = selector;
    send("mark", { ids, change });
  };

  // The address

  const addressed = () => {
    const [, paper, query] = /^#\/papers(?:\/([^?]*))?(?:\?(.*))?$/.exec(location.hash) ?? [];
    const found = { ...PLAIN, ...Object.fromEntries(new URLSearchParams(query)) };
    try {
      found.paper = paper ? decodeURIComponent(paper) : null;
    } catch { /* an invalid address opens the list */ }
    return found;
  };
  const address = (of) => {
    const rest = Object.keys(PLAIN).filter((name) => name !== "paper" && of[name] !== PLAIN[name]);
    const query = new URLSearchParams(rest.map((name) => [name, of[name]]));
    return `#/papers${of.paper ? `/${encodeURIComponent(of.paper)}` : ""}${rest.length ? `?${query}` : ""}`;
  };
  addEventListener("popstate", () => { // not "hashchange", which does not fire if the filters of the chat changed, too
    if (!location.hash.startsWith("#/papers")) return;
    if (!papers() || location.hash === address(view)) return;
    const wanted = addressed();
    const isPlain = wanted.paper && !location.hash.includes("?"); // a link to a paper keeps the filters
    if (view.paper && !wanted.paper) focus = `#aqa-corpus-papers [data-aqa-paper="${CSS.escape(view.paper)}"]`;
    if (wanted.paper) focus = "#aqa-corpus-title";
    keep = "replaceState";
    show(isPlain ? { paper: wanted.paper, page: view.page } : wanted);
  });

  // Drawing

  const markOverview = () => {
    const side = overview();
    const box = side?.querySelector("details");
    if (!box) return;
    box.open = unfolded || !narrow.matches;
    side.querySelectorAll("[data-aqa-map] > a").forEach((point) => {
      const { cluster, aqaPaper } = point.dataset;
      point.classList.toggle("aqa-corpus-dim", view.cluster !== null && Number(cluster) !== view.cluster);
      point.classList.toggle("aqa-corpus-here", aqaPaper !== undefined && aqaPaper === view.paper);
    });
  };
  const markChosen = () => {
    const boxes = [...(papers()?.querySelectorAll("[data-aqa-choose]") ?? [])];
    boxes.forEach((box) => { box.checked = chosen.has(box.dataset.aqaChoose); });
    const all = papers()?.querySelector("[data-aqa-choose-page]");
    if (all) all.checked = boxes.length > 0 && boxes.every((box) => box.checked);
    const bar = byId("aqa-corpus-chosen");
    bar.hidden = !chosen.size;
    const text = `${chosen.size} chosen`;
    if (bar.querySelector("span").textContent !== text) bar.querySelector("span").textContent = text;
  };
  let noted; // the id of the paper whose note is in the form
  const drawn = () => {
    // Gradio changes the form in place, so a field would keep what was typed for the last paper.
    const form = papers().querySelector(".aqa-corpus-note");
    if (form && form.dataset.paper !== noted) form.reset();
    noted = form?.dataset.paper;
    const given = papers().querySelector("[data-view]")?.dataset.view;
    const { number = sent, ...seen } = JSON.parse(given ?? "{}");
    if (number < newest) return show({ page: view.page }); // a response to an older view came late
    newest = number;
    if (number < sent) return; // a newer one will come
    if (given) {
      view = { ...PLAIN, ...seen };
      if (document.activeElement !== words()) words().value = view.words;
      exact().value = view.exact ? "1" : "";
      byId("aqa-corpus-since").value = /^\d/.test(view.since ?? "") ? view.since : "";
      const changed = address(view) !== location.hash && papers().offsetParent;
      if (changed) history[location.hash ? keep : "replaceState"](null, "", address(view));
    }
    keep = "pushState";
    document.querySelectorAll("[data-aqa-only][aria-pressed]").forEach((button) => {
      button.setAttribute("aria-pressed", isOnly(button));
    });
    markOverview();
    markChosen();
    const target = focus && document.querySelector(focus);
    focus = undefined;
    if (!target) return;
    target.focus({ preventScroll: true });
    target.scrollIntoView({ block: target.matches("h2") ? "center" : "nearest" });
    if (!target.matches(".aqa-corpus-note button")) return;
    aqaSay(target, "Saved");
  };
  let asked = false; // whether the first view was requested
  document.addEventListener("aqa-value", ({ target, detail }) => {
    if (detail?.text && target.closest("#aqa-corpus-download")) aqaSave(detail.name, detail.type, detail.text);
    target.querySelector(".aqa-corpus-wrong")?.scrollIntoView({ block: "nearest" });
    if (!target.closest("#aqa-corpus-main")) return;
    if (asked) drawn();
    else setTimeout(() => show(addressed()));
    asked = true;
  });

  // The start page: send it the day of the last visit, so that it can show what is new

  const lastVisit = () => {
    const today = new Date().toISOString().slice(0, 10);
    let kept = JSON.parse(localStorage.getItem("abstractqa-visits") ?? "{}");
    if (kept.today !== today) kept = { today, before: kept.today };
    localStorage.setItem("abstractqa-visits", JSON.stringify(kept));
    return kept.before;
  };
  const greet = () => {
    const page = document.querySelector("#aqa-chat-welcome .aqa-start");
    page?.dispatchEvent(new CustomEvent("aqa_start", { bubbles: true, detail: { since: lastVisit() } }));
  };
  document.addEventListener("aqa-value", ({ target }) => {
    if (target.closest("#aqa-chat-welcome")?.querySelector('[data-own="false"]')) setTimeout(greet);
  });

  // Choosing, marking, removing

  document.addEventListener("change", (event) => {
    const box = event.target;
    if (box.id === "aqa-corpus-since") return show({ since: box.value || null, paper: null });
    if (box.id === "aqa-corpus-exact") return show({ paper: null });
    if (!box.matches("[data-aqa-choose], [data-aqa-choose-page]")) return;
    const all = box.matches("[data-aqa-choose]") ? [box] : papers().querySelectorAll("[data-aqa-choose]");
    all.forEach(({ dataset }) => chosen[box.checked ? "add" : "delete"](dataset.aqaChoose));
    markChosen();
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.matches(".aqa-corpus-note")) return;
    event.preventDefault();
    const change = Object.fromEntries(new FormData(event.target));
    mark([event.target.dataset.paper], change, ".aqa-corpus-note button");
  });
  const remove = (ids) => {
    if (!confirm(`Remove ${ids.length} paper${ids.length === 1 ? "" : "s"} from the index?`)) return;
    chosen = new Set();
    if (ids.includes(view.paper)) view.paper = null;
    focus = "#aqa-corpus-notice button";
    markChosen();
    send("remove", { ids });
  };

  // The map: the arrow keys move from point to point, cluster by cluster

  const pointOf = (event) => event.target.closest?.("[data-aqa-map] a");
  const tell = (event) => {
    const point = pointOf(event);
    if (point) overview().querySelector(".aqa-corpus-tip").textContent = point.getAttribute("aria-label");
  };
  document.addEventListener("pointerover", tell);
  document.addEventListener("focusin", tell);
  document.addEventListener("keydown", (event) => {
    const point = pointOf(event);
    if (!point || !event.key.startsWith("Arrow")) return;
    event.preventDefault();
    const isOn = event.key === "ArrowRight" || event.key === "ArrowDown";
    const next = isOn ? point.nextElementSibling : point.previousElementSibling;
    if (!next?.matches("a")) return;
    point.setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
    next.focus({ preventScroll: true });
  });

  // Buttons

  // The papers of an action: the named one, the chosen ones, or undefined for all of the list.
  const meant = (paper, button) => {
    if (paper) return [paper];
    return button.closest("#aqa-corpus-chosen") ? [...chosen] : undefined;
  };
  const isPressed = (button) => button.getAttribute("aria-pressed") === "true";
  const pressed = {
    aqaPage: (page, button) => {
      const same = `[data-aqa-key="${button.dataset.aqaKey}"]`;
      focus = `#aqa-corpus-papers :is(${same}:not(:disabled), [data-aqa-key]:not(:disabled))`;
      show({ page: Number(page) });
      papers().scrollIntoView({ block: "start" });
    },
    aqaOnly: (_, button) => {
      const [what, value] = only(button);
      show({ [what]: isOnly(button) ? PLAIN[what] : value, paper: null });
    },
    aqaDrop: (what) => {
      focus = "#aqa-corpus-words";
      show({ [what]: PLAIN[what] });
    },
    aqaAll: () => {
      focus = "#aqa-corpus-words";
      show(PLAIN);
    },
    aqaBack: () => {
      focus = `#aqa-corpus-papers [data-aqa-paper="${CSS.escape(view.paper)}"]`;
      show({ paper: null, page: view.page });
    },
    aqaAsk: (paper, button) => send("ask", { ids: meant(paper, button) }),
    aqaSummary: (what, button) => {
      const narrowed = what === "change" ? { since: what } : { cluster: Number(what) };
      const of = what ? { view: narrowed } : { ids: meant("", button) };
      // Send from the start page: this tab may not have been opened yet.
      send("ask", { ...of, question: "What are these papers about?" }, button.closest(".aqa-start") ?? undefined);
    },
    aqaCompare: (_, button) => send("compare", { ids: meant("", button) }),
    aqaExport: (kind, button) => {
      button.closest("details").open = false;
      send("export", { ids: meant("", button), kind });
    },
    aqaStar: (id, button) => {
      mark([id], { starred: !isPressed(button) }, `#aqa-corpus-papers [data-aqa-star="${CSS.escape(id)}"]`);
    },
    aqaRead: (id, button) => mark([id], { read: !isPressed(button) }, "[data-aqa-read]"),
    aqaList: () => mark([...chosen], { starred: true }, "[data-aqa-list]"),
    aqaRemove: (paper, button) => remove(meant(paper, button)),
    aqaNone: () => {
      chosen = new Set();
      markChosen();
    },
    aqaUndo: () => {
      focus = view.paper ? "#aqa-corpus-title" : "#aqa-corpus-words";
      send("undo", {});
    },
    aqaSample: () => send("sample", {}),
    aqaCopy: (text, button) => aqaCopy(button, text),
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button");
    const isTab = button?.id === "aqa-corpus-tab-button";
    if (isTab && !location.hash.startsWith("#/papers")) aqaGo(address(view));
    if (button?.id === "aqa-chat-tab-button") greet();
    if (!button?.closest("#aqa-corpus-tab, .aqa-start")) return;
    const name = Object.keys(pressed).find((each) => each in button.dataset);
    if (name) pressed[name](button.dataset[name], button);
  });
  narrow.addEventListener("change", markOverview);
  document.addEventListener("toggle", (event) => {
    if (narrow.matches && event.target.matches(".aqa-corpus-overview")) unfolded = event.target.open;
  }, true);
  document.addEventListener("input", (event) => {
    if (event.target.id !== "aqa-corpus-words") return;
    clearTimeout(typed);
    typed = setTimeout(() => {
      keep = "replaceState";
      show({ paper: null });
    }, 200);
  });
})();
