"""The whole estate locked down, and released again."""
