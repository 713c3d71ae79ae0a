"""Catalogues of merchants: read in the forms in which shops give them, compared, taken over."""
