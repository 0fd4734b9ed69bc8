"""Forty pipelines in Polars, as a person writes them in a notebook: one function each.

A parameter is an input of `tests/engines/inputs.py`; the body is the notebook's cell.
"""
