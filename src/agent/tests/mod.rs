//! The agent, whole: against servers and senders on loopback.
