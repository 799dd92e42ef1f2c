"""Recipes: what a YAML file may say, with bounds, frozen once read."""
