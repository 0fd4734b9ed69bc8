"""Step one: data that does not exist yet, honest about being made up."""
