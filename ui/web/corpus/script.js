// The tab of the papers. The browser keeps what is looked at (the view) and the papers that are
// chosen; the address names the paper that is open: #/papers/<id>. What Python draws is replaced
// as a whole, so one listener on the document hears everything.
(() => {
  const DEBOUNCE = 150; // milliseconds
  let view = {};
  let chosen = new Set();
  let leaving = []; // the papers that are asked about before they are removed
  let focus; // where the focus goes when the next drawing is there
  let typed;
  let unfolded = false; // whether the map is shown where it has no room of its own
  const narrow = matchMedia("(max-width: 899px)");
  let touched; // the point of the map whose title a first tap has shown

  const byId = (id) => document.getElementById(id);
  const papers = () => byId("aqa-corpus-papers");
  const overview = () => byId("aqa-corpus-overview");
  const words = () => byId("aqa-corpus-words");
  const count = (n) => `${n} paper${n === 1 ? "" : "s"}`;

  const send = (name, detail) => {
    document.querySelector("#aqa-corpus-bus span").dispatchEvent(
      new CustomEvent(`aqa-corpus-${name}`, { bubbles: true, detail }),
    );
  };
  const show = (change, more) => {
    view = { ...view, page: 1, words: words()?.value ?? "", ...change };
    const drawn = overview()?.querySelector("[data-drawn]")?.dataset.drawn;
    send("show", { view, drawn, ...more });
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
  const open = (id) => { location.hash = `#/papers/${encodeURIComponent(id)}`; };
  const follow = () => {
    if (location.hash && !location.hash.startsWith("#/papers")) return;
    const paper = addressed();
    if (location.hash) byId("aqa-corpus-tab-button")?.click();
    if (paper === (view.paper ?? null)) return;
    focus = paper ? "#aqa-corpus-title" : `#aqa-corpus-papers [data-aqa-paper="${CSS.escape(view.paper)}"]`;
    if (byId("aqa-corpus-bus")) show({ paper, page: view.page ?? 1 });
  };
  addEventListener("hashchange", follow);
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
    if (!side?.firstElementChild) return;
    const box = side.querySelector("details");
    if (box) box.open = unfolded || !narrow.matches;
    for (const what of ["digest", "month", "cluster"]) {
      side.querySelectorAll(`[data-aqa-${what}]`).forEach((button) => {
        const is = button.getAttribute(`data-aqa-${what}`) === String(view[what] ?? "");
        button.setAttribute("aria-pressed", is);
      });
    }
    side.querySelectorAll("[data-aqa-map] > :is(a, path)").forEach((point) => {
      const out = view.cluster != null && Number(point.dataset.cluster) !== view.cluster;
      point.classList.toggle("aqa-corpus-dim", out);
      const here = point.dataset.aqaPaper !== undefined && point.dataset.aqaPaper === view.paper;
      point.classList.toggle("aqa-corpus-here", here);
    });
  };
  const markChosen = () => {
    papers()?.querySelectorAll("[data-aqa-choose]").forEach((box) => {
      box.checked = chosen.has(box.dataset.aqaChoose);
    });
    const all = papers()?.querySelector("[data-aqa-choose-page]");
    const boxes = [...(papers()?.querySelectorAll("[data-aqa-choose]") ?? [])];
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
    const given = papers()?.querySelector("[data-view]")?.dataset.view;
    if (given) {
      const typing = document.activeElement === words();
      view = JSON.parse(given);
      if (!typing && words().value !== view.words) words().value = view.words;
      byId("aqa-corpus-since").value = /^\d/.test(view.since ?? "") ? view.since : "";
      document.querySelector("[data-aqa-change]").setAttribute("aria-pressed", view.since === "change");
      if (view.paper && addressed() !== view.paper) {
        history.pushState(null, "", `#/papers/${encodeURIComponent(view.paper)}`);
      }
    }
    document.body.classList.toggle("aqa-corpus-open", Boolean(view.paper));
    markOverview();
    markChosen();
    if (focus) {
      const target = document.querySelector(focus);
      focus = undefined;
      target?.focus({ preventScroll: true });
      target?.scrollIntoView({ block: target.matches("h2") ? "center" : "nearest" });
    }
  };
  document.addEventListener("aqa-corpus-drawn", drawn);
  document.addEventListener("aqa-corpus-ready", () => {
    setTimeout(() => show({ paper: addressed() }));
  });

  // Choosing and removing

  const choose = (box) => {
    if (box.checked) chosen.add(box.dataset.aqaChoose);
    else chosen.delete(box.dataset.aqaChoose);
  };
  document.addEventListener("change", (event) => {
    const box = event.target;
    if (box.matches("[data-aqa-choose]")) choose(box);
    else if (box.matches("[data-aqa-choose-page]")) {
      papers().querySelectorAll("[data-aqa-choose]").forEach((one) => {
        one.checked = box.checked;
        choose(one);
      });
    } else if (box.id === "aqa-corpus-since") return show({ since: box.value || null, paper: null });
    else return;
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

  const tip = (point) => {
    if (point) tell(point.getAttribute("aria-label"), point.getBoundingClientRect());
    else tell("");
  };
  const tell = (title, there) => {
    const box = overview()?.querySelector(".aqa-corpus-tip");
    if (!box) return;
    box.hidden = !title;
    if (!title) return;
    box.textContent = title;
    const frame = box.parentElement.getBoundingClientRect();
    const left = there.left + there.width / 2 - frame.left - box.offsetWidth / 2;
    box.style.left = `${Math.max(0, Math.min(left, frame.width - box.offsetWidth))}px`;
    const above = there.top - frame.top - box.offsetHeight - 6;
    box.style.top = `${above < 0 ? there.bottom - frame.top + 6 : above}px`;
  };
  const pointOf = (event) => event.target.closest?.("[data-aqa-map] a");
  document.addEventListener("pointerover", (event) => {
    if (event.target.closest?.("[data-aqa-map]")) tip(pointOf(event));
  });
  document.addEventListener("pointerout", (event) => {
    if (event.target.closest?.("[data-aqa-map]") && event.pointerType !== "touch") tip(null);
  });
  document.addEventListener("focusin", (event) => tip(pointOf(event)));

  // The points of a large collection are drawn together: Python says which paper is where.
  const placeOf = (event, map) => {
    // A click is told in whole pixels, a move in parts of them: both must mean the same paper.
    const pixel = new DOMPoint(Math.floor(event.clientX), Math.floor(event.clientY));
    const at = pixel.matrixTransform(map.getScreenCTM().inverse());
    return [at.x, at.y];
  };
  let peeking;
  let pointer; // where the mouse rests on such a map
  document.addEventListener("pointermove", (event) => {
    clearTimeout(peeking);
    pointer = undefined;
    const map = event.target.closest?.("[data-aqa-map]");
    if (!map?.querySelector(".aqa-corpus-dots")) return;
    peeking = setTimeout(() => {
      pointer = new DOMRect(event.clientX, event.clientY - 6, 0, 12);
      send("peek", { near: placeOf(event, map) });
    }, DEBOUNCE);
  });
  document.addEventListener("aqa-corpus-peeked", () => {
    if (pointer) tell(document.querySelector("#aqa-corpus-peeked [data-at]").textContent, pointer);
  });
  const neighbour = (point, key) => {
    const middle = (one) => {
      const box = one.getBoundingClientRect();
      return [box.left + box.width / 2, box.top + box.height / 2];
    };
    const [x, y] = middle(point);
    const sideways = key === "ArrowLeft" || key === "ArrowRight";
    const way = key === "ArrowRight" || key === "ArrowDown" ? 1 : -1;
    let best;
    let least = Infinity;
    for (const other of point.parentElement.querySelectorAll(":scope > a")) {
      const [dx, dy] = middle(other).map((value, axis) => value - [x, y][axis]);
      const along = (sideways ? dx : dy) * way;
      const far = along > 0 ? along + 2 * Math.abs(sideways ? dy : dx) : Infinity;
      if (other !== point && far < least) [best, least] = [other, far];
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
      focus = `#aqa-corpus-papers [data-aqa-key="${button.dataset.aqaKey}"]:not(:disabled), #aqa-corpus-papers [data-aqa-key]:not(:disabled)`;
      show({ page: Number(page) });
      papers().scrollIntoView({ block: "start" });
    },
    aqaDigest: (digest) => narrowTo("digest", digest),
    aqaMonth: (month) => narrowTo("month", month),
    aqaCluster: (cluster) => narrowTo("cluster", Number(cluster)),
    aqaDrop: (what) => {
      focus = "#aqa-corpus-words";
      show({ [what]: null });
    },
    aqaAll: () => {
      focus = "#aqa-corpus-words";
      words().value = "";
      show({ words: "", digest: null, month: null, cluster: null, since: null, paper: null });
    },
    aqaChange: () => narrowTo("since", "change"),
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
    aqaCopy: async (text, button) => {
      await copy(text);
      const label = button.textContent;
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = label; }, 1500);
    },
  };
  const narrowTo = (what, value) => {
    const change = { [what]: view[what] === value ? null : value };
    if (view.paper) {
      history.pushState(null, "", "#/papers");
      change.paper = null;
    }
    show(change);
  };
  const copy = async (text) => {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    // Pages served over plain http to another machine have no clipboard object.
    const area = Object.assign(document.createElement("textarea"), { value: text });
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
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
      focus = "#aqa-corpus-title";
      show({}, { near: placeOf(event, map) });
      return;
    }
    const button = event.target.closest?.("button");
    if (button?.getAttribute("role") === "tab" && button.id !== "aqa-corpus-tab-button") leave();
    if (!button || !button.closest("#aqa-corpus-tab")) return;
    for (const [name, act] of Object.entries(pressed)) {
      if (name in button.dataset) return act(button.dataset[name], button);
    }
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
