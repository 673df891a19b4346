//! How much sound a payload holds, from its bytes alone.

use tandem_base::AudioFormat;

/// Opus: longest packet, 120 ms at 48 kHz (RFC 6716 §3.1).
const OPUS_MAX_TICKS: u32 = 5_760;

/// RTP clock ticks of audio in `payload`; `None` where the payload cannot be of this format.
///
/// G.711 has one octet a tick (RFC 3551 §4.5.14), and so has G.722, whose RTP clock is half its sampling rate
/// (RFC 3551 §4.5.2). For Opus the TOC octet tells (RFC 6716 §3.1). A DTX packet of Opus counts as what it
/// stands for.
pub fn ticks(format: AudioFormat, payload: &[u8]) -> Option<u32> {
    match format {
        AudioFormat::Pcmu | AudioFormat::Pcma | AudioFormat::G722 => {
            u32::try_from(payload.len()).ok().filter(|n| *n > 0)
        }
        AudioFormat::Opus(_) => opus(payload),
    }
}

fn opus(payload: &[u8]) -> Option<u32> {
    let (toc, rest) = payload.split_first()?;
    let frames = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(*rest.first()? & 0x3f),
    };
    let total = frame(toc >> 3) * frames;
    (total > 0 && total <= OPUS_MAX_TICKS).then_some(total)
}

/// Ticks of one frame, by configuration number (RFC 6716 §3.1, table 2).
fn frame(config: u8) -> u32 {
    let size = config & 3;
    match config {
        0..=11 => [480, 960, 1_920, 2_880].get(usize::from(size)).copied().unwrap_or(0),
        12..=15 => [480, 960].get(usize::from(size & 1)).copied().unwrap_or(0),
        _ => 120 << size,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sample_codecs_count_octets() {
        assert_eq!(ticks(AudioFormat::Pcmu, &[0; 160]), Some(160));
        assert_eq!(ticks(AudioFormat::G722, &[0; 240]), Some(240));
        assert_eq!(ticks(AudioFormat::Pcma, &[]), None);
    }

    #[test]
    fn opus_tells_by_its_first_octet() {
        let ticks = |bytes: &[u8]| ticks(AudioFormat::Opus(Default::default()), bytes);
        // RFC 6716 §3.1: configuration 1 is SILK 20 ms, 3 SILK 60 ms, 15 hybrid 20 ms, 16 CELT 2.5 ms, 31 CELT 20 ms.
        assert_eq!(ticks(&[1 << 3]), Some(960));
        assert_eq!(ticks(&[3 << 3]), Some(2_880));
        assert_eq!(ticks(&[15 << 3]), Some(960));
        assert_eq!(ticks(&[14 << 3]), Some(480));
        assert_eq!(ticks(&[16 << 3]), Some(120));
        assert_eq!(ticks(&[31 << 3 | 1]), Some(1_920));
        assert_eq!(ticks(&[31 << 3 | 3, 3]), Some(2_880));
        assert_eq!(ticks(&[31 << 3 | 3, 7]), None, "140 ms");
        assert_eq!(ticks(&[31 << 3 | 3, 0]), None, "no frame");
        assert_eq!(ticks(&[31 << 3 | 3]), None, "no count");
        assert_eq!(ticks(&[]), None);
    }
}
