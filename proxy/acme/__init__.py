"""Certificates by themselves: asked for and renewed by ACME (RFC 8555), for the hosts of the rule files alone.

    renewals    rounds: which hosts lack a certificate, or have one that is due, and what becomes of asking
    authority   the other side: account, order, challenge
    attempts    what has failed and when it may be tried again, in a file, so that a restart does not forget
    archive     certificates as they are written: whole or not at all

It is a process of its own. The server only reads what is written here: certificates in their folder, and answers to
challenges below the data folder. So no redirect ever waits for any of this, and where it fails nothing else does.
"""
