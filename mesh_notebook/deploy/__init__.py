"""From a bundle to a published snapshot, all or nothing."""
