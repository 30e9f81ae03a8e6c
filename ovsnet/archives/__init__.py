"""What people keep and send: files, directories and archives, read as streams of blocks, and written whole."""
