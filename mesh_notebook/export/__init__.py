"""From the record of what ran to a module that is proved to do the same."""
