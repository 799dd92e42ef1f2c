// What the page knows, what is shown of it, and who is told when that changes.

const data = JSON.parse(document.getElementById("report-data").textContent);
const grid = data.grid;
// The layer whose objects stand in the table: an object is known by its place in the layer's ids,
// and the first places are the rows of the table.
// A page that compares runs has no such layer. The others are drawn as lines.
const layer = data.layers[0] ?? null;
const others = data.layers.slice(1);
const columns = new Map(data.objects.names.map((name, i) => [name, data.objects.columns[i]]));
const ids = layer ? layer.ids : (columns.get("id") ?? []);
const rowCount = data.objects.columns.length ? data.objects.columns[0].length : 0;

const state = {
  slice: grid ? grid.z.length >> 1 : 0,
  shown: new Set(["image", "outlines", ...others.map((other) => other.key)]),
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
