//! A call: offer/answer state, hold, release cause.
