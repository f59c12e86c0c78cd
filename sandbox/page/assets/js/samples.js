/** Sample photos from the package: what the small model draws well. */

export const SAMPLES = [
  { name: "cat.jpg", label: "A cat" },
  { name: "camera.jpg", label: "A camera" },
  { name: "palace.jpg", label: "A palace" },
];

export const sampleUrl = (sample) => `/page/samples/${sample.name}`;

/** A sample as a file, as if it had been chosen from a disk. */
export async function loadSample(sample) {
  const response = await fetch(sampleUrl(sample));
  return new File([await response.blob()], sample.name, { type: "image/jpeg" });
}
