//! TOML to a checked configuration, with errors that name file, line and key.
