//! Opus, G.711 and G.722 behind one trait.
