// A classic script, so that it runs before the first paint: a chosen theme flashes no other one.
document.documentElement.dataset.theme = localStorage.getItem("theme") ?? "auto";
