// Puts the parts into the page.

const root = document.documentElement;

function buildTheme(button) {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  button.addEventListener("click", () => {
    const now = root.dataset.theme ?? (dark.matches ? "dark" : "light");
    root.dataset.theme = now === "dark" ? "light" : "dark";
    announce(`${root.dataset.theme} colours`);
  });
}

function buildCopy(button) {
  button?.addEventListener("click", async () => {
    const text = document.getElementById("methods-text");
    const numbered = [...text.querySelectorAll("li")].map((item, i) => `[${i + 1}] ${item.textContent}`);
    const plain = [...[...text.querySelectorAll("p")].map((p) => p.textContent), ...numbered].join("\n\n");
    try {
      await navigator.clipboard.writeText(plain);
      button.textContent = "Copied";
    } catch {
      window.getSelection().selectAllChildren(text); // no clipboard: it is marked, ready for Ctrl+C
      button.textContent = "Marked: press Ctrl+C";
    }
    announce(button.textContent);
    setTimeout(() => { button.textContent = "Copy"; }, 2500);
  });
}

// A line of the worklist leads to its place, close up.
function jump(row) {
  const names = data.worklist.names;
  const read = (axis) => {
    const at = names.findIndex((n) => n === `${axis}_px` || n === axis);
    return at < 0 ? null : data.worklist.columns[at][row];
  };
  const [z, y, x] = ["z", "y", "x"].map(read);
  const at = names.indexOf("ids") < 0 ? names.indexOf("id") : names.indexOf("ids");
  const [id] = String(at < 0 ? "" : (data.worklist.columns[at][row] ?? "")).match(/\d+/) ?? [];
  const place = id === undefined ? -1 : ids.findIndex((known) => String(known) === id);
  change({ pinned: place < 0 ? null : place });
  if (z === null || y === null || x === null) showPlace(place, true);
  else {
    const slice = nearestSlice(z);
    const marker = { slice, y: y / grid.step, x: x / grid.step };
    const zoom = Math.max(viewer.view.zoom, Math.min(3, Math.max(1, grid.width / 200)));
    Object.assign(viewer.view, { x: marker.x, y: marker.y, zoom });
    change({ slice, marker });
  }
  document.getElementById("slices").scrollIntoView();
  viewer.stage.focus({ preventScroll: true });
}

function buildContents(links) {
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      for (const link of links) {
        if (link.hash === `#${entry.target.id}`) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
    }
  }, { rootMargin: "-20% 0px -70% 0px" });
  for (const part of document.querySelectorAll("main > section")) seen.observe(part);
}

buildTheme(document.getElementById("theme"));
buildCopy(document.getElementById("copy-methods"));
buildContents(document.querySelectorAll(".contents a"));
if (grid) {
  const host = document.getElementById("viewer");
  buildViewer(host);
  if (layer) buildInspector(host);
}
for (const figure of document.querySelectorAll("figure.chart")) buildChart(figure);
if (rowCount) {
  buildHistograms(document.getElementById("histograms"));
  buildTable(document.getElementById("object-table"));
}
for (const button of document.querySelectorAll(".jump"))
  button.addEventListener("click", () => jump(Number(button.dataset.row)));
if (!grid) root.dataset.ready = "true";
