/* <gold-plot>: a plot, drawn from the Vega-Lite specification in the script that it holds.

   The library comes with the first plot that is about to be seen. Colors are the design's custom properties, which
   the browser looks up itself, so a change of theme needs nothing of us. A plot that htmx puts in the place of one
   with the same id shows the old picture until the new one is there. */

let library = null;
const load = () => (library ??= import("goldset/vega.js"));

const pictures = new Map(); // id -> the picture last shown

class GoldPlot extends HTMLElement {
  #view = null;
  #coming = new IntersectionObserver(
    (entries) => {
      if (entries.some((entry) => entry.isIntersecting)) this.#draw();
    },
    { rootMargin: "200px" },
  );

  connectedCallback() {
    const before = pictures.get(this.id);
    if (before) this.append(before);
    this.#coming.observe(this);
  }

  disconnectedCallback() {
    this.#coming.disconnect();
    this.#view?.finalize();
  }

  async #draw() {
    this.#coming.disconnect();
    const spec = JSON.parse(this.querySelector("script").textContent);
    spec.config.font = getComputedStyle(this).fontFamily; // texts are measured as they will be shown
    const picture = document.createElement("div");
    picture.className = "picture";
    picture.dir = "ltr"; // axes begin on the left in every script
    picture.ariaHidden = "true"; // the plot as a whole is one picture with a name; its numbers stand in the table
    this.classList.add("drawing");
    this.append(picture); // it must be laid out, for the plot is as wide as its place
    try {
      const { vegaEmbed } = await load();
      this.#view = await vegaEmbed(picture, spec, {
        actions: false,
        ast: true, // no code is made of strings
        defaultStyle: false,
        renderer: "svg",
        tooltip: { disableDefaultStyle: true },
      });
    } catch (error) {
      picture.remove();
      console.warn("A plot could not be drawn; its numbers are in the table.", error);
      return;
    } finally {
      this.classList.remove("drawing");
    }
    for (const other of this.querySelectorAll(".picture")) if (other !== picture) other.remove();
    if (this.id) pictures.set(this.id, picture);
    this.dispatchEvent(new CustomEvent("plot:drawn", { bubbles: true }));
  }
}
customElements.define("gold-plot", GoldPlot);
