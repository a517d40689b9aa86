"""How the estate is doing, in figures that a monitoring system asks for."""
