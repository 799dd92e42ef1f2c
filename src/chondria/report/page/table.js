// The table of objects: sorted by any column, only the rows in sight are built.

const ROW_PX = 34;
const SPARE_ROWS = 8;
const FINE_COLUMN = /^(bbox_|centroid_[zyx]_px$)/;

function buildTable(host) {
  const view = {
    order: [], sort: { name: "id", up: true }, all: false,
    box: element("div", { class: "rows", tabindex: "-1" }),
    table: element("table", { "aria-label": "Objects" }), head: element("thead"), body: element("tbody"),
  };
  view.table.append(view.head, view.body);
  view.box.append(view.table);
  const count = element("p", { class: "selection" });
  const clear = element("button", { type: "button", hidden: "", onclick: clearBrushes }, "Show all objects");
  const tools = document.querySelector("#objects .aside");
  tools.append(count, clear);
  if (data.objects.names.some((n) => FINE_COLUMN.test(n)))
    tools.append(element("button", { type: "button", class: "quiet", "aria-pressed": "false", onclick: (event) => {
      view.all = !view.all;
      event.currentTarget.setAttribute("aria-pressed", String(view.all));
      arrange(view);
    } }, "All columns"));
  tools.append(element("button", { type: "button", class: "quiet", id: "objects-csv", onclick: downloadObjects }, "CSV"));
  host.append(view.box);
  view.box.addEventListener("scroll", () => renderRows(view), { passive: true });
  view.body.addEventListener("pointerover", (event) => change({ hovered: placeOf(event.target) }));
  view.body.addEventListener("pointerleave", () => change({ hovered: null }));
  view.body.addEventListener("click", (event) => choose(placeOf(event.target)));
  view.body.addEventListener("keydown", (event) => walk(view, event));
  onChange((changed) => {
    if (changed.has("selected")) {
      arrange(view);
      clear.hidden = state.selected === null;
      count.textContent = state.selected === null ? "" : `${state.selected.size} of ${rowCount} selected`;
    }
    if (changed.has("pinned")) reveal(view, state.pinned);
    if (["hovered", "pinned", "colour"].some((key) => changed.has(key))) renderRows(view);
  });
  arrange(view);
}

function placeOf(target) {
  const row = target.closest("tr[data-place]");
  return row ? Number(row.dataset.place) : null;
}

function choose(place) {
  if (place === null) return;
  change({ pinned: place });
  showPlace(place);
}

function shownColumns(view) {
  return data.objects.names.filter((n) => view.all || !FINE_COLUMN.test(n));
}

function arrange(view) {
  const values = columns.get(view.sort.name);
  const places = Array.from({ length: rowCount }, (_, i) => i).filter(isSelected);
  const compare = (a, b) => {
    const [p, q] = [values[a], values[b]];
    if (p === null || q === null) return (p === null) - (q === null); // nothing stands last
    const by = typeof p === "number" && typeof q === "number" ? p - q : String(p).localeCompare(String(q), "en", { numeric: true });
    return (view.sort.up ? by : -by) || a - b;
  };
  view.order = places.sort(compare);
  view.table.setAttribute("aria-rowcount", String(view.order.length + 1));
  renderHead(view);
  renderRows(view);
}

function renderHead(view) {
  const cells = shownColumns(view).map((name) => {
    const mine = view.sort.name === name;
    const arrow = mine ? (view.sort.up ? " ↑" : " ↓") : "";
    return element("th", { scope: "col", "aria-sort": mine ? (view.sort.up ? "ascending" : "descending") : "none" },
      element("button", { type: "button", "data-sort": name, onclick: () => {
        view.sort = { name, up: mine ? !view.sort.up : name === "id" };
        arrange(view);
        view.head.querySelector(`[data-sort="${CSS.escape(name)}"]`).focus();
      } }, titleOf(name) + arrow));
  });
  view.head.replaceChildren(element("tr", {}, ...cells));
}

function renderRows(view) {
  const first = Math.max(Math.floor(view.box.scrollTop / ROW_PX) - SPARE_ROWS, 0);
  const seen = Math.ceil((view.box.clientHeight || 600) / ROW_PX) + 2 * SPARE_ROWS;
  const last = Math.min(first + seen, view.order.length);
  const names = shownColumns(view);
  const focused = view.body.contains(document.activeElement) ? placeOf(document.activeElement) : null;
  const spacer = (rows) => {
    const cell = element("td", { colspan: String(names.length) });
    cell.style.height = `${rows * ROW_PX}px`;
    return element("tr", { class: "spacer", "aria-hidden": "true" }, cell);
  };
  const rows = view.order.slice(first, last).map((place, i) => makeRow(place, names, first + i));
  const reachable = rows.find((r) => Number(r.dataset.place) === (focused ?? state.pinned)) ?? rows[0];
  if (reachable) reachable.tabIndex = 0;
  view.body.replaceChildren(spacer(first), ...rows, spacer(view.order.length - last));
  if (focused !== null) view.body.querySelector(`[data-place="${focused}"]`)?.focus({ preventScroll: true });
}

function makeRow(place, names, at) {
  const kinds = [place === state.hovered ? "hovered" : "", place === state.pinned ? "pinned" : ""];
  const row = element("tr", { "data-place": String(place), class: kinds.join(" ").trim() || null, tabindex: "-1",
    "aria-rowindex": String(at + 2), "aria-current": place === state.pinned ? "true" : null });
  names.forEach((name, i) => {
    const cell = element("td", {}, said(columns.get(name)[place]));
    if (!i && layer) cell.prepend(dotOf(objectColour(place)));
    row.append(cell);
  });
  return row;
}

function reveal(view, place) {
  const at = view.order.indexOf(place);
  if (at < 0) return;
  const head = view.head.offsetHeight;
  const [top, bottom] = [view.box.scrollTop, view.box.scrollTop + view.box.clientHeight - head];
  if (at * ROW_PX < top || (at + 1) * ROW_PX > bottom) view.box.scrollTop = at * ROW_PX - (bottom - top) / 2;
}

function walk(view, event) {
  const place = placeOf(event.target);
  if (place === null) return;
  const at = view.order.indexOf(place);
  const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -1e9, End: 1e9 }[event.key];
  if (event.key === "Enter" || event.key === " ") choose(place);
  else if (by) {
    const next = view.order[Math.min(Math.max(at + by, 0), view.order.length - 1)];
    reveal(view, next);
    renderRows(view);
    view.body.querySelector(`[data-place="${next}"]`)?.focus({ preventScroll: true });
    change({ hovered: next });
  } else return;
  event.preventDefault();
}

function downloadObjects() {
  const plain = (value) => {
    const text = value === null ? "" : String(value);
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = [data.objects.names.map(plain).join(",")];
  for (let place = 0; place < rowCount; place++)
    if (isSelected(place)) lines.push(data.objects.columns.map((column) => plain(column[place])).join(","));
  const url = URL.createObjectURL(new Blob([lines.join("\n") + "\n"], { type: "text/csv" }));
  element("a", { href: url, download: state.selected === null ? "objects.csv" : "selected-objects.csv" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
