"""Pictures of files: lengths, mask, features and labels as `.png`, `.svg` or `.html`.

The room imports `sequences` and what is below. Begin with `portrait`, the numbers that a picture shows, read by
`sampling` and `drawn_labels`; `panels` draw them into `boxes`, and `figure` and `webpages` make the file.
"""

from seqtool.plotting.figure import check_matplotlib, picture

__all__ = ["check_matplotlib", "picture"]
