/** Replying by a finger: a message that is drawn to the left is replied to. */

const STARTS = 12; // pixels in which a finger shows where it goes
const ENOUGH = 56;
const FURTHEST = 76;

/**
 * @param {HTMLElement} list its messages can be drawn.
 * @param {(node: HTMLElement, target: Element) => void} reply gets the message's element, and what
 *   in it was touched.
 */
export function replyBySwipe(list, reply) {
  let drawn = null;

  const letGo = (event) => {
    if (!drawn) return;
    const { node, target, x, moves } = drawn;
    drawn = null;
    node.style.translate = "";
    if (event.type === "pointerup" && moves && x - event.clientX >= ENOUGH) reply(node, target);
  };

  list.addEventListener("pointerdown", (event) => {
    const node = event.target.closest("li.message");
    if (event.pointerType !== "touch" || !node || !event.isPrimary) return;
    drawn = { node, target: event.target, x: event.clientX, y: event.clientY, moves: false };
  });
  list.addEventListener("pointermove", (event) => {
    if (!drawn) return;
    const left = drawn.x - event.clientX;
    const aside = Math.abs(drawn.y - event.clientY);
    drawn.moves ||= left > STARTS && left > 2 * aside;
    if (drawn.moves) drawn.node.style.translate = `${-Math.min(Math.max(left, 0), FURTHEST)}px`;
  });
  for (const kind of ["pointerup", "pointercancel"]) list.addEventListener(kind, letGo);
}
