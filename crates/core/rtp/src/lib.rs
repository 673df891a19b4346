//! RTP and RTCP wire formats, jitter buffer, reception statistics.
