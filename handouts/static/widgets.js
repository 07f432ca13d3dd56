/**
 * Runs the page's widgets without a kernel.
 *
 * The rule kept here: a widget's own module draws it, as in JupyterLab; this
 * file only hands it the state that was kept.  Until a widget has drawn
 * itself, and where it cannot, its static form stands.
 */

/** A model of which nobody else has a copy: it tells, keeps, and asks nobody. */
class StillModel {
  constructor(state) {
    this.state = state;
  }
  get(name) {
    return this.state[name];
  }
  set(name, value) {
    this.state[name] = value;
  }
  on() {}
  off() {}
  send() {}
  save_changes() {}
}

async function load(text) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  try {
    const widget = (await import(address)).default;
    return typeof widget === "function" ? await widget() : widget;
  } finally {
    URL.revokeObjectURL(address);
  }
}

async function run(place, state, module) {
  const { render } = await module;
  const el = document.createElement("div");
  el.className = "live";
  place.append(el);
  await render({ model: new StillModel(state), el });
  place.dataset.runs = "";
}

{
  const { modules, models } = JSON.parse(document.getElementById("widgets").textContent);
  const loaded = modules.map(load);
  for (const place of document.querySelectorAll("[data-widget]")) {
    const { state, module } = models[place.dataset.widget];
    run(place, state, loaded[module]);
  }
}
