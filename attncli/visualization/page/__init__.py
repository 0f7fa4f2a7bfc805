"""A page on which everything is placed in inches, and the grid that says where.

A new kind of figure says what its cells are and what is written at them: pictures in rows are a
`pictures.PictureSheet`, numbers by two kinds of names a `matrix.Matrix`. Any other kind of cell is
drawn on a `drawing.Page` into the boxes of a `grid.Grid`.
"""
