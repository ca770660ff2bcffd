// What has the focus now, and whether what had it before looked different.
window.aqaStep = () => {
  const look = (element) => {
    // What shows the focus of a field may be the box around it; of an SVG link, the point in it.
    const seen = [...element.querySelectorAll(":scope > path, :scope > circle, :scope > rect")];
    for (let at = element; at && at !== document.body && seen.length < 6; at = at.parentElement)
      seen.push(at);
    return seen.map((part) => {
      const { outlineStyle, outline, boxShadow, border, stroke } = getComputedStyle(part);
      return [outlineStyle === "none" ? "" : outline, boxShadow, border, stroke].join();
    }).join();
  };
  const last = window.aqaLast, element = document.activeElement;
  // A field of a date has several stops, and the button of its calendar a ring of the browser's.
  const isAnother = last?.element !== element;
  const isDim = last && isAnother && last.element.isConnected && last.look === look(last.element);
  const isBody = element === document.body, isTab = element.matches("[role=tab]");
  if (isAnother) window.aqaLast = isBody ? null : { element, look: look(element) };
  return { isDim, isBody, isTab, html: element.outerHTML.slice(0, 120) };
};
