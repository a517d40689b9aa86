"""The daily report: what one day was like at all doors, signed off by name."""
