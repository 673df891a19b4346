//! Media threads: batched UDP, the 20 ms tick, mixing and renditions.
