//! The leg's media transport: ports, demultiplexing, symmetric latching.
