// A click on any picture: where it was, as shares of width and height.
const all = () => document.querySelectorAll(".gem .cross");
const point = (x, y) => {
  for (const cross of all()) {
    cross.hidden = false;
    cross.style.left = `${100 * x}%`;
    cross.style.top = `${100 * y}%`;
  }
  trigger("point", { x, y });
};
element.addEventListener("click", (event) => {
  const map = event.target.closest(".map");
  if (!map) return;
  const box = map.getBoundingClientRect();
  const share = (value) => Math.min(Math.max(value, 0), 1);
  point(share((event.clientX - box.left) / box.width), share((event.clientY - box.top) / box.height));
});
