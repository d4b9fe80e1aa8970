"""What a person sees in a terminal: the summary, progress, tables, pictures of lengths and steps.

The room imports `arrays` and what is below; it knows no file and no command. Begin with `report`.
"""
