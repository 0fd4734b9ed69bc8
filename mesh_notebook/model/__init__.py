"""What a data product is, as plain values: no I/O beyond its own schemas, no heavy imports."""
