"""TLS: which certificate a client is shown, and how.

    certificates   those of a folder, by the names inside them, swapped while files change; `watch` looks at these
    certificate    one of them, with its key
    handshake      versions, ciphers, tickets, and the certificate by the name that was asked for
    self_signed    certificates for trying out
    challenges     what an ACME server asks for to see whose a host is

Whoever asks for certificates (`proxy.acme`) is another process: a handshake never waits for it.
"""
