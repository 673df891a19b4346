use crate::level::rms_dbfs;

use super::Fader;

/// Blocks of 10 ms that an echo may take: network, jitter buffers and the room there and back.
const LAGS: usize = 80;
/// Levels below this are silence, dBFS: their ups and downs say nothing.
const SILENCE: f32 = -60.0;
/// What is louder can be heard, dBFS.
const AUDIBLE: f32 = -50.0;
/// Weight of the newest block in the running figures: they look back about 1.5 s.
const FORGET: f32 = 1.0 / 150.0;
/// An echo's level follows what was sent: from this correlation on it is believed to be one.
const SURE: f32 = 0.8;
/// Variances below this, dB², are a steady sound, whose level correlates with anything.
const LIVELY: f32 = 20.0;
/// What is louder than the echo that is expected by so much is somebody who speaks, dB.
const MARGIN: f32 = 6.0;
/// What is fainter by so much is not there, dB; after [`PATIENCE`] such blocks in a row there is no echo any more.
const ABSENT: f32 = 12.0;
/// One second.
const PATIENCE: u32 = 100;
/// Weight of the newest block in the echo's loudness.
const LOSS_SHARE: f32 = 0.02;
/// An expected echo dies away by so much a block, dB: a room's reverberation of 0.4 s.
const DECAY: f32 = 1.5;
/// Of an echo so much is left, as a factor of the amplitude: −40 dB.
const REST: f32 = 0.01;
/// Share of the way back to unity in one block.
const RELEASE: f32 = 0.3;

/// Attenuates what comes from a leg while it is an echo of what was sent to it.
///
/// It compares loudness, not waveforms: where the level of what comes follows the level of what was sent, at one
/// delay of up to 0.8 s, an echo of so many decibels is expected from then on. What is not clearly louder than that is
/// attenuated by 40 dB; what is (somebody speaks there as well) passes as it is, echo included. No codec, clock or
/// telephone can break that; but it is no canceller: while both speak there is no gain.
#[derive(Clone, Debug)]
pub struct EchoSuppressor {
    // Levels of what was sent, a ring of the newest LAGS blocks.
    sent: [f32; LAGS],
    next: usize,
    mean_sent: f32,
    mean_came: f32,
    variance_sent: f32,
    variance_came: f32,
    covariance: [f32; LAGS],
    locked: Option<Locked>,
    expected: f32,
    gain: f32,
    fader: Fader,
}

/// An echo that is believed in.
#[derive(Clone, Copy, Debug)]
struct Locked {
    lag: usize,
    // What comes over what was sent, dB.
    loss: f32,
    // Blocks in a row in which it should have been heard and was not.
    missing: u32,
}

impl Default for EchoSuppressor {
    fn default() -> Self {
        EchoSuppressor {
            sent: [SILENCE; LAGS],
            next: 0,
            mean_sent: SILENCE,
            mean_came: SILENCE,
            variance_sent: 0.0,
            variance_came: 0.0,
            covariance: [0.0; LAGS],
            locked: None,
            expected: SILENCE,
            gain: 1.0,
            fader: Fader::default(),
        }
    }
}

impl EchoSuppressor {
    /// What is sent to the leg in this tick: a whole number of blocks of 10 ms, `block` samples each.
    pub fn sends(&mut self, pcm: &[f32], block: usize) {
        for block in pcm.chunks_exact(block.max(1)) {
            self.next = (self.next + 1) % LAGS;
            if let Some(newest) = self.sent.get_mut(self.next) {
                *newest = rms_dbfs(block).max(SILENCE);
            }
        }
    }

    /// What came from the leg in this tick, likewise, in place. Every tick has one of each, in any order.
    pub fn process(&mut self, pcm: &mut [f32], block: usize) {
        let block = block.max(1);
        let blocks = pcm.len() / block;
        for (index, pcm) in pcm.chunks_exact_mut(block).enumerate() {
            // The newest sent block belongs to this tick's last one.
            self.process_block(pcm, blocks.saturating_sub(index + 1));
        }
    }

    fn process_block(&mut self, pcm: &mut [f32], back: usize) {
        let came = rms_dbfs(pcm).max(SILENCE);
        self.learn(came, back);
        let echo = self.locked.map_or(SILENCE, |locked| self.sent_at(locked.lag + back) + locked.loss);
        self.expected = echo.max(self.expected - DECAY).max(SILENCE);
        let is_echo = self.locked.is_some() && self.expected > SILENCE && came < self.expected + MARGIN;
        self.gain = if is_echo { REST } else { self.gain + (1.0 - self.gain) * RELEASE };
        if self.gain > 0.999 {
            self.gain = 1.0;
        }
        self.fader.set(self.gain);
        self.fader.process(pcm);
    }

    /// Level of what was sent so many blocks ago.
    fn sent_at(&self, back: usize) -> f32 {
        let index = (self.next + LAGS - back % LAGS) % LAGS;
        self.sent.get(index).copied().unwrap_or(SILENCE)
    }

    fn learn(&mut self, came: f32, back: usize) {
        // Where nothing was sent there is nothing to learn about its echo.
        if self.sent.iter().all(|sent| *sent < AUDIBLE) {
            return;
        }
        let d_sent = self.sent_at(back) - self.mean_sent;
        let d_came = came - self.mean_came;
        self.mean_sent += d_sent * FORGET;
        self.mean_came += d_came * FORGET;
        self.variance_sent += (d_sent * d_sent - self.variance_sent) * FORGET;
        self.variance_came += (d_came * d_came - self.variance_came) * FORGET;
        let (newer, older) = self.sent.split_at((self.next + 1).min(LAGS));
        // From the newest to the oldest; those of this tick that came after the block are not its cause.
        let sent = newer.iter().rev().chain(older.iter().rev()).skip(back);
        for (covariance, sent) in self.covariance.iter_mut().zip(sent) {
            *covariance += ((sent - self.mean_sent) * d_came - *covariance) * FORGET;
        }
        self.seek();
        self.watch(came, back);
    }

    /// At which delay the level of what comes follows the level of what was sent, if it does.
    fn seek(&mut self) {
        if self.variance_sent < LIVELY || self.variance_came < LIVELY {
            return;
        }
        let best = self.covariance.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        let (lag, covariance) = best.map_or((0, 0.0), |(lag, c)| (lag, *c));
        if covariance < SURE * (self.variance_sent * self.variance_came).sqrt() {
            return;
        }
        let loss = self.mean_came - self.mean_sent;
        let locked = self.locked.get_or_insert(Locked { lag, loss, missing: 0 });
        locked.lag = lag;
    }

    /// Keeps to how loud the echo is, and gives it up once it stays away where it should be heard.
    fn watch(&mut self, came: f32, back: usize) {
        let Some(mut locked) = self.locked else { return };
        let sent = self.sent_at(locked.lag + back);
        let over = came - sent - locked.loss;
        if sent + locked.loss > AUDIBLE && over < MARGIN {
            locked.loss += over.max(-MARGIN) * LOSS_SHARE;
            locked.missing = if over < -ABSENT { locked.missing + 1 } else { 0 };
        }
        self.locked = Some(locked).filter(|locked| locked.missing < PATIENCE);
    }
}
