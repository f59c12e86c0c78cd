/** Colours as [red, green, blue], 0 to 255, and how well one can be read on others (WCAG 2.2). */

const READABLE = 4.5;

export const BLACK = [0, 0, 0];
export const WHITE = [255, 255, 255];

/** Reads "#rrggbb"; gives null for anything else. */
export function parse(text) {
  if (!/^#[0-9a-f]{6}$/i.test(text)) return null;
  return [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));
}

export const format = (colour) =>
  `#${colour.map((part) => Math.round(part).toString(16).padStart(2, "0")).join("")}`;

/** A colour with a share, 0 to 1, of another in it. */
export const mix = (colour, other, share) =>
  colour.map((part, at) => Math.round(part + (other[at] - part) * share));

/** Relative luminance, 0 to 1. */
export function luminance(colour) {
  const [red, green, blue] = colour.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Whether a colour can be read on all of these. */
export const isReadable = (colour, backgrounds) =>
  backgrounds.every((background) => contrast(colour, background) >= READABLE);

/** The colour, or the nearest one towards black or white that can be read on all of these. */
export function readable(colour, backgrounds) {
  for (let share = 0; share <= 1; share += 0.05) {
    for (const end of [BLACK, WHITE]) {
      const nearer = mix(colour, end, share);
      if (isReadable(nearer, backgrounds)) return nearer;
    }
  }
  return isReadable(BLACK, backgrounds) ? BLACK : WHITE;
}

function contrast(one, other) {
  const [dark, bright] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (bright + 0.05) / (dark + 0.05);
}
