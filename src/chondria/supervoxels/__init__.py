"""Supervoxels: regions, their features, a forest of trees, and smoothing over their graph."""
