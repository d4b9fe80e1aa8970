"""Shapes in which sequences come, one file each, against plain Python."""
