"""Pictures of files: lengths, mask, features and labels as `.png`, `.svg` or `.html`.

The room imports `sequences` and what is below. Begin with `portrait`, all that a picture shows as numbers; `sampling`
reads no more than that, `boxes` and `panels` draw it, `figure` and `webpages` make the file.
"""

from seqtool.plotting.figure import check_matplotlib, picture

__all__ = ["check_matplotlib", "picture"]
