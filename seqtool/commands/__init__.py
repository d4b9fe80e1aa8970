"""One module a subcommand: parse, call, report. A new file here is a new subcommand."""
