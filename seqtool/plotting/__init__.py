"""Pictures of files: lengths, mask, features and labels as `.png`, `.svg` or `.html`.

`sampling` reads no more than a picture shows, `portrait` is all that it shows as numbers, `boxes` and `panels` draw it,
`figure` and `webpages` make the file.

The room imports `files`, `sequences` and what is below.
"""

from seqtool.plotting.figure import check_matplotlib, picture

__all__ = ["check_matplotlib", "picture"]
