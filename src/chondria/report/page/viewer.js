// The slice browser: a canvas with image, probability and labels, and what is switched on it.

const TOGGLES = [
  { key: "image", name: "Image", letter: "I", there: () => grid.has.includes("image") },
  { key: "probability", name: "Probability", letter: "P", there: () => grid.has.includes("probability") },
  { key: "outlines", name: "Outlines", letter: "O", there: () => layer !== null },
  { key: "fill", name: "Fill", letter: "F", there: () => layer !== null },
];
const viewer = grid ? makeViewer() : null;

function makeViewer() {
  const canvas = element("canvas", { role: "img" });
  const stage = element("div", {
    class: "stage", tabindex: "0", role: "group", "aria-roledescription": "slice browser",
    "aria-label": "Slices: arrow keys change the slice, plus and minus zoom", "aria-describedby": "shortcuts",
  }, canvas);
  return {
    canvas, stage, context: canvas.getContext("2d"), slice: null,
    view: { zoom: 1, x: grid.width / 2, y: grid.height / 2 }, cursor: null,
    // Pixels need not be square; the height of one, in widths.
    aspect: aspectOf(grid),
  };
}

function aspectOf({ voxel_size_nm: size }) {
  return size ? size[1] / size[2] : 1;
}

function buildViewer(host) {
  const switches = [...TOGGLES.filter((t) => t.there()),
    ...others.map((one) => ({ ...one, dots: one.kind === "classes" ? one.classes.map(([, colour]) => colour) : [layerColour(one)] }))];
  const buttons = switches.map((t) => element("button", {
    type: "button", "data-toggle": t.key, "aria-pressed": "false", "aria-keyshortcuts": t.letter || null,
    title: t.letter ? `Key ${t.letter}` : null, onclick: () => toggle(t.key),
  }, ...(t.dots ?? []).map(dotOf), t.name));
  const zoom = [["−", "Zoom out", 1 / 1.5], ["Fit", "Show the whole slice", 0], ["+", "Zoom in", 1.5]]
    .map(([text, label, factor]) => element("button", {
      type: "button", "aria-label": label, onclick: () => zoomBy(factor),
    }, text));
  const group = (label, parts) => element("div", { class: "group", role: "group", "aria-label": label }, ...parts);
  const tools = element("div", { class: "tools" }, group("Shown", buttons), group("Zoom", zoom));
  if (volumes.length > 1) tools.prepend(volumeChoice());
  if (layer && data.objects.names.some(isMeasure)) tools.append(colourChoice(), element("span", { class: "ramp" }));
  const step = (by, text, label) => element("button", {
    type: "button", "aria-label": label, onclick: () => moveBy(by),
  }, text);
  const slider = element("input", {
    type: "range", min: "0", max: String(grid.z.length - 1), "aria-label": "Slice",
    oninput: () => change({ slice: Number(slider.value) }),
  });
  const output = element("output");
  const row = element("div", { class: "slider" }, step(-1, "◀", "Previous slice"), slider,
    step(1, "▶", "Next slice"), output);
  const readout = element("p", { class: "readout" });
  host.append(element("div", { class: "browser" }, tools, ...legend(), viewer.stage, row, readout, shortcuts(switches)));
  Object.assign(viewer, { slider, output, readout, buttons, ramp: tools.querySelector(".ramp") });
  steer(viewer);
  new ResizeObserver(() => { resize(); draw(); }).observe(viewer.stage);
  onChange(refreshViewer);
  resize();
  refreshViewer(new Set(["slice", "shown"]));
}

function dotOf(colour) {
  const dot = element("i", { class: "dot" });
  dot.style.background = colour;
  return dot;
}

// What the colours of areas mean.
function legend() {
  const named = others.flatMap((one) => one.classes);
  if (!named.length) return [];
  return [element("p", { class: "legend" }, ...named.map(([name, colour]) => element("span", {}, dotOf(colour), name)))];
}

function volumeChoice() {
  const options = volumes.map((one, i) => element("option", { value: i }, one.name));
  const choice = element("select", { onchange: () => chooseVolume(Number(choice.value)) }, ...options);
  return element("label", {}, "Data set", choice);
}

function shortcuts(switches) {
  const made = element("p", { class: "shortcuts", id: "shortcuts" });
  const keys = [["wheel", ""], ["← →", "slices"], ...switches.filter((t) => t.letter)
    .map((t) => [t.letter, t.name.toLowerCase()]), ["+ − 0", "zoom"], ["Esc", "unpin"]];
  for (const [key, what] of keys) made.append(element("kbd", {}, key), ` ${what} `.replace("  ", " "));
  return made;
}

function colourChoice() {
  const options = [element("option", { value: "" }, "each its own"),
    ...data.objects.names.filter(isMeasure).filter((n) => !n.startsWith("bbox_"))
      .map((n) => element("option", { value: n }, titleOf(n)))];
  const choice = element("select", { onchange: () => change({ colour: choice.value }) }, ...options);
  return element("label", {}, "Colour", choice);
}

async function refreshViewer(changed) {
  if (changed.has("shown"))
    for (const b of viewer.buttons) b.setAttribute("aria-pressed", String(state.shown.has(b.dataset.toggle)));
  if (changed.has("colour") || changed.has("shown")) showRamp();
  if (changed.has("volume")) {
    Object.assign(viewer, { aspect: aspectOf(grid), view: { zoom: 1, x: grid.width / 2, y: grid.height / 2 } });
    viewer.slider.max = grid.z.length - 1;
    resize();
  }
  if (changed.has("slice") || changed.has("volume")) {
    const [wanted, of] = [state.slice, grid];
    viewer.slider.value = wanted;
    viewer.output.textContent = sliceName();
    viewer.slider.setAttribute("aria-valuetext", sliceName());
    const found = await loadSlice(of, wanted);
    if (wanted !== state.slice || of !== grid) return;
    viewer.slice = found;
    for (const next of [wanted + 1, wanted - 1]) if (next >= 0 && next < of.z.length) loadSlice(of, next);
    viewer.canvas.setAttribute("aria-label", `Slice ${sliceName()}${layer ? `, ${countHere()} objects` : ""}`);
    if (viewer.cursor) hoverAt(viewer.cursor);
    viewer.stage.dispatchEvent(new Event("drawn"));
  }
  draw();
}

function sliceName() {
  const z = grid.z[state.slice];
  return grid.depth ? `z ${z} of 0–${grid.depth - 1}` : `z ${z} · ${state.slice + 1} of ${grid.z.length}`;
}

function countHere() {
  return layer && viewer.slice ? viewer.slice.planes[layer.key].paths.size : 0;
}

function showRamp() {
  if (!viewer.ramp) return;
  viewer.ramp.replaceChildren();
  const bar = (low, high) => {
    const stops = [0, 0.25, 0.5, 0.75, 1].map((s) => `rgb(${viridis(s).join(" ")})`);
    const strip = element("i");
    strip.style.background = `linear-gradient(90deg, ${stops.join(", ")})`;
    viewer.ramp.append(said(low), strip, said(high));
  };
  if (state.colour) bar(scaleOfColour.low, scaleOfColour.high);
  else if (state.shown.has("probability")) bar(0, 1);
}

function resize() {
  const width = viewer.stage.clientWidth;
  if (!width) return;
  const natural = width * (grid.height * viewer.aspect) / grid.width;
  const height = Math.max(120, Math.min(natural, Math.max(260, window.innerHeight * 0.74)));
  const ratio = window.devicePixelRatio || 1;
  viewer.canvas.width = Math.round(width * ratio);
  viewer.canvas.height = Math.round(height * ratio);
  viewer.canvas.style.height = `${height}px`;
}

// Pixels of the canvas for one of the grid, and where the grid's first pixel lies.
function placement() {
  const { width, height } = viewer.canvas;
  const { view, aspect } = viewer;
  const fit = Math.min(width / grid.width, height / (grid.height * aspect));
  const sx = fit * view.zoom;
  const sy = sx * aspect;
  const half = [width / 2 / sx, height / 2 / sy];
  const within = (at, reach, length) => (2 * reach >= length ? length / 2 : Math.min(Math.max(at, reach), length - reach));
  view.x = within(view.x, half[0], grid.width);
  view.y = within(view.y, half[1], grid.height);
  return { sx, sy, left: width / 2 - view.x * sx, top: height / 2 - view.y * sy };
}

function draw() {
  const { canvas, context, slice } = viewer;
  if (!slice || slice.volume !== grid) return;
  const { sx, sy, left, top } = placement();
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.setTransform(sx, 0, 0, sy, left, top);
  context.imageSmoothingEnabled = sx < 3;
  if (state.shown.has("image") && slice.image) context.drawImage(slice.image, 0, 0, grid.width, grid.height);
  if (state.shown.has("probability") && slice.probability)
    context.drawImage(slice.probability.canvas, 0, 0, grid.width, grid.height);
  const ratio = window.devicePixelRatio || 1;
  drawLayers(context, slice, ratio / sx);
  drawMarker(context, ratio / sx);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  drawScaleBar(context, canvas, { left, top, sx, sy }, ratio);
  viewer.stage.classList.toggle("zoomed", viewer.view.zoom > 1);
  canvas.dataset.slice = slice.index;
  canvas.dataset.volume = volumes.indexOf(grid);
  canvas.dataset.view = JSON.stringify([left / ratio, top / ratio, sx / ratio, sy / ratio]);
  document.documentElement.dataset.ready = "true";
}

function drawLayers(context, slice, px) {
  context.lineJoin = "round";
  const seen = others.filter((one) => state.shown.has(one.key));
  for (const one of seen.filter(({ kind }) => kind === "classes")) {
    context.globalAlpha = 0.6;
    context.imageSmoothingEnabled = false;
    context.drawImage(slice.planes[one.key].canvas, 0, 0, grid.width, grid.height);
    context.globalAlpha = 1;
  }
  for (const one of seen.filter(({ kind }) => kind === "lines")) {
    context.strokeStyle = layerColour(one);
    context.lineWidth = 1.6 * px;
    if (layer) context.setLineDash([4 * px, 3 * px]);
    for (const path of slice.planes[one.key].paths.values()) context.stroke(path);
    context.setLineDash([]);
  }
  if (!layer) return;
  const glow = getComputedStyle(document.documentElement).getPropertyValue("--glow");
  for (const [place, path] of slice.planes[layer.key].paths) {
    const near = place === state.hovered || place === state.pinned;
    const chosen = state.selected !== null && state.selected.has(place);
    context.strokeStyle = chosen || near ? glow : objectColour(place);
    context.fillStyle = context.strokeStyle;
    context.globalAlpha = isSelected(place) || near ? 1 : 0.3;
    context.lineWidth = (near ? 3 : chosen ? 2.2 : 1.6) * px;
    if (state.shown.has("outlines") || near) context.stroke(path);
    context.globalAlpha *= near ? 0.28 : 0.38;
    if (state.shown.has("fill") || near) context.fill(path);
    context.globalAlpha = 1;
  }
}

function drawMarker(context, px) {
  if (!state.marker || state.marker.slice !== state.slice) return;
  const { x, y } = state.marker;
  context.strokeStyle = "#ffffff";
  context.lineWidth = 1.8 * px;
  context.beginPath();
  context.ellipse(x, y, 22 * px, 22 * px / viewer.aspect, 0, 0, 2 * Math.PI);
  context.stroke();
}

// In the lower left corner of what is seen of the slice.
function drawScaleBar(context, canvas, { left, top, sx, sy }, ratio) {
  const bar = scaleBar(Math.min(canvas.width / sx, grid.width) * grid.step);
  const length = (bar.px / grid.step) * (sx / ratio);
  const x = Math.max(left, 0) / ratio + 14;
  const y = Math.min(top + grid.height * sy, canvas.height) / ratio - 16;
  context.shadowColor = "#000c";
  context.shadowBlur = 4;
  context.fillStyle = "#ffffff";
  context.fillRect(x, y, length, 4);
  context.font = "600 13px system-ui, sans-serif";
  context.fillText(bar.text, x, y - 7);
  context.shadowBlur = 0;
}
