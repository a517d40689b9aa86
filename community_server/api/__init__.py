"""How the API describes itself: examples, and what each route refuses with."""
