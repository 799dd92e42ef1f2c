// Numbers as people read them, names of measures, and axes.

const UNITS = { um3: "µm³", um2: "µm²", um: "µm", nm: "nm", px: "px" };

function nameOf(column) {
  const at = column.lastIndexOf("_");
  const unit = UNITS[column.slice(at + 1)];
  const words = (unit && at > 0 ? column.slice(0, at) : column).replaceAll("_", " ");
  return { words, unit: at > 0 ? (unit ?? "") : "" };
}

function titleOf(column) {
  const { words, unit } = nameOf(column);
  return unit ? `${words} (${unit})` : words;
}

function said(value) {
  if (value === null || value === undefined) return "–";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value !== "number") return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return String(value);
  const size = Math.abs(value);
  if (size >= 1e-3 && size < 1e6)
    return size >= 1000 ? value.toFixed(0) : String(Number(value.toPrecision(4)));
  return value.toExponential(2).replace("e+", "e");
}

function isMeasure(name) {
  const values = columns.get(name);
  return name !== "id" && values.some((v) => typeof v === "number") &&
    values.every((v) => v === null || typeof v === "number");
}

function quantile(sorted, share) {
  const at = (sorted.length - 1) * share;
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (at - low);
}

// From the lowest to the highest value; by powers of ten where most would else stand in one bin.
function makeScale(values) {
  const sorted = values.filter((v) => typeof v === "number").sort((a, b) => a - b);
  let [low, high] = [sorted[0] ?? 0, sorted[sorted.length - 1] ?? 1];
  const log = low > 0 && high / quantile(sorted, 0.5) > 8 && high / low > 20;
  if (low === high) [low, high] = [low - Math.abs(low || 1) / 2, high + Math.abs(high || 1) / 2];
  const to = log ? Math.log : (v) => v;
  const from = log ? Math.exp : (v) => v;
  const [a, b] = [to(low), to(high)];
  return {
    low, high, log,
    median: sorted.length ? quantile(sorted, 0.5) : null,
    share: (value) => (to(value) - a) / (b - a),
    value: (share) => from(a + (b - a) * share),
    ticks: log ? powers(low, high) : roundTicks(low, high),
  };
}

function roundTicks(low, high) {
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((f) => f * power).find((s) => s >= rough);
  const ticks = [];
  for (let i = Math.ceil(low / step); i * step <= high * (1 + 1e-12); i++)
    ticks.push(Number((i * step).toPrecision(12)));
  return ticks;
}

function powers(low, high) {
  const ticks = [];
  for (let e = Math.floor(Math.log10(low)); 10 ** e <= high; e++)
    for (const f of high / low > 300 ? [1] : [1, 3])
      if (f * 10 ** e >= low && f * 10 ** e <= high) ticks.push(Number((f * 10 ** e).toPrecision(6)));
  return ticks;
}

function median(values) {
  const sorted = values.filter((v) => typeof v === "number").sort((a, b) => a - b);
  return sorted.length ? quantile(sorted, 0.5) : null;
}

// A bar of a round length, about a fifth of the width that is seen.
function scaleBar(seenPx) {
  const size = grid.voxel_size_nm;
  const unit = size ? size[2] : 1;
  const wanted = seenPx * unit / 5;
  const power = 10 ** Math.floor(Math.log10(wanted));
  const length = [5, 2, 1].map((f) => f * power).find((l) => l <= wanted) ?? power;
  if (!size) return { px: length, text: `${said(length)} px` };
  return { px: length / unit, text: length >= 1000 ? `${said(length / 1000)} µm` : `${said(length)} nm` };
}
