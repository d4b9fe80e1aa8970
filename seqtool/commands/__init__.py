"""The subcommands, one file each; files whose name begins with _ are what they share.

A command parses, calls and reports; it imports any room, but no other command. A new file here is a new subcommand.
"""
