//! Estimated quality of a leg: the E-model of ITU-T G.107 with default values, reduced to what RTP tells.

use std::time::Duration;

use tandem_base::AudioFormat;

/// R without any impairment: all parameters at their defaults (ITU-T G.107 §7.1 and table 2).
const BASIC: f32 = 93.2;

/// What a listener suffers from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Impairments {
    /// What was decoded.
    pub format: AudioFormat,
    /// Share of packets that could not be played, late ones included: 0.0 to 1.0.
    pub loss: f32,
    /// Burst ratio (ITU-T G.107 §7.4): mean length of a run of losses over that of random losses; 1.0 if unknown.
    pub burst_ratio: f32,
    /// Mouth to ear, one way.
    pub delay: Duration,
}

/// Transmission rating R, 0.0 to 93.2 (ITU-T G.107 §7.1): `93.2 − Idd − Ie,eff`.
///
/// There is no echo path that is known of, so that of the delay only Idd counts. The scale is narrow-band for all
/// formats, so that legs compare: wide-band speech gets no bonus (ITU-T G.107.1 would give one).
pub fn rating(of: &Impairments) -> f32 {
    (BASIC - delay_impairment(of.delay) - equipment_impairment(of)).clamp(0.0, BASIC)
}

/// Estimated mean opinion score, 1.0 to 4.5, of a rating (ITU-T G.107 annex B).
pub fn mos(rating: f32) -> f32 {
    let r = rating.clamp(0.0, 100.0);
    (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).clamp(1.0, 4.5)
}

/// Ie and Bpl: impairment without loss, and robustness against it.
///
/// G.711 with concealment (its appendix I) has 0 and 25.1 (ITU-T G.113 appendix I, table I.4). The ITU gives
/// neither G.722 nor Opus on this scale: both are taken as free of impairment at the rates we use; a lost G.722
/// frame also spoils its successors' predictor, so it gets half the robustness, and Opus, which brings its own
/// concealment, that of G.711. Packets that FEC brought back are not to be counted as lost.
const fn robustness(format: AudioFormat) -> (f32, f32) {
    match format {
        AudioFormat::Pcmu | AudioFormat::Pcma | AudioFormat::Opus(_) => (0.0, 25.1),
        AudioFormat::G722 => (0.0, 12.5),
    }
}

/// Ie,eff (ITU-T G.107 §7.4, equation 7-29).
fn equipment_impairment(of: &Impairments) -> f32 {
    let (ie, bpl) = robustness(of.format);
    let percent = finite(of.loss).clamp(0.0, 1.0) * 100.0;
    let burst = finite(of.burst_ratio).max(1.0);
    ie + (95.0 - ie) * percent / (percent / burst + bpl)
}

/// Idd (ITU-T G.107 §7.3, equation 7-27): nothing up to 100 ms.
fn delay_impairment(delay: Duration) -> f32 {
    let ms = delay.as_secs_f32() * 1_000.0;
    if ms <= 100.0 {
        return 0.0;
    }
    let x = (ms / 100.0).log2();
    let root = |v: f32| (1.0 + v.powi(6)).powf(1.0 / 6.0);
    25.0 * (root(x) - 3.0 * root(x / 3.0) + 2.0)
}

fn finite(value: f32) -> f32 {
    if value.is_finite() { value } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(format: AudioFormat, percent: f32, ms: u64) -> f32 {
        rating(&Impairments {
            format,
            loss: percent / 100.0,
            burst_ratio: 1.0,
            delay: Duration::from_millis(ms),
        })
    }

    #[test]
    fn a_perfect_leg_is_rated_as_the_recommendation_says() {
        let r = of(AudioFormat::Pcmu, 0.0, 50);
        assert_eq!(r, 93.2);
        // ITU-T G.107 annex B: R = 93.2 is a MOS of 4.41.
        assert!((mos(r) - 4.41).abs() < 0.005, "{}", mos(r));
    }

    #[test]
    fn ratings_map_to_scores_as_in_the_table() {
        // ITU-T G.107 table B.1.
        for (r, expected) in [(90.0, 4.34), (80.0, 4.03), (70.0, 3.60), (60.0, 3.10), (50.0, 2.58)] {
            assert!((mos(r) - expected).abs() < 0.01, "{r}: {}", mos(r));
        }
        assert_eq!(mos(0.0), 1.0);
        assert_eq!(mos(f32::from(120u8)), 4.5);
    }

    #[test]
    fn loss_costs_what_the_formula_says() {
        // 95 · 5 / (5 + 25.1) = 15.8
        assert!((of(AudioFormat::Pcma, 5.0, 0) - (93.2 - 15.78)).abs() < 0.05);
        assert!(of(AudioFormat::G722, 5.0, 0) < of(AudioFormat::Pcma, 5.0, 0));
        let bursty =
            Impairments { format: AudioFormat::Pcmu, loss: 0.05, burst_ratio: 3.0, delay: Duration::ZERO };
        assert!(rating(&bursty) < of(AudioFormat::Pcmu, 5.0, 0));
    }

    #[test]
    fn delay_costs_from_a_tenth_of_a_second() {
        assert_eq!(of(AudioFormat::Pcmu, 0.0, 100), 93.2);
        // Idd at 400 ms: X = 2, 25 · (65^(1/6) − 3 · (1 + (2/3)^6)^(1/6) + 2) = 24.1
        let at_400 = of(AudioFormat::Pcmu, 0.0, 400);
        assert!((93.2 - at_400 - 24.1).abs() < 0.2, "{at_400}");
        assert!(of(AudioFormat::Pcmu, 0.0, 150) > of(AudioFormat::Pcmu, 0.0, 250));
    }

    #[test]
    fn nonsense_stays_in_range() {
        for loss in [f32::NAN, f32::INFINITY, -3.0, 7.0] {
            let r = rating(&Impairments {
                format: AudioFormat::G722,
                loss,
                burst_ratio: f32::NAN,
                delay: Duration::MAX,
            });
            assert!((0.0..=93.2).contains(&r));
            assert!((1.0..=4.5).contains(&mos(r)));
        }
    }
}
