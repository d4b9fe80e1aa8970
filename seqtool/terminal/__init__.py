"""What the user sees in a terminal: the summary, progress, tables, pictures of lengths and steps.

The room imports `arrays` and what is below; it knows no files and no commands. Begin with `report`: `Summary` is what
every command shows at its end.
"""
