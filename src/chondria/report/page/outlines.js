// Outlines of labels: the edges between pixels, chained to loops, their corners cut.

function traceOutlines(values, width, height) {
  const edges = new Map(); // of each object: from a corner of pixels to the next
  const stride = width + 1;
  const add = (value, from, to) => {
    let own = edges.get(value);
    if (!own) edges.set(value, (own = new Map()));
    const known = own.get(from);
    if (known) known.push(to);
    else own.set(from, [to]);
  };
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      const value = values[at];
      if (!value) continue;
      const corner = y * stride + x;
      if (y === 0 || values[at - width] !== value) add(value, corner, corner + 1);
      if (x === width - 1 || values[at + 1] !== value) add(value, corner + 1, corner + 1 + stride);
      if (y === height - 1 || values[at + width] !== value)
        add(value, corner + 1 + stride, corner + stride);
      if (x === 0 || values[at - 1] !== value) add(value, corner + stride, corner);
    }
  }
  const paths = new Map();
  for (const [value, own] of edges) paths.set(value - 1, chain(own, stride));
  return paths;
}

function chain(next, stride) {
  const path = new Path2D();
  while (next.size) {
    const first = next.keys().next().value;
    const corners = [];
    let at = first;
    do {
      corners.push(at);
      const ends = next.get(at);
      const to = ends.pop();
      if (!ends.length) next.delete(at);
      at = to;
    } while (at !== first);
    addLoop(path, corners, stride);
  }
  return path;
}

// Through the middles of the edges, so that a staircase becomes a slope.
function addLoop(path, corners, stride) {
  const n = corners.length;
  const middle = (i) => {
    const a = corners[i % n];
    const b = corners[(i + 1) % n];
    return [((a % stride) + (b % stride)) / 2, (Math.floor(a / stride) + Math.floor(b / stride)) / 2];
  };
  let [x, y] = middle(0);
  path.moveTo(x, y);
  for (let i = 1; i < n; i++) {
    const [nx, ny] = middle(i);
    const [fx, fy] = middle(i + 1);
    if (nx - x !== fx - nx || ny - y !== fy - ny) path.lineTo(nx, ny);
    [x, y] = [nx, ny];
  }
  path.closePath();
}
