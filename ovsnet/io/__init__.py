"""The only room that opens sockets: addresses, TLS, connecting, listening, requests in flight."""
