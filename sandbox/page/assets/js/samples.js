/** Sample photos from the package. */

export const SAMPLES = [
  { name: "cat.jpg", label: "A cat" },
  { name: "coffee.jpg", label: "A coffee" },
  { name: "rocket.jpg", label: "A rocket" },
];

export const sampleUrl = (sample) => `/page/samples/${sample.name}`;

/** A sample as a file, as if it had been chosen from a disk. */
export async function loadSample(sample) {
  const response = await fetch(sampleUrl(sample));
  return new File([await response.blob()], sample.name, { type: "image/jpeg" });
}
