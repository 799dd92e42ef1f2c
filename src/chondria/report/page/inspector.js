// What one object measures: the one under the pointer, else the one that is pinned.

const PLACE_COLUMN = /^(bbox_|centroid_|id$)/;

function buildInspector(host) {
  const panel = element("aside", { class: "inspector", "aria-label": "Object" });
  host.append(panel);
  const show = () => showObject(panel, state.hovered ?? state.pinned);
  onChange((changed) => {
    if (["hovered", "pinned", "colour"].some((key) => changed.has(key))) show();
  });
  viewer.stage.addEventListener("drawn", show);
  show();
}

function showObject(panel, place) {
  panel.dataset.id = place === null ? "" : ids[place];
  if (place === null) {
    const touch = window.matchMedia("(pointer: coarse)").matches;
    const found = countHere();
    panel.replaceChildren(element("h3", {}, `${found || "No"} object${found === 1 ? "" : "s"} in this slice`),
      element("p", {}, touch ? "Tap an object to see what it measures." :
        "Point at an object to see what it measures; click to keep it here and find it in the table."));
    return;
  }
  const dot = dotOf(objectColour(place));
  const title = element("h3", {}, dot, `Object ${ids[place]}`);
  if (place === state.pinned) title.append(element("small", {}, "pinned"));
  panel.replaceChildren(title);
  if (place >= rowCount) {
    panel.append(element("p", {}, "The table on this page has no row for it."));
    return;
  }
  panel.append(measuresOf(place));
  if (place === state.pinned) panel.append(element("div", { class: "tools" },
    element("button", { type: "button", onclick: () => showPlace(place, true) }, "Show"),
    element("button", { type: "button", class: "quiet", onclick: () => change({ pinned: null }) }, "Unpin")));
}

function measuresOf(place) {
  const list = element("dl");
  for (const name of data.objects.names.filter((n) => !PLACE_COLUMN.test(n))) {
    const { words, unit } = nameOf(name);
    const value = columns.get(name)[place];
    list.append(element("dt", {}, words), element("dd", { "data-column": name },
      `${said(value)}${unit && value !== null ? ` ${unit}` : ""}`));
  }
  return list;
}
