// Values of line charts: of the place under the pointer, or by the arrow keys.

function buildChart(figure) {
  const plot = figure.querySelector("svg");
  const readout = figure.querySelector(".readout");
  const { x, at, lines, rest } = JSON.parse(figure.dataset.chart);
  const guide = svg("path", { class: "guide" });
  plot.append(guide);
  const box = plot.viewBox.baseVal;
  let place = null;
  const show = (next) => {
    place = next;
    guide.setAttribute("d", place === null ? "" : `M${at[place]} ${figure.dataset.top}V${figure.dataset.floor}`);
    readout.textContent = place === null ? rest
      : [x[place], ...lines.map(({ name, values }) => `${name} ${values[place]}`)].join(" · ");
  };
  const nearest = (event) => {
    const seen = plot.getBoundingClientRect();
    const wanted = ((event.clientX - seen.left) / seen.width) * box.width;
    return at.reduce((best, one, i) => (Math.abs(one - wanted) < Math.abs(at[best] - wanted) ? i : best), 0);
  };
  plot.addEventListener("pointermove", (event) => show(nearest(event)));
  plot.addEventListener("pointerdown", (event) => show(nearest(event)));
  plot.addEventListener("pointerleave", () => show(null));
  plot.addEventListener("blur", () => show(null));
  plot.addEventListener("keydown", (event) => {
    const last = at.length - 1;
    const now = place ?? (event.key === "ArrowLeft" ? last + 1 : -1);
    const next = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: last }[event.key];
    if (event.key === "Escape") show(null);
    else if (next === undefined) return;
    else show(Math.min(Math.max(next, 0), last));
    event.preventDefault();
    announce(readout.textContent);
  });
  show(null);
}
