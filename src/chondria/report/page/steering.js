// Wheel, keys and pointers over the slices.

const WHEEL_STEP = 60; // a notch of a wheel gives about 100, a touch pad many small ones
const DRAG_PX = 4;

function moveBy(by) {
  change({ slice: Math.min(Math.max(state.slice + by, 0), grid.z.length - 1) });
}

// Zoom about a point of the grid; a factor of 0 shows all.
function zoomBy(factor, at = { x: viewer.view.x, y: viewer.view.y }) {
  const { view } = viewer;
  const zoom = factor ? Math.min(Math.max(view.zoom * factor, 1), 40) : 1;
  const kept = view.zoom / zoom;
  view.x = at.x + (view.x - at.x) * kept;
  view.y = at.y + (view.y - at.y) * kept;
  view.zoom = zoom;
  draw();
}

function toGrid(event) {
  const box = viewer.canvas.getBoundingClientRect();
  const ratio = window.devicePixelRatio || 1;
  const { sx, sy, left, top } = placement();
  return {
    x: ((event.clientX - box.left) * ratio - left) / sx,
    y: ((event.clientY - box.top) * ratio - top) / sy,
  };
}

function placeAt({ x, y }) {
  if (!layer || !viewer.slice || x < 0 || y < 0 || x >= grid.width || y >= grid.height) return null;
  const value = viewer.slice.planes[layer.key].values[Math.floor(y) * grid.width + Math.floor(x)];
  return value ? value - 1 : null;
}

function hoverAt(at) {
  viewer.cursor = at;
  change({ hovered: placeAt(at) });
  viewer.readout.textContent = readoutAt(at);
}

function readoutAt({ x, y }) {
  if (x < 0 || y < 0 || x >= grid.width || y >= grid.height) return "";
  const place = [grid.z[state.slice], Math.floor(y) * grid.step, Math.floor(x) * grid.step];
  const parts = [`z ${place[0]}, y ${place[1]}, x ${place[2]} px`];
  const size = grid.voxel_size_nm;
  if (size) parts.push(`${place.map((p, i) => ((p * size[i]) / 1000).toFixed(3)).join(", ")} µm`);
  const map = viewer.slice?.probability;
  if (map) {
    const row = Math.min(Math.floor((y * map.height) / grid.height), map.height - 1);
    const column = Math.min(Math.floor((x * map.width) / grid.width), map.width - 1);
    parts.push(`probability about ${(map.values[row * map.width + column] / 255).toFixed(2)}`);
  }
  for (const { key, classes } of others.filter(({ kind }) => kind === "classes")) {
    const value = viewer.slice?.planes[key].values[Math.floor(y) * grid.width + Math.floor(x)];
    if (value) parts.push(classes[value - 1][0]);
  }
  return parts.join(" · ");
}

function showPlace(place, closeUp = false) {
  const anchor = layer?.anchors[place];
  if (!anchor || !grid) return;
  const at = { y: anchor[1] / grid.step, x: anchor[2] / grid.step };
  if (viewer.view.zoom > 1 || closeUp) Object.assign(viewer.view, at);
  change({ slice: nearestSlice(anchor[0]) });
  draw();
}

function steer({ stage, canvas }) {
  let wheeled = 0;
  stage.addEventListener("wheel", (event) => {
    if (event.ctrlKey) {
      event.preventDefault();
      zoomBy(Math.exp(-event.deltaY / 200), toGrid(event));
      return;
    }
    const end = event.deltaY > 0 ? grid.z.length - 1 : 0;
    if (state.slice === end || !event.deltaY) return; // the page scrolls on
    event.preventDefault();
    wheeled += event.deltaY * (event.deltaMode === 1 ? 33 : 1);
    const steps = Math.trunc(wheeled / WHEEL_STEP);
    if (steps) {
      wheeled = 0;
      moveBy(Math.sign(steps));
    }
  }, { passive: false });
  stage.addEventListener("keydown", pressed);
  document.addEventListener("keydown", (event) => {
    if (event.target === document.body) pressed(event);
  });
  point(canvas);
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, End: 1e9, Home: -1e9 };
  const scrolls = event.target === document.body && !["ArrowRight", "ArrowLeft"].includes(event.key);
  const shown = viewer.buttons.find((b) => b.getAttribute("aria-keyshortcuts") === event.key.toUpperCase());
  if (event.key in steps && !scrolls) moveBy(steps[event.key]);
  else if (shown) shown.click();
  else if (event.key === "+" || event.key === "=") zoomBy(1.5);
  else if (event.key === "-") zoomBy(1 / 1.5);
  else if (event.key === "0") zoomBy(0);
  else if (event.key === "Escape") change({ pinned: null, marker: null });
  else return;
  event.preventDefault();
}

function point(canvas) {
  let from = null;
  canvas.addEventListener("pointerdown", (event) => {
    from = { px: event.clientX, py: event.clientY, ...viewer.view, moved: false };
    hoverAt(toGrid(event));
    if (viewer.view.zoom > 1) canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    const far = from && Math.hypot(event.clientX - from.px, event.clientY - from.py) > DRAG_PX;
    if (from && (far || from.moved)) {
      from.moved = true;
      const ratio = window.devicePixelRatio || 1;
      const { sx, sy } = placement();
      viewer.view.x = from.x - ((event.clientX - from.px) * ratio) / sx;
      viewer.view.y = from.y - ((event.clientY - from.py) * ratio) / sy;
      draw();
    } else hoverAt(toGrid(event));
  });
  canvas.addEventListener("pointerup", (event) => {
    if (from && !from.moved) change({ pinned: placeAt(toGrid(event)), marker: null });
    from = null;
  });
  canvas.addEventListener("pointercancel", () => { from = null; });
  canvas.addEventListener("pointerleave", () => {
    viewer.cursor = null;
    change({ hovered: null });
  });
}
