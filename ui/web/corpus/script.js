// The tab of the papers. The browser keeps what is looked at (the view) and the papers that are
// chosen; the address names the paper that is open: #/papers/<id>. What Python draws is replaced
// as a whole, so one listener on the document hears everything.
(() => {
  const DEBOUNCE = 150; // milliseconds
  const EVERYTHING = { digest: null, month: null, cluster: null, since: null, paper: null };
  let view = {};
  let chosen = new Set();
  let leaving = []; // the papers that are asked about before they are removed
  let focus; // where the focus goes when the next drawing is there
  let typed;
  let unfolded = false; // whether the map is shown where it has no room of its own
  let touched; // the point of the map whose title a first tap has shown
  const narrow = matchMedia("(max-width: 899px)");

  const byId = (id) => document.getElementById(id);
  const papers = () => byId("aqa-corpus-papers");
  const overview = () => byId("aqa-corpus-overview");
  const words = () => byId("aqa-corpus-words");
  const count = (n) => `${n} paper${n === 1 ? "" : "s"}`;

  const send = (name, detail) => {
    const from = papers().querySelector("[data-view], span");
    from.dispatchEvent(new CustomEvent(`aqa_${name}`, { bubbles: true, detail }));
  };
  const show = (change, more) => {
    view = { ...view, page: 1, words: words()?.value ?? "", ...change };
    const drawn = overview().querySelector("[data-drawn]")?.dataset.drawn;
    send("show", { view, drawn, ...more });
  };
  const narrowTo = (what, value) => {
    const change = { [what]: view[what] === value ? null : value };
    if (view.paper) {
      history.pushState(null, "", "#/papers");
      change.paper = null;
    }
    show(change);
  };

  // The address

  const addressed = () => {
    const route = /^#\/papers\/(.+)$/.exec(location.hash);
    try {
      return route ? decodeURIComponent(route[1]) : null;
    } catch {
      return null;
    }
  };
  // The address names the chat again.
  const leave = () => {
    if (!location.hash.startsWith("#/papers")) return;
    history.replaceState(null, "", location.pathname + location.search);
  };
  addEventListener("hashchange", () => {
    if (location.hash && !location.hash.startsWith("#/papers")) return;
    const paper = addressed();
    if (location.hash) byId("aqa-corpus-tab-button")?.click();
    if (paper === (view.paper ?? null)) return;
    focus = paper ? "#aqa-corpus-title" : `#aqa-corpus-papers [data-aqa-paper="${CSS.escape(view.paper)}"]`;
    if (papers()) show({ paper, page: view.page ?? 1 });
  });
  if (location.hash.startsWith("#/papers")) {
    const waiting = setInterval(() => {
      if (!byId("aqa-corpus-tab-button")) return;
      clearInterval(waiting);
      byId("aqa-corpus-tab-button").click();
    }, 50);
  }

  // Drawing

  const markOverview = () => {
    const side = overview();
    const box = side?.querySelector("details");
    if (!box) return;
    box.open = unfolded || !narrow.matches;
    for (const what of ["digest", "month", "cluster"]) {
      side.querySelectorAll(`[data-aqa-${what}]`).forEach((button) => {
        const is = button.getAttribute(`data-aqa-${what}`) === String(view[what] ?? "");
        button.setAttribute("aria-pressed", is);
      });
    }
    side.querySelectorAll("[data-aqa-map] > :is(a, path)").forEach((point) => {
      const { cluster, aqaPaper } = point.dataset;
      point.classList.toggle("aqa-corpus-dim", view.cluster != null && Number(cluster) !== view.cluster);
      point.classList.toggle("aqa-corpus-here", aqaPaper !== undefined && aqaPaper === view.paper);
    });
  };
  const markChosen = () => {
    const boxes = [...(papers()?.querySelectorAll("[data-aqa-choose]") ?? [])];
    boxes.forEach((box) => { box.checked = chosen.has(box.dataset.aqaChoose); });
    const all = papers()?.querySelector("[data-aqa-choose-page]");
    if (all) all.checked = boxes.length > 0 && boxes.every((box) => box.checked);
    const bar = byId("aqa-corpus-chosen");
    if (!bar) return;
    const asking = leaving.length > 0;
    bar.hidden = !asking && !chosen.size;
    const text = asking ? `Remove ${count(leaving.length)} from the index?` : `${chosen.size} chosen`;
    if (bar.querySelector("span").textContent !== text) bar.querySelector("span").textContent = text;
    bar.querySelector("[data-aqa-confirm]").textContent = asking ? "Remove" : "Remove …";
    bar.querySelector("[data-aqa-none]").textContent = asking ? "Keep" : "Clear";
  };
  const drawn = () => {
    const given = papers().querySelector("[data-view]")?.dataset.view;
    if (given) {
      view = JSON.parse(given);
      if (document.activeElement !== words()) words().value = view.words;
      byId("aqa-corpus-since").value = /^\d/.test(view.since ?? "") ? view.since : "";
      document.querySelector("[data-aqa-change]").setAttribute("aria-pressed", view.since === "change");
      if (view.paper && addressed() !== view.paper) {
        history.pushState(null, "", `#/papers/${encodeURIComponent(view.paper)}`);
      }
    }
    document.body.classList.toggle("aqa-corpus-open", Boolean(view.paper));
    markOverview();
    markChosen();
    const target = focus && document.querySelector(focus);
    focus = undefined;
    target?.focus({ preventScroll: true });
    target?.scrollIntoView({ block: target.matches("h2") ? "center" : "nearest" });
  };
  let asked = false; // for the first view
  document.addEventListener("aqa-value", (event) => {
    if (!event.target.closest("#aqa-corpus-main")) return;
    if (asked) drawn();
    else setTimeout(() => show({ paper: addressed() }));
    asked = true;
  });

  // Choosing and removing

  document.addEventListener("change", (event) => {
    const box = event.target;
    if (box.id === "aqa-corpus-since") return show({ since: box.value || null, paper: null });
    if (!box.matches("[data-aqa-choose], [data-aqa-choose-page]")) return;
    const all = box.matches("[data-aqa-choose]") ? [box] : papers().querySelectorAll("[data-aqa-choose]");
    all.forEach(({ dataset }) => chosen[box.checked ? "add" : "delete"](dataset.aqaChoose));
    leaving = [];
    markChosen();
  });
  const remove = () => {
    const ids = leaving;
    leaving = [];
    chosen = new Set();
    if (ids.includes(view.paper)) {
      view.paper = null;
      history.replaceState(null, "", "#/papers");
    }
    focus = "#aqa-corpus-notice button";
    markChosen();
    send("remove", { ids, view });
  };

  // The map

  const pointOf = (event) => event.target.closest?.("[data-aqa-map] a");
  const tip = (point) => {
    const box = overview()?.querySelector(".aqa-corpus-tip");
    if (!box) return;
    box.hidden = !point;
    if (!point) return;
    box.textContent = point.getAttribute("aria-label");
    const [there, frame] = [point.getBoundingClientRect(), box.parentElement.getBoundingClientRect()];
    const left = there.left + there.width / 2 - frame.left - box.offsetWidth / 2;
    box.style.left = `${Math.max(0, Math.min(left, frame.width - box.offsetWidth))}px`;
    const above = there.top - frame.top - box.offsetHeight - 6;
    box.style.top = `${above < 0 ? there.bottom - frame.top + 6 : above}px`;
  };
  document.addEventListener("pointerover", (event) => {
    if (event.target.closest?.("[data-aqa-map]")) tip(pointOf(event));
  });
  document.addEventListener("pointerout", (event) => {
    if (event.target.closest?.("[data-aqa-map]") && event.pointerType !== "touch") tip(null);
  });
  document.addEventListener("focusin", (event) => tip(pointOf(event)));

  // The nearest point that way; what lies aside counts double.
  const neighbour = (point, key) => {
    const middle = (one) => {
      const box = one.getBoundingClientRect();
      return [box.left + box.width / 2, box.top + box.height / 2];
    };
    const axis = key === "ArrowLeft" || key === "ArrowRight" ? 0 : 1;
    const way = key === "ArrowRight" || key === "ArrowDown" ? 1 : -1;
    const from = middle(point);
    let [best, least] = [undefined, Infinity];
    for (const other of point.parentElement.querySelectorAll(":scope > a")) {
      const away = middle(other).map((value, at) => value - from[at]);
      const far = away[axis] * way + 2 * Math.abs(away[1 - axis]);
      if (away[axis] * way > 0 && far < least) [best, least] = [other, far];
    }
    return best;
  };
  document.addEventListener("keydown", (event) => {
    const point = pointOf(event);
    if (!point || !event.key.startsWith("Arrow")) return;
    event.preventDefault();
    const next = neighbour(point, event.key);
    if (!next) return;
    point.setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
    next.focus({ preventScroll: true });
  });

  // Everything that is pressed

  const pressed = {
    aqaSort: (sort) => show({ sort, down: view.sort === sort ? !view.down : sort === "date" }),
    aqaPage: (page, button) => {
      const same = `[data-aqa-key="${button.dataset.aqaKey}"]`;
      focus = `#aqa-corpus-papers :is(${same}:not(:disabled), [data-aqa-key]:not(:disabled))`;
      show({ page: Number(page) });
      papers().scrollIntoView({ block: "start" });
    },
    aqaDigest: (digest) => narrowTo("digest", digest),
    aqaMonth: (month) => narrowTo("month", month),
    aqaCluster: (cluster) => narrowTo("cluster", Number(cluster)),
    aqaChange: () => narrowTo("since", "change"),
    aqaDrop: (what) => {
      focus = "#aqa-corpus-words";
      show({ [what]: null });
    },
    aqaAll: () => {
      focus = "#aqa-corpus-words";
      words().value = "";
      show(EVERYTHING);
    },
    aqaBack: () => { location.hash = "#/papers"; },
    aqaAsk: (paper) => {
      leave();
      send("ask", { paper });
    },
    aqaRemove: (paper) => {
      leaving = [paper];
      markChosen();
      document.querySelector("#aqa-corpus-chosen [data-aqa-none]").focus();
    },
    aqaConfirm: () => {
      if (leaving.length) return remove();
      leaving = [...chosen];
      markChosen();
    },
    aqaNone: () => {
      if (!leaving.length) chosen = new Set();
      leaving = [];
      markChosen();
    },
    aqaUndo: () => {
      focus = view.paper ? "#aqa-corpus-title" : "#aqa-corpus-words";
      send("undo", { view });
    },
    aqaCopy: (text, button) => aqaCopy(button, text),
  };
  document.addEventListener("click", (event) => {
    const point = pointOf(event);
    if (point && event.pointerType === "touch" && touched !== point) {
      event.preventDefault(); // the first tap shows the title
      touched = point;
      tip(point);
      return;
    }
    const map = event.target.closest?.("[data-aqa-map]");
    if (map && !point && map.querySelector(".aqa-corpus-dots")) {
      // The points of a large collection are drawn together: Python says which paper is where.
      const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(map.getScreenCTM().inverse());
      focus = "#aqa-corpus-title";
      show({}, { near: [at.x, at.y] });
      return;
    }
    const button = event.target.closest?.("button");
    if (button?.getAttribute("role") === "tab" && button.id !== "aqa-corpus-tab-button") leave();
    if (!button?.closest("#aqa-corpus-tab")) return;
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
      if (view.paper) history.pushState(null, "", "#/papers");
      show({ paper: null });
    }, DEBOUNCE);
  });
})();
