/** Light, dark, or as the machine has it. */

const KEY = "theme";

export const themes = [
  { name: "auto", label: "As this machine" },
  { name: "light", label: "Light" },
  { name: "dark", label: "Dark" },
];

export const theme = {
  get: () => document.documentElement.dataset.theme,
  set(name) {
    document.documentElement.dataset.theme = name;
    localStorage.setItem(KEY, name);
  },
};

// Other windows follow.
addEventListener("storage", (event) => {
  if (event.key === KEY) document.documentElement.dataset.theme = event.newValue ?? "auto";
});
