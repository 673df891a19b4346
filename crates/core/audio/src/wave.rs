//! Waveform arithmetic that concealment and stretching share.
