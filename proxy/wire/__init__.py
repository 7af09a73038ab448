"""Pure bytes of HTTP and HTML: what goes over the wire, and nothing that opens a socket."""
