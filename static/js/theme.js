/* Light, dark, or as the system says. A classic script in the head, so that the page never flashes in the wrong one. */
{
  const key = "goldset:theme";
  const apply = (theme) => {
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
  };
  const stored = () => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null; // storage is forbidden: the system decides
    }
  };
  apply(stored());

  document.addEventListener("DOMContentLoaded", () => {
    for (const select of document.querySelectorAll("select[data-theme-switch]")) {
      select.value = stored() ?? "system";
      select.addEventListener("change", () => {
        apply(select.value);
        try {
          localStorage.setItem(key, select.value);
        } catch {
          /* lasts until the page is left */
        }
      });
    }
  });
}
