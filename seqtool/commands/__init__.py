"""The subcommands, one file each; files whose name begins with _ are what they share.

A command parses, calls and reports; it imports any room, but no other command. Begin with `pad`, and
`_transform`, the command of every operation. A new file here is a new subcommand.
"""
