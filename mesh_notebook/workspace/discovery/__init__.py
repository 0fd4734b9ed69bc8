"""The discovery port: a product described, as one value and in several formats made from it."""
