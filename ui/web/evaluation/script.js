// Tables of runs are sorted in the page, and a list of questions shows which one is open.
(() => {
  const collator = new Intl.Collator("en", { numeric: true });

  const compare = (first, second) => {
    const numbers = [Number(first), Number(second)];
    return numbers.every(Number.isFinite) ? numbers[0] - numbers[1] : collator.compare(first, second);
  };

  const sort = (button) => {
    const head = button.closest("th");
    const table = head.closest("table");
    const column = head.cellIndex;
    // Names from A, figures from the greatest: what one looks for first.
    const first = column === 0 || column === 2 ? "ascending" : "descending";
    const other = first === "ascending" ? "descending" : "ascending";
    const order = head.getAttribute("aria-sort") === first ? other : first;
    table.querySelectorAll("th[aria-sort]").forEach((th) => th.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1;
    const body = table.tBodies[0];
    const value = (row) => row.cells[column].dataset.value;
    body.append(...[...body.rows].sort((a, b) => {
      const [left, right] = [value(a), value(b)];
      // What was not measured stands last, whichever way.
      if (!left || !right) return Number(!left) - Number(!right);
      return sign * compare(left, right);
    }));
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("#aqa-evaluation button");
    if (!button) return;
    if ("sort" in button.dataset) sort(button);
    if ("all" in button.dataset) {
      button.previousElementSibling.dataset.whole = "";
      button.remove();
    }
    if ("question" in button.dataset) {
      document.querySelectorAll("#aqa-evaluation-list [aria-current]").forEach((old) => old.removeAttribute("aria-current"));
      button.setAttribute("aria-current", "true");
    }
  });
})();
