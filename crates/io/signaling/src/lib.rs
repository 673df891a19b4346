//! SIP over UDP and TCP sockets around the sans-IO core.
