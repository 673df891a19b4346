//! Real clients against the real program.
