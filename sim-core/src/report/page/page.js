// Values under the pointer and by arrow keys, and charts as files. The page is whole without this.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);

  const digits = (value) => String(Number(value.toPrecision(3)));
  const units = {
    s: (v) => v >= 1 ? digits(v) + " s" : v >= 1e-3 ? digits(v * 1e3) + " ms" : digits(v * 1e6) + " µs",
    share: (v) => digits(v * 100) + " %",
    hz: (v) => digits(v) + "/s",
    count: (v) => digits(v),
  };
  const shown = (chart, value) => value === null ? "nothing" : units[chart.unit](value);

  // The picture that this width of screen shows.
  const picture = (figure) =>
    [...figure.querySelectorAll(".wide, .narrow")].find((one) => one.offsetParent !== null);

  // Where its frame begins and ends: shares of its width and height.
  const frame = ({ dataset }) =>
    [dataset.left, dataset.right, dataset.top, dataset.bottom].map(Number);

  const cursors = [];
  const move = (window) => cursors.forEach((place) => place(window));

  const watch = (figure, chart) => {
    const slider = figure.querySelector("input");
    const output = figure.querySelector("output");
    const cursor = document.createElement("div");
    cursor.className = "cursor";
    cursor.hidden = true;
    cursors.push((window) => {
      const box = picture(figure);
      if (!box) return;
      const [left, right, top, bottom] = frame(box);
      box.append(cursor);
      cursor.hidden = false;
      cursor.style.left = 100 * (left + (right - left) * data.middle[window]) + "%";
      cursor.style.top = 100 * top + "%";
      cursor.style.height = 100 * (bottom - top) + "%";
      slider.value = window;
    });
    const tell = (window) => {
      move(window);
      const values = chart.lines.map((line) => line.name + " " + shown(chart, line.values[window]));
      output.textContent = data.windows[window] + ": " + values.join(" · ");
      slider.setAttribute("aria-valuetext", output.textContent);
    };
    slider.addEventListener("input", () => tell(Number(slider.value)));
    figure.querySelector(".plot").addEventListener("pointermove", (event) => {
      const box = picture(figure);
      const [left, right] = frame(box);
      const bounds = box.getBoundingClientRect();
      const share = ((event.clientX - bounds.left) / bounds.width - left) / (right - left);
      let nearest = 0;
      data.middle.forEach((middle, i) => {
        if (Math.abs(middle - share) < Math.abs(data.middle[nearest] - share)) nearest = i;
      });
      tell(nearest);
    });
  };

  const save = (blob, name) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  const export_as = (figure, kind) => {
    const svg = picture(figure).querySelector("svg");
    const text = new XMLSerializer().serializeToString(svg);
    const name = data.scenario + "-" + figure.id.replace("chart-", "") + "." + kind;
    if (kind === "svg") return save(new Blob([text], { type: "image/svg+xml" }), name);
    const image = new Image();
    image.onload = () => {
      const canvas = document.createElement("canvas");
      canvas.width = 2 * svg.viewBox.baseVal.width;
      canvas.height = 2 * svg.viewBox.baseVal.height;
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      canvas.toBlob((blob) => save(blob, name));
    };
    image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(text);
  };

  for (const figure of document.querySelectorAll("figure")) {
    figure.querySelector(".controls").hidden = false;
    const chart = data.charts.find((one) => one.id === figure.dataset.chart);
    if (chart) watch(figure, chart);
    for (const button of figure.querySelectorAll("button[data-save]")) {
      button.addEventListener("click", () => export_as(figure, button.dataset.save));
    }
  }

  // On paper nothing can be opened: what is closed is opened for it, and closed again.
  const closed = [];
  addEventListener("beforeprint", () => {
    for (const one of document.querySelectorAll("main > details:not([open])")) {
      one.open = true;
      closed.push(one);
    }
  });
  addEventListener("afterprint", () => closed.splice(0).forEach((one) => { one.open = false; }));
})();
