// Colours of objects: cool hues of their own, so that the warm accent stands out; or by a measure.

const VIRIDIS = [
  [68, 1, 84],
  [59, 82, 139],
  [33, 145, 140],
  [94, 201, 98],
  [253, 231, 37],
];
const NO_VALUE = "#9aa5a9";
let scaleOfColour = null;

function viridis(share) {
  const at = Math.min(Math.max(share, 0), 1) * (VIRIDIS.length - 1);
  const low = Math.min(Math.floor(at), VIRIDIS.length - 2);
  return VIRIDIS[low].map((c, i) => Math.round(c + (VIRIDIS[low + 1][i] - c) * (at - low)));
}

function ownColour(place) {
  const hue = 150 + ((place * 0.6180339887) % 1) * 165;
  const light = 66 + 10 * ((place * 0.7548776662) % 1);
  return `hsl(${hue.toFixed(0)} 80% ${light.toFixed(0)}%)`;
}

function layerColour(one) {
  if (one.colour) return one.colour;
  // The truth over found objects is white; runs over each other must differ most.
  const hues = ["#ff9d4d", "#5cc8ff", "#c6f06b", "#f57fb2", "#ffe066"];
  return layer ? "#ffffff" : hues[others.indexOf(one) % hues.length];
}

// The colour "#rrggbb" as three numbers.
function rgbOf(colour) {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
}

function objectColour(place) {
  if (!state.colour) return ownColour(place);
  const value = columns.get(state.colour)[place];
  if (typeof value !== "number") return NO_VALUE;
  return `rgb(${viridis(0.12 + 0.88 * scaleOfColour.share(value)).join(" ")})`;
}

onChange((changed) => {
  if (changed.has("colour") && state.colour) scaleOfColour = makeScale(columns.get(state.colour));
});
