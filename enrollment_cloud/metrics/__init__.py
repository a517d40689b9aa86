"""How one cloud process is doing, in figures that a monitoring system asks for."""
