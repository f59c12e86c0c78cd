/**
 * The grid of one's pictures. Only the rows near the window are in the page, however many there are:
 * each cell stands where its number says, and the list is as high as all of them.
 */

import { Cell } from "./cell.js";
import { byId, element, spinner } from "./dom.js";
import { noticeOf } from "./notice.js";
import { say } from "./words.js";

const GAP = 2; // pixels between cells
const WIDTH = 160; // pixels of a cell, about
const LEAST_COLUMNS = 3;
const AROUND = 1; // windows above and below that are in the page as well
const AHEAD = 3; // windows below that pictures are fetched for
const WHEN_MS = 900; // how long the date stays after scrolling

export class Grid {
  #library;
  #open;
  #view = byId("grid");
  #list = byId("cells");
  #foot = byId("foot");
  #when = byId("when");
  #cells = new Map(); // by picture, those in the page
  #current = 0; // the stop of the Tab key
  #columns = LEAST_COLUMNS;
  #row = 1; // pixels from one row to the next
  #frame = null;
  #hideWhen = null;

  /**
   * @param {import("./library.js").Library} library
   * @param {(picture: object) => void} open
   */
  constructor(library, open) {
    this.#library = library;
    this.#open = open;
    byId("grid-title").textContent = say("title");
    library.addEventListener("change", () => this.#render());
    library.addEventListener("update", ({ detail }) => this.#cells.get(detail)?.update());
    this.#view.addEventListener("scroll", () => this.#onScroll(), { passive: true });
    this.#list.addEventListener("keydown", (event) => this.#onKey(event));
    this.#list.addEventListener("focusin", (event) => this.#onFocus(event));
    new ResizeObserver(() => this.#resize()).observe(this.#view);
    this.#resize();
  }

  get isAtTop() {
    return this.#view.scrollTop < this.#row;
  }

  /** Has it seen and heard, or neither; where it is scrolled to stays. */
  show(isShown) {
    this.#view.inert = !isShown;
    if (isShown) this.#render();
  }

  /** Gives the focus to a picture, or to what has taken its place. */
  focus(index) {
    const last = this.#library.pictures.length - 1;
    if (last < 0) return;
    this.#current = Math.min(Math.max(index, 0), last);
    this.#reveal(this.#current);
    this.#render();
    this.#cells.get(this.#library.pictures[this.#current]).button.focus({ preventScroll: true });
  }

  #onScroll() {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = null;
      this.#render();
      this.#showWhen();
    });
  }

  /** What was at the top stays there, in rows of another length. */
  #resize() {
    const width = this.#list.clientWidth;
    const first = this.#rowAt(this.#view.scrollTop) * this.#columns;
    const isScrolled = !this.isAtTop;
    this.#columns = Math.max(LEAST_COLUMNS, Math.round(width / WIDTH));
    const size = (width - GAP * (this.#columns - 1)) / this.#columns;
    this.#row = size + GAP;
    this.#list.style.setProperty("--size", `${size}px`);
    this.#stretch();
    if (isScrolled) this.#view.scrollTop = this.#topOf(first);
    this.#render();
  }

  #stretch() {
    const rows = Math.ceil(this.#library.pictures.length / this.#columns);
    this.#list.style.height = `${rows * this.#row}px`;
  }

  #rowAt(top) {
    return Math.max(0, Math.floor((top - this.#list.offsetTop) / this.#row));
  }

  #topOf(index) {
    return this.#list.offsetTop + Math.floor(index / this.#columns) * this.#row;
  }

  /** Scrolls as little as brings a picture into the window. */
  #reveal(index) {
    const top = Math.floor(this.#topOf(index));
    const highest = Math.ceil(top + this.#row + 1 - this.#view.clientHeight);
    const { scrollTop } = this.#view;
    if (index < this.#columns) this.#view.scrollTop = 0;
    else this.#view.scrollTop = Math.min(Math.max(scrollTop, highest), top);
  }

  /** Puts into the page what belongs into it now, in order, and takes out the rest. */
  #render() {
    const { pictures, complete } = this.#library;
    this.#stretch();
    const { scrollTop, clientHeight } = this.#view;
    const indexes = this.#wanted(scrollTop, clientHeight);
    const wanted = new Set(indexes.map((index) => pictures[index]));
    for (const [picture, cell] of this.#cells) {
      if (wanted.has(picture)) continue;
      cell.remove();
      this.#cells.delete(picture);
    }
    let next = this.#list.firstElementChild;
    for (const index of indexes) {
      const cell = this.#cellOf(pictures[index]);
      const x = (index % this.#columns) * this.#row;
      const y = Math.floor(index / this.#columns) * this.#row;
      cell.place(x, y, index + 1, complete ? pictures.length : -1);
      cell.button.tabIndex = index === this.#current ? 0 : -1;
      if (cell.node === next) next = next.nextElementSibling;
      else this.#list.insertBefore(cell.node, next);
    }
    const needed = this.#rowAt(scrollTop + (1 + AHEAD) * clientHeight) * this.#columns;
    if (!this.#library.error && needed >= pictures.length) this.#library.more();
    this.#renderFoot();
  }

  /** Numbers of the pictures that belong into the page; the one with the focus always does. */
  #wanted(scrollTop, clientHeight) {
    const last = this.#library.pictures.length - 1;
    const from = this.#rowAt(scrollTop - AROUND * clientHeight) * this.#columns;
    const to = (this.#rowAt(scrollTop + (1 + AROUND) * clientHeight) + 1) * this.#columns - 1;
    const indexes = [];
    for (let index = from; index <= Math.min(to, last); index += 1) indexes.push(index);
    if (this.#list.contains(document.activeElement)) {
      if (this.#current < from) indexes.unshift(this.#current);
      else if (this.#current > to && this.#current <= last) indexes.push(this.#current);
    } else {
      const seen = this.#rowAt(scrollTop + this.#row - 1) * this.#columns;
      const unseen = this.#rowAt(scrollTop + clientHeight) * this.#columns;
      if (this.#current < seen || this.#current >= unseen) this.#current = Math.min(seen, Math.max(last, 0));
    }
    return indexes;
  }

  #cellOf(picture) {
    const cell = this.#cells.get(picture) ?? new Cell(picture, this.#open);
    this.#cells.set(picture, cell);
    return cell;
  }

  /** Below the pictures: that more are coming, that they did not come, or that there are none. */
  #renderFoot() {
    const { pictures, complete, error } = this.#library;
    const state = error ? "failed" : !complete ? "loading" : pictures.length === 0 ? "empty" : "complete";
    if (this.#foot.dataset.state === state) return;
    this.#foot.dataset.state = state;
    this.#foot.replaceChildren(...this.#footOf(state, error));
  }

  #footOf(state, error) {
    // Only the first page is worth being read out.
    if (state === "loading") return [spinner(this.#library.pictures.length === 0 && say("loading"))];
    if (state === "failed") {
      const retry = () => {
        this.#library.more();
        this.#renderFoot();
        this.#foot.focus();
      };
      return noticeOf("trouble", element("p", {}, error.message), { label: say("retry"), run: retry });
    }
    return state === "empty" ? noticeOf("image", element("p", {}, say("empty"))) : [];
  }

  /** While one scrolls, when the pictures in sight were made. */
  #showWhen() {
    const index = this.#rowAt(this.#view.scrollTop + this.#row / 2) * this.#columns;
    const picture = this.#library.pictures[index];
    clearTimeout(this.#hideWhen);
    this.#when.hidden = this.isAtTop || !picture;
    if (picture) this.#when.firstElementChild.textContent = picture.date;
    this.#hideWhen = setTimeout(() => (this.#when.hidden = true), WHEN_MS);
  }

  #onFocus({ target }) {
    const focused = [...this.#cells].find(([, { button: node }]) => node === target);
    if (!focused) return;
    this.#current = this.#library.pictures.indexOf(focused[0]);
    for (const [picture, cell] of this.#cells) cell.button.tabIndex = picture === focused[0] ? 0 : -1;
  }

  #onKey(event) {
    if (event.altKey || event.metaKey) return;
    const last = this.#library.pictures.length - 1;
    const page = Math.max(1, Math.floor(this.#view.clientHeight / this.#row)) * this.#columns;
    const steps = {
      ArrowLeft: this.#current - 1,
      ArrowRight: this.#current + 1,
      ArrowUp: this.#current - this.#columns,
      ArrowDown: this.#current + this.#columns,
      PageUp: Math.max(this.#current - page, this.#current % this.#columns),
      PageDown: Math.min(this.#current + page, last),
      Home: 0,
      End: last,
    };
    if (!(event.key in steps)) return;
    event.preventDefault();
    const next = steps[event.key];
    if (next >= 0 && next <= last) this.focus(next);
    else if (event.key === "ArrowDown") this.focus(last); // the last row may be shorter
  }
}
