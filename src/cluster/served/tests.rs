//! The served twin over its own socket.
