//! PCM frames, playout, mixing, tones and levels.
