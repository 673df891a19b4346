use tandem_audio::VoiceDetector;
use tandem_base::ClockRate;

/// Sounds that a group listens to at a time: enough for twenty people who talk at once, each judged every two seconds.
const EARS: usize = 2;

/// Listens closely to a few seats at a time, whether what they say is a voice.
#[derive(Default)]
pub struct Ears(Vec<Ear>);

struct Ear {
    detector: VoiceDetector,
    seat: Option<usize>,
}

impl Ears {
    /// Gets ready; until then it hears nothing.
    pub fn open(&mut self) {
        while self.0.len() < EARS {
            // Every rate that it needs there is.
            let Ok(detector) = VoiceDetector::new() else { return };
            self.0.push(Ear { detector, seat: None });
        }
    }

    /// Takes 20 ms of a seat. `Some`: it was a voice, or not. `None`: not known yet, or too many others are listened to.
    pub fn listen(&mut self, seat: usize, pcm: &[f32], rate: ClockRate) -> Option<bool> {
        let own = self.0.iter().position(|e| e.seat == Some(seat));
        let index = own.or_else(|| self.0.iter().position(|e| e.seat.is_none()))?;
        let ear = self.0.get_mut(index)?;
        if own.is_none() {
            ear.detector.reset();
            ear.seat = Some(seat);
        }
        let verdict = ear.detector.hear(pcm, rate)?;
        ear.seat = None;
        Some(verdict)
    }

    /// Nothing more comes from a seat.
    pub fn turn_away(&mut self, seat: usize) {
        for ear in self.0.iter_mut().filter(|e| e.seat == Some(seat)) {
            ear.seat = None;
        }
    }
}
