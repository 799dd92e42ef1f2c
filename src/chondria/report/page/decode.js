// Slices are decoded when they are needed; the last ones are kept.

const KEPT_SLICES = 16;
const decoded = new Map();

function bytesOf(text) {
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return bytes;
}

function textOf(volume, key, index) {
  return document.getElementById(`${volume.prefix}${key}-${index}`).textContent;
}

function decodePicture(volume, key, index) {
  return createImageBitmap(new Blob([bytesOf(textOf(volume, key, index))], { type: "image/jpeg" }));
}

// Runs of foreground: gap, length, place + 1, each in groups of 7 bits.
function decodeRuns(volume, key, index) {
  const bytes = bytesOf(textOf(volume, key, index));
  const values = new Uint32Array(volume.width * volume.height);
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
  return values;
}

function decodeLayer(volume, { key, kind, classes }, index) {
  const values = decodeRuns(volume, key, index);
  const { width, height } = volume;
  if (kind === "classes") return { values, canvas: paintClasses(values, width, height, classes) };
  return { values, paths: traceOutlines(values, width, height) };
}

function paintClasses(values, width, height, classes) {
  const canvas = element("canvas", { width, height });
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(width, height);
  const colours = classes.map(([, colour]) => rgbOf(colour));
  values.forEach((value, i) => {
    if (value) pixels.data.set([...colours[value - 1], 255], 4 * i);
  });
  context.putImageData(pixels, 0, 0);
  return canvas;
}

async function decodeProbability(volume, index) {
  const bitmap = await decodePicture(volume, "probability", index);
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

async function decodeSlice(volume, index) {
  const has = (key) => volume.has.includes(key);
  const [image, probability] = await Promise.all([
    has("image") ? decodePicture(volume, "image", index) : null,
    has("probability") ? decodeProbability(volume, index) : null,
  ]);
  const planes = {};
  for (const one of volume.layers) planes[one.key] = decodeLayer(volume, one, index);
  return { volume, index, image, probability, planes };
}

function loadSlice(volume, index) {
  const name = volume.prefix + index;
  const found = decoded.get(name) ?? decodeSlice(volume, index);
  decoded.delete(name);
  decoded.set(name, found);
  if (decoded.size > KEPT_SLICES) decoded.delete(decoded.keys().next().value);
  return found;
}
