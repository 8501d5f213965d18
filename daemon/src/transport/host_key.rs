//! Which host key is the peer's: pinned from its card, never trust on first use, never a known_hosts file.
