"""The command line: argv in, text and exit codes out. Each command is a file; `app` joins them.

0 is well, 1 says that what was checked is not, 2 that the command was used wrongly. What was asked for goes to standard
output, everything else to standard error. A command imports what it needs when it runs, so that help and completion by
the shell stay quick.
"""
