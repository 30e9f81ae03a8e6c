"""What is on this host: run directories, sockets, processes."""
