// What the page knows, what is shown of it, and who is told when that changes.

const data = JSON.parse(document.getElementById("report-data").textContent);
const volumes = data.volumes;
// The volume whose slices are shown; most pages have one.
let grid = volumes[0] ?? null;
// The layer whose objects stand in the table: an object is known by its place in the layer's ids,
// and the first places are the rows of the table. Many pages have no such layer.
let layer = objectsOf(grid);
let others = othersOf(grid);
const columns = new Map(data.objects.names.map((name, i) => [name, data.objects.columns[i]]));
const ids = layer ? layer.ids : (columns.get("id") ?? []);
const rowCount = data.objects.columns.length ? data.objects.columns[0].length : 0;

function objectsOf(volume) {
  return volume?.layers.find((one) => one.kind === "objects") ?? null;
}

function othersOf(volume) {
  return volume ? volume.layers.filter((one) => one.kind !== "objects") : [];
}

const state = {
  volume: 0,
  slice: grid ? grid.z.length >> 1 : 0,
  shown: new Set(["image", "outlines", ...others.filter((one) => one.on).map((one) => one.key)]),
  hovered: null,
  pinned: null,
  selected: null, // a set of places, or null for all
  colour: "", // the measure that colours objects; none gives each its own
  marker: null, // {slice, y, x} on the grid
};
const listeners = [];

function onChange(listener) {
  listeners.push(listener);
}

function change(patch) {
  const changed = new Set(Object.keys(patch).filter((key) => state[key] !== patch[key]));
  if (!changed.size) return;
  Object.assign(state, patch);
  for (const listener of listeners) listener(changed);
}

function chooseVolume(place) {
  grid = volumes[place];
  layer = objectsOf(grid);
  others = othersOf(grid);
  change({ volume: place, slice: grid.z.length >> 1, hovered: null, marker: null });
}

function toggle(key) {
  const shown = new Set(state.shown);
  if (!shown.delete(key)) shown.add(key);
  change({ shown });
}

function isSelected(place) {
  return state.selected === null || state.selected.has(place);
}

// The shown slice that is nearest to one of the volume.
function nearestSlice(z) {
  let best = 0;
  grid.z.forEach((known, i) => {
    if (Math.abs(known - z) < Math.abs(grid.z[best] - z)) best = i;
  });
  return best;
}

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function announce(text) {
  document.getElementById("announcer").textContent = text;
}
