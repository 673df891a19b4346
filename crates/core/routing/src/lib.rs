//! (request, table) to decision, as a pure function.
