// Imported for what it does when it runs.
declare module "htmx.org/dist/htmx.esm.js";
