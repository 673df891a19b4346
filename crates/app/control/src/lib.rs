//! The owner of calls and rooms; everything below it is a port.
