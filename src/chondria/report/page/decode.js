// Slices are decoded when they are needed; the last ones are kept.

const KEPT_SLICES = 16;
const decoded = new Map();

function bytesOf(text) {
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return bytes;
}

function textOf(key, index) {
  return document.getElementById(`${key}-${index}`).textContent;
}

function decodePicture(key, index) {
  return createImageBitmap(new Blob([bytesOf(textOf(key, index))], { type: "image/jpeg" }));
}

// Runs of foreground: gap, length, place + 1, each in groups of 7 bits.
function decodeLabels(key, index) {
  const bytes = bytesOf(textOf(key, index));
  const values = new Uint32Array(grid.width * grid.height);
  let at = 0;
  let offset = 0;
  const number = () => {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = bytes[offset++];
      value += (byte & 127) * factor;
      if (byte < 128) return value;
      factor *= 128;
    }
  };
  while (offset < bytes.length) {
    at += number();
    const end = at + number();
    values.fill(number(), at, end);
    at = end;
  }
  return { values, paths: traceOutlines(values, grid.width, grid.height) };
}

async function decodeProbability(index) {
  const bitmap = await decodePicture("probability", index);
  const { width, height } = bitmap;
  const canvas = element("canvas", { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  const pixels = context.getImageData(0, 0, width, height);
  const values = new Uint8Array(width * height);
  for (let i = 0; i < values.length; i++) {
    const p = (values[i] = pixels.data[4 * i]);
    const [r, g, b] = viridis(p / 255);
    pixels.data.set([r, g, b, p < 8 ? 0 : 90 + p * 0.45], 4 * i);
  }
  context.putImageData(pixels, 0, 0);
  return { canvas, values, width, height };
}

async function decodeSlice(index) {
  const has = (key) => grid.has.includes(key);
  const [image, probability] = await Promise.all([
    has("image") ? decodePicture("image", index) : null,
    has("probability") ? decodeProbability(index) : null,
  ]);
  const planes = {};
  for (const { key } of [layer, ...others].filter(Boolean)) planes[key] = decodeLabels(key, index);
  return { index, image, probability, planes };
}

function loadSlice(index) {
  const found = decoded.get(index) ?? decodeSlice(index);
  decoded.delete(index);
  decoded.set(index, found);
  if (decoded.size > KEPT_SLICES) decoded.delete(decoded.keys().next().value);
  return found;
}
