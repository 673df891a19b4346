//! What senders leave out, change and mix up: pauses, jumps, other packet times, other sources.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

use std::time::Duration;

use tandem_audio::level::rms_dbfs;
use tandem_base::{AudioFormat, OpusParams, PayloadType, Ssrc};
use tandem_quality::{Line, Talker, opus, speech};
use tandem_testkit::{Conditions, Network, sine};

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Two seconds of a tone of 300 Hz at −20 dBFS.
fn tone(format: AudioFormat) -> Vec<f32> {
    let rate = format.sample_rate().hz();
    let tone = sine(300.0, -20.0, rate, 0, rate as usize * 2);
    tone.iter().map(|s| f32::from(*s) / 32_768.0).collect()
}

fn level(line: &Line, from_ms: usize, to_ms: usize, rate: u32) -> f32 {
    let per_ms = rate as usize / 1_000;
    rms_dbfs(&line.heard.pcm[from_ms * per_ms..to_ms * per_ms])
}

fn steepest(pcm: &[f32]) -> f32 {
    pcm.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max)
}

/// RFC 3389: white noise of −45 dBov.
const NOISE: [u8; 1] = [45];

#[test]
fn a_pause_with_described_noise_sounds_like_it_and_is_no_loss() {
    for format in [AudioFormat::Pcmu, AudioFormat::G722] {
        let mut line = Line::clean(format, tone(format));
        line.run(ms(2_000));
        let mut first = true;
        line.run_with(ms(1_500), |line| {
            let payload_type = std::mem::replace(&mut line.talker.header.payload_type, PayloadType::CN);
            let packet = std::mem::take(&mut first).then(|| line.talker.packet(&NOISE));
            line.talker.header.payload_type = payload_type;
            line.talker.rest();
            packet
        });
        let end = line.run(ms(2_000));
        assert_eq!(line.heard.concealed(0, end), Duration::ZERO, "{format}");
        let rate = format.sample_rate().hz();
        let noise = level(&line, 2_100, 3_400, rate);
        // 0 dBov is a square wave, 3 dB above 0 dBFS.
        assert!((noise + 45.0 - 3.0).abs() < 2.0, "{format}: {noise} dBFS");
        assert!((level(&line, 3_700, 5_400, rate) + 20.0).abs() < 0.5, "{format}: back at once");
        let delay = line.heard.reports[end - 10].playout_delay;
        assert!(delay <= ms(3), "{format}: {delay:?}");
        assert!(steepest(&line.heard.pcm) < 0.06, "{format}: {}", steepest(&line.heard.pcm));
    }
}

#[test]
fn opus_that_sends_nothing_in_silence_is_not_taken_for_loss() {
    let format = AudioFormat::Opus(OpusParams { dtx: true, inband_fec: true, ..OpusParams::default() });
    // Two seconds of a tone, three of noise at −60 dBFS, again and again.
    let mut pcm = tone(format);
    pcm.extend([0.0; 48_000 * 3]);
    let mut noise = 1u32;
    for x in &mut pcm {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *x += ((noise >> 16) as f32 / 32_768.0 - 1.0) * 0.001;
    }
    let mut line = Line::clean(format, pcm);
    let mut sent = 0;
    let end = line.run_with(ms(10_000), |line| {
        let packet = line.talker.speak();
        // What libopus encodes as two octets or less need not be sent, but for the first and one in 400 ms.
        let silent = packet.len() <= 12 + 2;
        sent = if silent { sent + 1 } else { 0 };
        if silent && sent % 20 != 1 {
            line.talker.header.sequence = line.talker.header.sequence.wrapping_sub(1);
            return None;
        }
        Some(packet)
    });
    let report = line.report();
    assert!(report.packets < 380, "{} packets: DTX was on", report.packets);
    assert!(line.heard.concealed(0, end) <= ms(1), "{report:?}");
    assert!((level(&line, 5_300, 6_900, 48_000) + 20.0).abs() < 1.0, "the second spurt is whole");
    assert!(report.playout_delay <= ms(5), "{report:?}");
}

#[test]
fn packet_times_that_change_in_the_call_are_followed() {
    let said = speech(0, 8_000);
    for (from, to) in [(20, 60), (60, 20), (20, 30), (30, 10), (10, 40)] {
        let mut line = Line::clean(AudioFormat::Pcmu, said.clone());
        line.talker.ptime_ms = from;
        let change = line.run(ms(4_000));
        line.talker.ptime_ms = to;
        let end = line.run(ms(8_000));
        let gap = line.heard.concealed(0, end);
        // A longer packet comes as much later: that once is made up.
        let longer = ms(u64::from(to.saturating_sub(from)) + if to % 20 == 0 { 0 } else { 10 });
        assert!(gap <= longer, "{from} to {to} ms: {gap:?}");
        let settled = change + 100;
        assert_eq!(line.heard.concealed(settled, end), Duration::ZERO, "{from} to {to} ms");
        let most = line.heard.reports[settled..].iter().map(|r| r.playout_delay).max().unwrap();
        assert!(most <= ms(u64::from(to).max(20) + 10), "{from} to {to} ms: {most:?}");
    }
}

#[test]
fn timestamps_that_jump_cost_nothing_but_the_moment() {
    for jump in [400_000u32, 0u32.wrapping_sub(400_000), 0x7000_0000, 0x9000_0000] {
        let mut line = Line::clean(AudioFormat::Pcmu, tone(AudioFormat::Pcmu));
        line.run(ms(3_000));
        line.talker.header.timestamp = line.talker.header.timestamp.wrapping_add(jump);
        let end = line.run(ms(3_000));
        assert!(line.heard.concealed(0, end) <= ms(20), "{jump}: {:?}", line.heard.concealed(0, end));
        assert!((level(&line, 3_300, 5_900, 8_000) + 20.0).abs() < 0.3, "{jump}");
        assert!(line.report().playout_delay <= ms(5), "{jump}: {:?}", line.report().playout_delay);
    }
}

#[test]
fn another_source_takes_over_at_once() {
    for format in [AudioFormat::Pcmu, opus()] {
        let mut line = Line::clean(format, tone(format));
        line.run(ms(3_000));
        let header = &mut line.talker.header;
        (header.ssrc, header.sequence, header.timestamp) = (Ssrc(77), 9, 123_456);
        let end = line.run(ms(3_000));
        let rate = format.sample_rate().hz();
        assert!(line.heard.concealed(0, end) <= ms(60), "{format}: {:?}", line.heard.concealed(0, end));
        assert!((level(&line, 3_300, 5_900, rate) + 20.0).abs() < 1.0, "{format}");
        assert!(line.report().playout_delay <= ms(5), "{format}");
    }
}

#[test]
fn numbers_that_wrap_are_not_noticed() {
    // Both wrap within the first second.
    let mut line = Line::clean(AudioFormat::Pcmu, tone(AudioFormat::Pcmu));
    let end = line.run(ms(3_000));
    assert_eq!(line.heard.concealed(0, end), Duration::ZERO);
    assert!((level(&line, 100, 2_900, 8_000) + 20.0).abs() < 0.2);
}

#[test]
fn packets_in_bursts_are_played_evenly() {
    // Three at a time, as from a sender whose timer is coarse.
    let mut line = Line::clean(AudioFormat::Pcmu, speech(1, 8_000));
    let mut held = Vec::new();
    line.run_with(ms(12_000), |line| {
        held.push(line.talker.speak());
        if held.len() < 3 {
            return None;
        }
        let at = line.now;
        for packet in held.drain(..2) {
            line.network.send(packet, at);
        }
        held.pop()
    });
    let settled = 100;
    assert_eq!(line.heard.concealed(settled, line.ticks()), Duration::ZERO);
    let most = line.heard.reports[settled..].iter().map(|r| r.playout_delay).max().unwrap();
    assert!(most <= ms(65), "{most:?}");
}

#[test]
fn packets_that_overtake_each_other_and_come_twice_are_played_once_in_order() {
    let conditions =
        Conditions { delay: ms(10), jitter: ms(50), duplicate: 0.2, reorder: true, ..Conditions::default() };
    let talker = Talker::new(AudioFormat::Pcmu, 20, speech(0, 8_000));
    let room = AudioFormat::Pcmu.sample_rate();
    let mut line = Line::new(talker, room, Network::new(conditions, 9), ms(3));
    let end = line.run(ms(16_000));
    let settled = 150;
    let made_up = line.heard.concealed(settled, end).as_secs_f64() / ((end - settled) as f64 * 0.02);
    assert!(made_up < 0.01, "{made_up}");
    assert!(line.report().duplicates > 100);
    let most = line.heard.reports[settled..].iter().map(|r| r.playout_delay).max().unwrap();
    assert!(most <= ms(85), "{most:?}");
}
