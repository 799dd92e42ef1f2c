"""What each object measures: size, shape, place and grey values, in physical units."""
