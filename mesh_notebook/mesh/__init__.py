"""The mesh on disk: find products, read their ports, store their snapshots."""
