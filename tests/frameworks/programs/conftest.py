"""The programs of this folder import frameworks: they run in processes of their own and hold no tests."""

collect_ignore_glob = ["*.py"]
