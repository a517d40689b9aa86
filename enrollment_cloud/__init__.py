"""Tier 1: public web forms and the relay; of people it knows nothing but what traffic shows."""
