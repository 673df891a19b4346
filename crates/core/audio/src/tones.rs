//! Tones: a sine that never jumps, and the keypad.

use tandem_base::ClockRate;

/// A phase-continuous sine.
#[derive(Clone, Debug)]
pub struct Tone {
    // The phasor turns by `turn` each sample; its imaginary part is the sine.
    phasor: (f64, f64),
    turn: (f64, f64),
    amplitude: f64,
}

impl Tone {
    /// A sine of `hz` at `dbfs` (0: just reaches full scale) for samples at `rate`.
    pub fn new(hz: f64, dbfs: f64, rate: ClockRate) -> Self {
        let step = std::f64::consts::TAU * hz / f64::from(rate.hz());
        let amplitude = 10f64.powf(dbfs / 20.0);
        Tone { phasor: (1.0, 0.0), turn: (step.cos(), step.sin()), amplitude }
    }

    /// The test tone of North American trunks: 1004 Hz at −16 dBFS.
    pub fn test(rate: ClockRate) -> Self {
        Tone::new(1_004.0, -16.0, rate)
    }

    /// Writes the next samples over `out`.
    pub fn fill(&mut self, out: &mut [f32]) {
        for x in out.iter_mut() {
            *x = self.next_sample();
        }
        self.normalise();
    }

    /// Adds the next samples to `out`.
    pub fn add(&mut self, out: &mut [f32]) {
        for x in out.iter_mut() {
            *x += self.next_sample();
        }
        self.normalise();
    }

    fn next_sample(&mut self) -> f32 {
        let (re, im) = self.phasor;
        self.phasor = (re * self.turn.0 - im * self.turn.1, re * self.turn.1 + im * self.turn.0);
        (im * self.amplitude) as f32
    }

    /// Rounding makes the phasor's length walk away from one; a frame's worth is put right here.
    fn normalise(&mut self) {
        let (re, im) = self.phasor;
        let correction = 0.5 * (3.0 - (re * re + im * im));
        self.phasor = (re * correction, im * correction);
    }
}

/// A key of the DTMF keypad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digit(u8);

impl Digit {
    const KEYS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D'];

    /// From an event code of RFC 4733 §3.2; `None` above 15.
    pub const fn from_event(event: u8) -> Option<Self> {
        if event < 16 { Some(Digit(event)) } else { None }
    }

    /// From the key's face, `a` to `d` in either case.
    pub fn from_char(key: char) -> Option<Self> {
        let key = key.to_ascii_uppercase();
        let event = Digit::KEYS.iter().position(|k| *k == key)?;
        Digit::from_event(u8::try_from(event).ok()?)
    }

    /// The event code of RFC 4733 §3.2, 0 to 15.
    pub const fn event(self) -> u8 {
        self.0
    }

    /// The key's face.
    pub fn as_char(self) -> char {
        Digit::KEYS.get(usize::from(self.0)).copied().unwrap_or('?')
    }

    /// The low and the high frequency, Hz (ITU-T Q.23).
    pub const fn frequencies(self) -> (f64, f64) {
        const ROWS: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
        const COLUMNS: [f64; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
        let (row, column) = match self.0 {
            0 => (3, 1),
            10 => (3, 0),
            11 => (3, 2),
            12.. => ((self.0 as usize - 12) % 4, 3),
            _ => ((self.0 as usize - 1) / 3, (self.0 as usize - 1) % 3),
        };
        (ROWS[row], COLUMNS[column])
    }
}
