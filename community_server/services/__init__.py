"""Service workers: their companies, who comes for whom, and for how long."""
