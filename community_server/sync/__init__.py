"""Another system's households, people, rules and cards, by the ids that it calls them."""
