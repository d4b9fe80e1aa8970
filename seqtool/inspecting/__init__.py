"""What is in a file, and what each padded length would cost; both as data, and as tables on the terminal.

The room imports `sources`, `grouping`, `terminal` and what is below. Begin with `describe` and `planning`;
`show_file` and `show_plan` print what they give.
"""
