// Histograms of measures. A range of one selects objects; ranges of several must all hold.

const PREFERRED = [
  "volume_um3", "area_um2", "voxels", "skeleton_length_um", "sphericity", "circularity",
  "aspect_ratio", "mean_probability", "probability_true", "doubt", "surface_um2", "perimeter_um",
];
const FIRST_HISTOGRAMS = 4;
const BINS = 24;
const BOX = { width: 280, height: 136, left: 6, right: 6, top: 8, bottom: 20 };
const brushes = new Map(); // card -> {name, low, high}

function buildHistograms(host) {
  const measures = data.objects.names.filter(isMeasure);
  const rest = measures.filter((n) => !PLACE_COLUMN.test(n) && !PREFERRED.includes(n));
  let liked = [...PREFERRED.filter((n) => measures.includes(n)), ...rest];
  if (liked.includes("volume_um3") || liked.includes("area_um2")) liked = liked.filter((n) => n !== "voxels");
  const add = element("button", { type: "button", class: "add", onclick: () => {
    const used = [...host.querySelectorAll("select")].map((s) => s.value);
    addHistogram(liked.find((n) => !used.includes(n)) ?? measures[0]);
  } }, "Add a histogram");
  const addHistogram = (name) => host.insertBefore(makeHistogram(name, measures), add);
  host.append(add);
  liked.slice(0, FIRST_HISTOGRAMS).forEach(addHistogram);
}

function makeHistogram(name, measures) {
  const choice = element("select", { "aria-label": "Measure" },
    ...measures.map((n) => element("option", { value: n, ...(n === name ? { selected: "" } : {}) }, titleOf(n))));
  const clear = element("button", { type: "button", class: "quiet", hidden: "", "aria-label": "Clear the range" }, "✕");
  const plot = svg("svg", { viewBox: `0 0 ${BOX.width} ${BOX.height}`, preserveAspectRatio: "none", tabindex: "0", role: "group" });
  const note = element("p");
  const card = element("div", { class: "histogram" }, element("header", {}, choice, clear), plot, note);
  const shown = { card, plot, note, clear, name, from: null };
  const start = () => {
    Object.assign(shown, { name: choice.value, scale: makeScale(columns.get(choice.value)) });
    setBrush(shown, null);
  };
  choice.addEventListener("change", start);
  clear.addEventListener("click", () => { setBrush(shown, null); plot.focus(); });
  brushWith(shown);
  onChange((changed) => {
    if (["selected", "hovered", "pinned"].some((key) => changed.has(key))) drawHistogram(shown);
  });
  start();
  return card;
}

function setBrush(shown, range) {
  const had = brushes.delete(shown.card);
  if (range) brushes.set(shown.card, { name: shown.name, low: Math.min(...range), high: Math.max(...range) });
  shown.clear.hidden = !range;
  if (had || range) select();
  drawHistogram(shown);
}

function select() {
  if (!brushes.size) {
    change({ selected: null });
    announce("All objects");
    return;
  }
  const selected = new Set();
  for (let place = 0; place < rowCount; place++) {
    const holds = ({ name, low, high }) => {
      const value = columns.get(name)[place];
      return typeof value === "number" && value >= low && value <= high;
    };
    if ([...brushes.values()].every(holds)) selected.add(place);
  }
  change({ selected });
  announce(`${selected.size} of ${rowCount} objects selected`);
}

function clearBrushes() {
  for (const card of [...brushes.keys()]) card.querySelector("button").click();
}

const across = (share) => BOX.left + share * (BOX.width - BOX.left - BOX.right);

function drawHistogram({ card, plot, note, name, scale }) {
  const values = columns.get(name);
  const bins = Array.from({ length: BINS }, () => ({ all: 0, chosen: 0 }));
  values.forEach((value, place) => {
    if (typeof value !== "number") return;
    const bin = bins[Math.min(Math.floor(scale.share(value) * BINS), BINS - 1)];
    bin.all++;
    if (state.selected === null ? false : state.selected.has(place)) bin.chosen++;
  });
  const most = Math.max(...bins.map((b) => b.all), 1);
  const floor = BOX.height - BOX.bottom;
  const tall = (count) => (count ? Math.max((count / most) * (floor - BOX.top), 2) : 0);
  const parts = [];
  bins.forEach((bin, i) => {
    for (const [count, kind] of [[bin.all, "bar"], [bin.chosen, "bar chosen"]])
      if (count) parts.push(svg("rect", { class: kind, x: across(i / BINS) + 0.75, width: across(1 / BINS) - across(0) - 1.5, y: floor - tall(count), height: tall(count) }));
  });
  const brush = brushes.get(card);
  if (brush) {
    const [a, b] = [brush.low, brush.high].map((v) => across(Math.min(Math.max(scale.share(v), 0), 1)));
    parts.push(svg("rect", { class: "brush", x: a, width: Math.max(b - a, 1), y: 0, height: floor }));
  }
  const here = values[state.hovered ?? state.pinned ?? -1];
  if (typeof here === "number") {
    const x = across(scale.share(here));
    parts.push(svg("path", { class: "mark-here", d: `M${x} 0V${floor}` }));
  }
  parts.push(svg("path", { class: "axis", d: `M${BOX.left} ${floor + 0.5}H${BOX.width - BOX.right}` }));
  for (const tick of scale.ticks) {
    const share = scale.share(tick);
    const anchor = share < 0.08 ? "start" : share > 0.92 ? "end" : "middle";
    parts.push(svg("text", { x: across(share), y: BOX.height - 5, "text-anchor": anchor }, said(tick)));
  }
  plot.replaceChildren(...parts);
  note.textContent = describe(name, scale, brush);
  plot.setAttribute("aria-label", `Histogram of ${titleOf(name)}. ${note.textContent}. Arrow keys move a range, with Shift they widen it, Escape clears it.`);
}

function describe(name, scale, brush) {
  const unit = nameOf(name).unit;
  const suffix = unit ? ` ${unit}` : "";
  if (brush) return `${said(brush.low)} to ${said(brush.high)}${suffix}`;
  return `median ${said(scale.median)}${suffix}${scale.log ? ", logarithmic axis" : ""}`;
}

function brushWith(shown) {
  const { plot } = shown;
  const valueAt = (event) => {
    const box = plot.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * BOX.width;
    const share = (x - BOX.left) / (BOX.width - BOX.left - BOX.right);
    return shown.scale.value(Math.min(Math.max(share, 0), 1));
  };
  plot.addEventListener("pointerdown", (event) => {
    shown.from = valueAt(event);
    plot.setPointerCapture(event.pointerId);
  });
  plot.addEventListener("pointermove", (event) => {
    if (shown.from !== null) setBrush(shown, [shown.from, valueAt(event)]);
  });
  plot.addEventListener("pointerup", (event) => {
    if (shown.from === valueAt(event)) setBrush(shown, null);
    shown.from = null;
  });
  plot.addEventListener("pointercancel", () => { shown.from = null; });
  plot.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (event.key === "Escape") setBrush(shown, null);
    else if (by) setBrush(shown, moved(shown, by, event.shiftKey));
    else return;
    event.preventDefault();
  });
}

// A range of bins: moved by one, or widened at its upper end.
function moved({ card, scale }, by, widen) {
  const brush = brushes.get(card);
  let [a, b] = brush ? [brush.low, brush.high].map((v) => Math.round(scale.share(v) * BINS)) : [by > 0 ? -1 : BINS, by > 0 ? 0 : BINS + 1];
  if (widen && brush) b = Math.min(Math.max(b + by, a + 1), BINS);
  else if (a + by >= 0 && b + by <= BINS) [a, b] = [a + by, b + by];
  return [scale.value(a / BINS), scale.value(b / BINS)];
}
