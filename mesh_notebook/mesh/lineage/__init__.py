"""Column lineage, told by the engines: which columns a plan needs once the rest is pruned."""
